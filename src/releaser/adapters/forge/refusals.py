"""What GitHub's refusals mean to the person who releases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from releaser.adapters.http import Http
from releaser.adapters.retries import is_limited
from releaser.errors import ServiceError


@dataclass(frozen=True)
class Refusals:
    """Makes errors out of responses.

    Attributes:
        http: Knows how messages call this GitHub.
        repository: ``OWNER/NAME``.
        has_token: Whether requests are authenticated.
        token_env: The variable that the token comes from.
    """

    http: Http
    repository: str
    has_token: bool
    token_env: str

    def refusal(
        self, doing: str, status: int, content: bytes, headers: Mapping[str, str], permission: str
    ) -> ServiceError:
        """Return the error for a status that is not the expected one.

        Args:
            doing: What the request was for, as it follows "refused to".
            status: The HTTP status.
            content: The response's body.
            headers: The response's headers.
            permission: What a token needs for this, in the words of GitHub's token page.
        """
        reason = _reason(content)
        plain = self.http.refused(status, headers, doing, reason)
        if is_limited(status, headers) or "rate limit" in reason.lower():
            return plain
        if status == 401 and self.has_token:
            return ServiceError(
                plain.message, f"{self.token_env} holds a token that is wrong, expired or revoked: create a new one."
            )
        if status == 401:
            return ServiceError(plain.message, f"Set {self.token_env} to a token: none was given.")
        if status == 403:
            return ServiceError(plain.message, f'Give the token the permission "{permission}" for {self.repository}.')
        if status == 404:
            return ServiceError(
                plain.message,
                f"Check that it exists, the spelling of {self.repository}, and that the token may see it "
                f'(GitHub answers 404 as well where the permission "{permission}" is missing).',
            )
        return plain


def errors_of(content: bytes) -> list[dict[str, Any]]:
    """Return the details of GitHub's validation error; empty for anything else."""
    data = _data(content)
    errors = data.get("errors") if isinstance(data, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _reason(content: bytes) -> str:
    data = _data(content)
    if not isinstance(data, dict):
        return ""
    details = [error.get("message") or f"{error.get('field')} {error.get('code')}" for error in errors_of(content)]
    return " - ".join(str(part) for part in (data.get("message"), "; ".join(map(str, details))) if part)


def _data(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
