"""The tree of errors that have a remedy; any other exception that escapes is a bug of ours.

::

    WebUIError
    ├── SettingsError      exit 2    an invalid setting
    │   └── WrongValueError          a value that is out of range
    ├── ListenError        exit 1    the address and port cannot be opened
    │   └── PortTakenError           another program listens there
    ├── OutputError        exit 1    standard output cannot be written
    ├── RequestError       HTTP      a request that cannot be fulfilled
    │   ├── InputError         400   an invalid value
    │   │   └── MediaTypeError 415   a body of an unsupported type
    │   ├── LoginError         401   the client is not signed in
    │   ├── ForbiddenError     403   not allowed, signed in or not
    │   ├── NotFoundError      404   no such session, answer ...
    │   ├── ConflictError      409   not possible in this state
    │   └── LimitError         429   too many, too large or too often
    │       └── TooLargeError  413   the body is too large
    ├── CameraError        code      a source that delivers no frames
    └── ModelError         code      a model that does not answer

Each ``message`` is a sentence without its full stop: what happened, and to what. ``remedy`` says what to do next and
starts with a verb. ``code`` is for programs: ``CameraCode`` and ``ModelCode`` list the codes.
"""

from __future__ import annotations

from math import ceil
from typing import ClassVar, Literal

CameraCode = Literal["refused", "unreachable", "unauthorised", "timeout", "no-video", "unreadable"]
ModelCode = Literal[
    "unreachable", "unauthorised", "model-missing", "not-vision", "timeout", "rate-limited", "refused", "bad-answer"
]


class WebUIError(Exception):
    """An error with a remedy.

    Args:
        message: What happened, and to what; a sentence without its full stop.
        remedy: What to do next, as an instruction; with its full stop.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    @property
    def sentences(self) -> str:
        """Message and remedy as running text."""
        return f"{self.message}. {self.remedy}"

    def __str__(self) -> str:
        return f"{self.message}\n-> {self.remedy}"


class SettingsError(WebUIError):
    """An invalid setting."""

    exit_code = 2


class WrongValueError(SettingsError):
    """A value that is out of range.

    Args:
        setting: The attribute of ``Settings``.
        message: What is wrong with it.
        remedy: Which values are valid.
    """

    def __init__(self, setting: str, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.setting = setting


class ListenError(WebUIError):
    """The address and port cannot be opened."""


class PortTakenError(ListenError):
    """Another program listens on that port."""


class OutputError(WebUIError):
    """Standard output is closed or cannot be written."""


class RequestError(WebUIError):
    """A request that cannot be fulfilled."""

    status: ClassVar[int] = 400

    @property
    def headers(self) -> dict[str, str]:
        """The headers to add to the response."""
        return {}


class InputError(RequestError):
    """An invalid value."""


class MediaTypeError(InputError):
    """A body of an unsupported media type."""

    status = 415


class LoginError(RequestError):
    """The client is not signed in."""

    status = 401

    @property
    def headers(self) -> dict[str, str]:
        """The header that tells programs how to sign in."""
        return {"WWW-Authenticate": 'Bearer realm="live-vlm-webui"'}


class ForbiddenError(RequestError):
    """Not allowed, signed in or not."""

    status = 403


class NotFoundError(RequestError):
    """The requested object does not exist."""

    status = 404


class ConflictError(RequestError):
    """Not possible in this state."""

    status = 409


class LimitError(RequestError):
    """Too many, too large or too often.

    Args:
        message: Which limit was reached.
        remedy: What to do next.
        retry_after: Seconds after which a retry can succeed; None if retrying does not help.
    """

    status = 429

    def __init__(self, message: str, remedy: str, retry_after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """The header that says when to retry."""
        return {} if self.retry_after is None else {"Retry-After": str(max(1, ceil(self.retry_after)))}


class TooLargeError(LimitError):
    """The body is too large."""

    status = 413


class CameraError(WebUIError):
    """A source that delivers no frames.

    Args:
        code: The cause, for programs.
        message: What happened, and to what.
        remedy: What to do next.
    """

    def __init__(self, code: CameraCode, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.code: CameraCode = code

    def to_json(self) -> dict[str, str]:
        """Return the error as sent to browsers."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}


class ModelError(WebUIError):
    """A model that does not answer.

    Args:
        code: The cause, for programs.
        message: What happened, and to what.
        remedy: What to do next.
        retry_after: Seconds after which to retry, if the server says so.
    """

    def __init__(self, code: ModelCode, message: str, remedy: str, retry_after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.code: ModelCode = code
        self.retry_after = retry_after

    def to_json(self) -> dict[str, str]:
        """Return the error as sent to browsers."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}
