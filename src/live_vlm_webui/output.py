"""What the commands print: standard output and standard error may be closed, full, or unable to encode a name.

``--help`` imports this, so it imports nothing slow.
"""

from __future__ import annotations

import errno
import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

UNWRITABLE = "Standard output cannot be written"
REMEDY = "Redirect it to a terminal, or to a file on a disk with free space."


def escape_unencodable() -> None:
    """Let standard output escape what it cannot encode, as standard error does: paths may contain anything."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def show(text: str, stream: TextIO | None = None) -> None:
    """Print ``text`` at once. A reader that has closed the pipe, such as ``head``, has read what it wanted.

    Args:
        text: The text, with its line breaks.
        stream: Where to; None for standard output.

    Raises:
        OutputError: The stream is closed or cannot be written.
    """
    error = _write(text, stream or sys.stdout)
    if error is not None:
        from live_vlm_webui.errors import OutputError

        raise OutputError(f"{UNWRITABLE}: {error.strerror or error}", REMEDY) from error


def was_printed(program: str) -> bool:
    """Return whether standard output took what argparse wrote, as far as it tells; if not, say so."""
    error = None if sys.stdout is None else _write("", sys.stdout)  # argparse then uses standard error
    if error is not None:
        complain(f"{program}: {UNWRITABLE}: {error.strerror or error}\n-> {REMEDY}\n")
    return error is None


def complain(text: str) -> None:
    """Print ``text`` on standard error, if that is possible."""
    _write(text, sys.stderr)


def _write(text: str, stream: TextIO | None) -> OSError | None:
    """Write ``text`` and what the stream still holds; return the error, unless it is a closed pipe."""
    if stream is None:  # closed when the program was started
        return OSError(errno.EBADF, os.strerror(errno.EBADF))
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        _abandon(stream)
        return None if isinstance(error, BrokenPipeError) else error
    return None


def _abandon(stream: TextIO) -> None:
    """Discard what the stream still holds: Python would try to write it at exit, and report that failure."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except OSError:  # it has no file
        return
