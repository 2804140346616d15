"""The end of a task: an error becomes a message, its remedy and an exit code; a traceback is for our own bugs only."""

from __future__ import annotations

import errno
import functools
import io
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn, ParamSpec, TypeVar

from invoke.exceptions import Exit

from releaser.adapters import environment
from releaser.adapters.where import told_here
from releaser.errors import ReleaserError, UsageError
from releaser.secret import Redactor

_P = ParamSpec("_P")
_R = TypeVar("_R")

_ELSEWHERE = "set RELEASER_STATE_DIR to a directory on another disk, then rerun the command."
_FULL = ("The disk is full: {file} could not be written", f"Free some space, or {_ELSEWHERE}")
_DENIED = ("{file} cannot be read or written: {reason}", f"Change its permissions, or {_ELSEWHERE}")
_NO_DIRECTORY = (
    "{file} cannot be read or written: {reason}",
    "Move the file in its path away, or set RELEASER_STATE_DIR to a directory, then rerun the command.",
)
_IN_THE_WAY = ("{file} is in the way: {reason}", "Move it away, or set RELEASER_STATE_DIR, then rerun the command.")
_WORDS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: _DENIED,
    errno.ENOTDIR: _NO_DIRECTORY,
    errno.EEXIST: _IN_THE_WAY,
    errno.EISDIR: _IN_THE_WAY,
    errno.EPIPE: ("The program that read the output closed it", "Rerun the command to continue."),
}


def reporting_errors(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn errors that have a remedy into a message on stderr and an exit code."""

    @functools.wraps(function)
    def reported(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        _open_standard_streams()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # A character that a terminal cannot show must not end a release.
                stream.reconfigure(errors="backslashreplace")
        try:
            _know_names()
            return function(*args, **kwargs)
        except ReleaserError as error:
            _print(error.message, error.remedy)
            raise Exit(code=error.exit_code) from None
        except KeyboardInterrupt:
            _print("Stopped by Ctrl-C", "Rerun the command to continue.")
            raise Exit(code=130) from None
        except OSError as error:
            if error.errno not in _WORDS:
                _fail_with_traceback()
            if error.errno == errno.EPIPE:
                # Else the interpreter fails once more when it flushes standard output at its end.
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            message, remedy = _WORDS[error.errno]
            _print(message.format(file=error.filename or "a file", reason=error.strerror), remedy)
            raise Exit(code=1) from None
        except Exception:  # noqa: BLE001  it is raised again
            _fail_with_traceback()

    return reported


def _know_names() -> None:
    """See that file names are what git and the indexes take them for.

    Raises:
        UsageError: Python takes them for something else.
    """
    encoding = sys.getfilesystemencoding()
    if encoding != "utf-8":
        raise UsageError(
            f"Python takes file names for {encoding} here, and those of a project may have other characters",
            "Set PYTHONUTF8=1, or a locale with UTF-8 such as LC_ALL=C.UTF-8; then rerun the command.",
        )


def _open_standard_streams() -> None:
    """Open what was closed at the start (`>&-`): else a journal would become the standard output of programs."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
        setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  as Python does


def _print(message: str, remedy: str) -> None:
    redact = _redactor()
    print(f"error: {redact(told_here(message))}", file=sys.stderr)
    if remedy:
        print(f"  -> {redact(told_here(remedy))}", file=sys.stderr)


def _fail_with_traceback() -> NoReturn:
    """Raise the error that is being handled, or print its traceback here if that shows a secret."""
    text = traceback.format_exc()
    shown = _redactor()(text)
    if shown == text:
        raise
    print(shown, end="", file=sys.stderr)
    raise Exit(code=1) from None


def _redactor() -> Redactor:
    redact = Redactor()
    redact.learn(environment.secrets())
    return redact
