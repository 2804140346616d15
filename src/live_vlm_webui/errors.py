"""Every error that has a remedy, drawn as one tree; anything else that escapes is a bug of ours.

::

    WebUIError
    ├── SettingsError      exit 2    a setting that cannot be used
    │   └── WrongValueError          a value that is out of its range
    ├── ListenError        exit 1    the address and port cannot be opened
    │   └── PortTakenError           another program listens there
    ├── RequestError       HTTP      what a browser or program sent cannot be carried out
    │   ├── InputError         400   a value that is wrong; says which, and what would be right
    │   │   └── MediaTypeError 415   a body of another kind than the one that is taken
    │   ├── LoginError         401   whoever asks must sign in first
    │   ├── ForbiddenError     403   not allowed, whoever asks
    │   ├── NotFoundError      404   no such session, answer ...
    │   ├── ConflictError      409   not in this state
    │   └── LimitError         429   too many, too large or too often
    │       └── TooLargeError  413   a body larger than is taken
    ├── CameraError        code      a source that gives no frames
    └── ModelError         code      a model that does not answer

Each message says what happened and to what; ``remedy`` says what to do next. ``code`` is for programs:
``CAMERA_CODES`` and ``MODEL_CODES`` list them.
"""

from __future__ import annotations

from math import ceil
from typing import ClassVar, Literal, get_args

CameraCode = Literal["refused", "unreachable", "unauthorised", "timeout", "no-video", "unreadable"]
ModelCode = Literal[
    "unreachable", "unauthorised", "model-missing", "not-vision", "timeout", "rate-limited", "refused", "bad-answer"
]
CAMERA_CODES: tuple[CameraCode, ...] = get_args(CameraCode)
MODEL_CODES: tuple[ModelCode, ...] = get_args(ModelCode)


class WebUIError(Exception):
    """An error with a remedy.

    Args:
        message: What happened, and to what, as whole sentences.
        remedy: What to do next, as an instruction to the person who reads it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}"


class SettingsError(WebUIError):
    """A setting that cannot be used."""

    exit_code = 2


class WrongValueError(SettingsError):
    """A value that is out of its range.

    Args:
        setting: The attribute of ``Settings`` that it is the value of.
        message: What is wrong with it.
        remedy: What would be right.
    """

    def __init__(self, setting: str, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.setting = setting


class ListenError(WebUIError):
    """The address and port cannot be opened."""


class PortTakenError(ListenError):
    """Another program listens on that port."""


class RequestError(WebUIError):
    """What a browser or program sent cannot be carried out."""

    status: ClassVar[int] = 400

    @property
    def headers(self) -> dict[str, str]:
        """What the answer carries besides."""
        return {}


class InputError(RequestError):
    """A value that is wrong."""


class MediaTypeError(InputError):
    """A body of another kind than the one that is taken."""

    status = 415


class LoginError(RequestError):
    """Whoever asks must sign in first."""

    status = 401

    @property
    def headers(self) -> dict[str, str]:
        """How programs sign in."""
        return {"WWW-Authenticate": 'Bearer realm="live-vlm-webui"'}


class ForbiddenError(RequestError):
    """Not allowed, whoever asks."""

    status = 403


class NotFoundError(RequestError):
    """There is no such thing."""

    status = 404


class ConflictError(RequestError):
    """Not possible in this state."""

    status = 409


class LimitError(RequestError):
    """Too many, too large or too often.

    Args:
        message: What there is too much of.
        remedy: What to do next.
        retry_after: Seconds until it is worth to ask again; None if asking again is no use.
    """

    status = 429

    def __init__(self, message: str, remedy: str, retry_after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """When to ask again."""
        return {} if self.retry_after is None else {"Retry-After": str(max(1, ceil(self.retry_after)))}


class TooLargeError(LimitError):
    """A body larger than is taken."""

    status = 413


class CameraError(WebUIError):
    """A source that gives no frames.

    Args:
        code: Why, for programs.
        message: What happened, and to what.
        remedy: What to do next.
    """

    def __init__(self, code: CameraCode, message: str, remedy: str) -> None:
        super().__init__(message, remedy)
        self.code: CameraCode = code

    def to_json(self) -> dict[str, str]:
        """As it is told to browsers."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}


class ModelError(WebUIError):
    """A model that does not answer.

    Args:
        code: Why, for programs.
        message: What happened, and to what.
        remedy: What to do next.
        retry_after: Seconds until it is worth to ask again, where the server says so.
    """

    def __init__(self, code: ModelCode, message: str, remedy: str, retry_after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.code: ModelCode = code
        self.retry_after = retry_after

    def to_json(self) -> dict[str, str]:
        """As it is told to browsers."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}
