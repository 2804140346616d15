"""What GitHub's refusals and silences mean to the person who releases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from releaser.errors import ServiceError

RUN_AGAIN = "Nothing is lost: run the same command again, it recognises what already arrived."


@dataclass(frozen=True)
class Refusals:
    """Makes errors out of answers.

    Attributes:
        service: How a message calls this GitHub.
        repository: ``OWNER/NAME``.
        has_token: Whether requests are authenticated.
    """

    service: str
    repository: str
    has_token: bool

    def silence(self, doing: str, error: Exception) -> ServiceError:
        """What it means that a request failed below HTTP, or that the answer broke off."""
        return ServiceError(f"{self.service} was asked to {doing} and did not answer: {_root(error)}", RUN_AGAIN)

    def refusal(self, doing: str, status: int, data: Any, headers: Mapping[str, Any], permission: str) -> ServiceError:
        """What an answer of 400 or more means.

        Args:
            doing: What the request was for, as it follows "asked to".
            status: The HTTP status.
            data: The decoded answer.
            headers: The answer's headers.
            permission: What a token needs for this, in the words of GitHub's token page.
        """
        reason = _reason(data)
        headers = {name.lower(): value for name, value in headers.items()}
        message = f"{self.service} was asked to {doing} and answered {status}{reason and ': ' + reason}"
        if status == 401:
            return ServiceError(
                message,
                "The forge token is wrong, expired or revoked: make a new one."
                if self.has_token
                else "Give a forge token: none was given.",
            )
        if status == 429 or (status == 403 and _is_rate_limit(reason, headers)):
            return ServiceError(message, f"GitHub's rate limit is reached: run again {_when(headers)}.")
        if status == 403:
            return ServiceError(message, f'Give the token the permission "{permission}" for {self.repository}.')
        if status == 404:
            return ServiceError(
                message,
                f"See that it exists, that {self.repository} is spelled right, and that the token may see it"
                f' (GitHub says 404 as well where the permission "{permission}" is missing).',
            )
        if status >= 500:
            return ServiceError(message, RUN_AGAIN)
        return ServiceError(message, "Remove the cause that GitHub names, then run again.")


def errors_of(data: Any) -> list[dict[str, Any]]:
    """The details of GitHub's validation error; empty for anything else."""
    errors = data.get("errors") if isinstance(data, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _reason(data: Any) -> str:
    if not isinstance(data, dict):
        return ""
    details = [error.get("message") or f"{error.get('field')} {error.get('code')}" for error in errors_of(data)]
    return " - ".join(str(part) for part in (data.get("message"), "; ".join(details)) if part)


def _is_rate_limit(reason: str, headers: Mapping[str, Any]) -> bool:
    return "rate limit" in reason.lower() or headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers


def _when(headers: Mapping[str, Any]) -> str:
    if str(headers.get("retry-after", "")).isdigit():
        return f"in {headers['retry-after']} s"
    if str(headers.get("x-ratelimit-reset", "")).isdigit():
        reset = datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), timezone.utc)
        return f"after {reset:%H:%M:%S} UTC"
    return "in a few minutes"


def _root(error: BaseException) -> str:
    # requests wraps urllib3, which wraps the socket's error: only the innermost says something to a person.
    inner = getattr(error, "reason", None)
    if not isinstance(inner, BaseException):
        inner = next((part for part in reversed(error.args) if isinstance(part, BaseException)), None)
    return _root(inner) if inner else str(error).rpartition(": ")[2]
