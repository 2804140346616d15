"""The data directory: certificate, token and PID files, readable only by their owner."""

from __future__ import annotations

import contextlib
import errno
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
"""The largest file that is read, in bytes."""
PRIVATE_DIRECTORY = 0o700
PRIVATE_FILE = 0o600
PUBLIC_FILE = 0o644
OTHERS = 0o077


def default_data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return the platform's directory for application data.

    Args:
        environ: The environment; None uses ``os.environ``.

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
            "No home directory found for the certificate and the token",
            f"Set the environment variable {VARIABLE} to a directory for them.",
        ) from None
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / NAME
    return home / ".local" / "share" / NAME


def write(path: Path, content: bytes, mode: int = PRIVATE_FILE) -> None:
    """Replace ``path`` with ``content`` atomically; at no time can others read it unless ``mode`` allows that.

    Raises:
        SettingsError: The directory is not writable.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _make_private(path.parent)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unusable(path, "written", error) from error


def read_private(path: Path) -> bytes | None:
    """Read a private file; return None if there is none.

    If others can read it, its permissions are corrected and a warning is logged.

    Raises:
        SettingsError: It cannot be read, its permissions cannot be corrected, or it is too large.
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
                    "%s was readable by others (mode %o); corrected. Delete the file to have a new one created",
                    path,
                    mode,
                )
            content = file.read(LARGEST + 1)
        except OSError as error:
            raise _unusable(path, "protected from other users", error) from error
    if len(content) > LARGEST:
        raise SettingsError(f"{path} is unexpectedly large", "Delete it; a new one is created at the next start.")
    return content


def files_in(directory: Path, suffix: str) -> list[Path]:
    """Return the files in a directory with that suffix, sorted; none if there is no such directory.

    Raises:
        SettingsError: It cannot be read.
    """
    try:
        return sorted(path for path in directory.iterdir() if path.suffix == suffix)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unusable(directory, "read", error) from error


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock of the data directory, so that only one server at a time creates files in it.

    Raises:
        SettingsError: The directory is not writable.
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
    """Create ``directory`` and its missing parents as private; ``mkdir`` would leave the parents open to others."""
    for missing in reversed([one for one in (directory, *directory.parents) if not one.exists()]):
        missing.mkdir(PRIVATE_DIRECTORY, exist_ok=True)


def _unusable(path: Path, verb: str, error: OSError) -> SettingsError:
    if file := next((one for one in path.parents if _is_file(one)), None):
        return SettingsError(
            f"{path} cannot be {verb}: {file} is a file, not a directory",
            f"Set {VARIABLE} to another directory; it is created if it does not exist.",
        )
    reason = os.strerror(error.errno) if error.errno else str(error)
    foreign = error.errno in {errno.EACCES, errno.EPERM}
    other = f"et {VARIABLE} to another directory."
    return SettingsError(
        f"{path} cannot be {verb}: {reason}",
        f"Change its owner to the user who starts the server, or s{other}" if foreign else f"S{other}",
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, or a directory that may not be searched
        return False
