"""The one rule by which HTTP requests are repeated, for forge, index and registry alike.

========================================  =============================  ===========================================
what happened                             repeated for                   pause
========================================  =============================  ===========================================
no connection                             every request, twice           0.5 s, 1 s
the connection broke; 500, 502, 504       GET, HEAD, PUT, DELETE         0.5 s, doubled each time
no response in time                       GET, HEAD, PUT, DELETE, once   0.5 s
503                                       GET, HEAD, PUT, DELETE         `Retry-After`, else as above
429; 403 that says rate limit             every request: the service     `Retry-After`, `X-RateLimit-Reset`, a minute
                                          says that it did nothing       for GitHub's secondary limit, else 2 s, doubled
another 403                               GET, HEAD, PUT, DELETE, once:  0.5 s
                                          a guard in front of a service
                                          refuses at random
========================================  =============================  ===========================================

A POST or PATCH is not repeated otherwise: one that is sent twice because its response was lost makes a second draft. An
untrusted certificate is final. The pauses of a request are at most `LONGEST_PAUSE_S` together: a longer wait is for a
person to decide, and the error says when to rerun.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from urllib3 import Retry
from urllib3.exceptions import (
    ConnectTimeoutError,
    InvalidHeader,
    MaxRetryError,
    ProxyError,
    ReadTimeoutError,
    ResponseError,
    SSLError,
)

from releaser.core.activity import current

if TYPE_CHECKING:
    from typing_extensions import Self
    from urllib3.connectionpool import ConnectionPool
    from urllib3.response import BaseHTTPResponse

LONGEST_PAUSE_S = 300.0

_TIMES = 5
_TIMES_WITHOUT_CONNECTION = 2
_FIRST_PAUSE_S = 0.5
_FIRST_PAUSE_WHEN_LIMITED_S = 2.0
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: "wait for at least one minute"
_SECONDARY_LIMIT_S = 60.0
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_FAILED = frozenset({500, 502, 503, 504})
_SILENT = (ReadTimeoutError, TimeoutError)  # between two pieces, and altogether
_SECONDARY_LIMIT = b"secondary rate limit"


class RetryRule(Retry):
    """The rule above, and what is left of it for one request.

    Args:
        service: What messages call the service.
        waited: Seconds that this request has waited already.
        pause: Seconds to wait before the next attempt.
    """

    def __init__(self, service: str, *, waited: float = 0.0, pause: float = 0.0, **options: Any) -> None:
        given: dict[str, Any] = {
            "total": _TIMES,
            "connect": _TIMES_WITHOUT_CONNECTION,
            "allowed_methods": _IDEMPOTENT,
            "raise_on_status": False,
            **options,
        }
        super().__init__(**given)
        self.service = service
        self.waited = waited
        self.pause = pause

    def new(self, **changes: Any) -> Self:
        """Return a copy with changes."""
        return super().new(**{"service": self.service, "waited": self.waited, "pause": self.pause, **changes})

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:  # noqa: ARG002
        """Return whether a response of this status may be followed by another attempt; `increment` looks closer."""
        return status_code in (403, 429) or (method.upper() in _IDEMPOTENT and status_code in _FAILED)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Return what is left of the rule after a failure, with the pause to make.

        Raises:
            MaxRetryError: Nothing is; urllib3 returns a response that it has, and raises an error that it has.
        """
        if error is not None and self._is_final(method or "", error):
            raise MaxRetryError(_pool, url or "", error) from error  # type: ignore[arg-type]  # as in urllib3's own
        following = super().increment(method, url, response, error, _pool, _stacktrace)
        pause = self._pause(method or "", response, len(following.history))
        if pause is None or self.waited + pause > LONGEST_PAUSE_S or current().at_most(pause) < pause:
            reason = error or ResponseError(f"HTTP {response.status if response else 0}")
            raise MaxRetryError(_pool, url or "", reason) from error  # type: ignore[arg-type]
        following.pause = pause
        following.waited = self.waited + pause
        current().tell(f"{self.service} {_what(response, error)}; retrying in {pause:.0f} s")
        return following

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:  # noqa: ARG002  `increment` has read it
        """Wait before the next attempt.

        Raises:
            InterruptedRunError: The run was stopped.
        """
        current().sleep(self.pause)

    def _is_final(self, method: str, error: Exception) -> bool:
        cause = error.original_error if isinstance(error, ProxyError) else error
        if isinstance(cause, SSLError) and isinstance(cause.args[0], ssl.SSLCertVerificationError):
            return True
        if isinstance(cause, ConnectTimeoutError):  # refused and unknown hosts as well: nothing was sent
            return False
        silent = isinstance(cause, _SILENT)
        return method.upper() not in _IDEMPOTENT or (
            silent and any(isinstance(one.error, _SILENT) for one in self.history)
        )

    def _pause(self, method: str, response: BaseHTTPResponse | None, times: int) -> float | None:
        """Return how long to wait; None where waiting does not help."""
        growing = 2.0 ** (times - 1)
        if response is None:
            return _FIRST_PAUSE_S * growing
        limited = is_limited(response.status, response.headers)
        secondary = response.status == 403 and _SECONDARY_LIMIT in _text(response)
        named = named_pause(response.headers) if limited or response.status == 503 else None
        if named is not None:
            return named
        if secondary:
            return _SECONDARY_LIMIT_S
        if limited:
            return _FIRST_PAUSE_WHEN_LIMITED_S * growing
        if response.status == 403 and (method.upper() not in _IDEMPOTENT or any(o.status == 403 for o in self.history)):
            return None
        return _FIRST_PAUSE_S * growing


def pauses_for(status: int) -> Iterator[float]:
    """Return the pauses before each further attempt of a program whose upload got this status.

    The service says by it that it did nothing, so even an upload is repeated; what the program says has no named pause.
    """
    if status == 403:
        yield _FIRST_PAUSE_S
    elif status == 429:
        yield from (_FIRST_PAUSE_WHEN_LIMITED_S * 2**times for times in range(_TIMES))


def is_limited(status: int, headers: Mapping[str, str]) -> bool:
    """Return whether a response says that there were too many requests."""
    return status == 429 or (
        status == 403 and (headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers)
    )


def named_pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until the moment that a response names for the next attempt; None where it names none.

    `Retry-After` is in seconds or an HTTP date (RFC 9110, section 10.2.3); GitHub's primary limit has instead
    `X-RateLimit-Reset`, in seconds since 1970.
    """
    if after := headers.get("retry-after"):
        try:
            return Retry().parse_retry_after(after)
        except (InvalidHeader, ValueError, OverflowError):
            return None
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit() and len(reset) < 12:
        return max(0.0, int(reset) - time.time()) + 1  # it does not say when in that second
    return None


def _text(response: BaseHTTPResponse) -> bytes:
    """Return the body of a response that was read whole; a file's is left to the caller, who streams it."""
    return b"" if response.connection is not None else response.data.lower()


def _what(response: BaseHTTPResponse | None, error: Exception | None) -> str:
    if response is None:
        return "does not respond" if isinstance(error, (ConnectTimeoutError, *_SILENT)) else "broke off"
    return (
        f"limits requests (HTTP {response.status})"
        if response.status in (403, 429)
        else f"failed (HTTP {response.status})"
    )
