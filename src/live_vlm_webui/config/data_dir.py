"""Where what must outlive the server is kept: certificate, token, process files; for its owner's eyes only."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from live_vlm_webui.errors import SettingsError

logger = logging.getLogger(__name__)

NAME = "live-vlm-webui"
VARIABLE = "LIVE_VLM_DATA"
LARGEST = 256 * 1024
"""Of a file that is read, in bytes."""
PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600
PUBLIC_FILE = 0o644
OTHERS = 0o077


def default_data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Where the platform has programs keep their data.

    Args:
        environ: The environment; None takes that of the process.

    Raises:
        SettingsError: The user has no home directory.
    """
    environ = os.environ if environ is None else environ
    if sys.platform == "win32" and environ.get("LOCALAPPDATA"):
        return Path(environ["LOCALAPPDATA"]) / NAME
    if sys.platform != "darwin" and Path(environ.get("XDG_DATA_HOME", "")).is_absolute():
        return Path(environ["XDG_DATA_HOME"]) / NAME
    try:
        home = Path.home()
    except RuntimeError:
        raise SettingsError(
            "There is no home directory to keep the certificate and the token in.",
            f"Name a directory for them in the environment variable {VARIABLE}.",
        ) from None
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / NAME
    return home / ".local" / "share" / NAME


def write(path: Path, content: bytes, mode: int = PRIVATE_FILE) -> None:
    """Put ``content`` in the place of ``path`` at once, readable by others at no time unless ``mode`` says so.

    Raises:
        SettingsError: The directory cannot be written to.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _make_private(path.parent)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unusable(path, "written", error) from error


def read_private(path: Path) -> bytes | None:
    """Read a file that nobody else may read; None if there is none.

    If others may read it, that is put right and logged: what it holds may be known to them.

    Raises:
        SettingsError: It cannot be read, others may read it and that cannot be changed, or it is too large.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, "read", error) from error
    with file:
        try:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if os.name == "posix" and mode & OTHERS:
                os.fchmod(file.fileno(), PRIVATE_FILE)
                logger.warning(
                    "%s could be read by others (mode %o); put right, but delete it to have a new one made", path, mode
                )
            content = file.read(LARGEST + 1)
        except OSError as error:
            raise _unusable(path, "kept from others", error) from error
    if len(content) > LARGEST:
        raise SettingsError(f"{path} is too large to be what it should be.", "Delete it: a new one is made.")
    return content


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep other servers with the same data directory from what is made at first start, meanwhile.

    Raises:
        SettingsError: The directory cannot be written to.
    """
    path = directory / ".lock"
    try:
        _make_private(directory)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except OSError as error:
        raise _unusable(path, "written", error) from error
    try:
        with contextlib.suppress(ImportError, OSError):  # Windows, and file systems without locks
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make_private(directory: Path) -> None:
    """Make ``directory`` and those above it that are missing; ``mkdir`` would let others into the latter."""
    for missing in reversed([one for one in (directory, *directory.parents) if not one.exists()]):
        missing.mkdir(PRIVATE_DIRECTORY, exist_ok=True)


def _unusable(path: Path, verb: str, error: OSError) -> SettingsError:
    if file := next((one for one in path.parents if one.is_file()), None):
        return SettingsError(
            f"{path} cannot be {verb}: {file} is a file, not a directory.",
            f"Name another place in {VARIABLE}: a directory, which is made if there is none.",
        )
    reason = os.strerror(error.errno) if error.errno else str(error)
    return SettingsError(
        f"{path} cannot be {verb}: {reason}.",
        f"Make it belong to the user that starts the server, or name another directory in {VARIABLE}.",
    )
