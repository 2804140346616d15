"""PID files: one per running server in the data directory, where ``live-vlm-webui-stop`` finds it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from live_vlm_webui.config import data_dir

DIRECTORY = "run"
SUFFIX = ".pid"
LARGEST = 4096
LAST_PID = 2**31 - 1
CLOCK_SECONDS = 2.0
"""Tolerance for a process's start time, which is rounded, and on a Mac moves when the clock is corrected."""


@dataclass(frozen=True)
class Running:
    """The content of a server's PID file.

    Attributes:
        pid: The process id.
        started: When the process started, in seconds; see ``_started``.
        command: A hash of its command line, which may contain a secret.
        place: Where ``pid`` is valid: the machine's name and, on Linux, the PID namespace.
        address: The address on which it listens.
        port: The port on which it listens.
        url: The URL of its page.
        version: The version of the package.
    """

    pid: int
    started: float
    command: str
    place: str
    address: str
    port: int
    url: str
    version: str

    @property
    def file_name(self) -> str:
        """The name of its file: no other server can listen there at the same time."""
        return f"{self.port}@{self.address}{SUFFIX}"

    @property
    def is_here(self) -> bool:
        """Whether it was started on this machine and not in another container."""
        return self.place == this_place()

    @property
    def is_running(self) -> bool:
        """Whether the process is still running and is the server, not another one with the same id."""
        try:
            process = psutil.Process(self.pid)
            return (
                abs(_started(process) - self.started) < CLOCK_SECONDS
                and process.status() != psutil.STATUS_ZOMBIE
                and _hash(process.cmdline()) == self.command
            )
        except psutil.AccessDenied:  # another user's process: it is running and cannot be stopped
            return True
        except psutil.Error:
            return False


def this_process(address: str, port: int, url: str, version: str) -> Running:
    """Return the content of this process's PID file."""
    process = psutil.Process()
    return Running(
        pid=os.getpid(),
        started=_started(process),
        command=_hash(process.cmdline()),
        place=this_place(),
        address=address,
        port=port,
        url=url,
        version=version,
    )


def this_place() -> str:
    """Return the machine and PID namespace of this process."""
    namespace = ""
    with suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    return f"{socket.gethostname()} {namespace}".strip()


@contextmanager
def kept(directory: Path, running: Running) -> Iterator[None]:
    """Keep a PID file for ``running`` in the data directory.

    Raises:
        SettingsError: It cannot be written.
    """
    path = directory / DIRECTORY / running.file_name
    data_dir.write(path, json.dumps(asdict(running)).encode())
    try:
        yield
    finally:
        with suppress(OSError):
            if read(path) == running:
                path.unlink(missing_ok=True)


def find(directory: Path) -> list[tuple[Path, Running | OSError | None]]:
    """Return all PID files, sorted by port, with their content; an OSError if unreadable, None if invalid.

    Raises:
        SettingsError: Their directory cannot be read.
    """

    def looked_at(path: Path) -> Running | OSError | None:
        try:
            return read(path)
        except OSError as error:
            return error

    found = [(path, looked_at(path)) for path in data_dir.files_in(directory / DIRECTORY, SUFFIX)]
    return sorted(found, key=lambda one: (one[1].port if isinstance(one[1], Running) else 0, one[0].name))


def read(path: Path) -> Running | None:
    """Read a PID file; return None if it is gone or invalid.

    Raises:
        OSError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            held = json.loads(file.read(LARGEST))
        if not 0 < held["pid"] <= LAST_PID:  # other values mean process groups
            return None
        return Running(
            pid=int(held["pid"]),
            started=float(held["started"]),
            command=str(held["command"]),
            place=str(held["place"]),
            address=str(held["address"]),
            port=int(held["port"]),
            url=str(held["url"]),
            version=str(held["version"]),
        )
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def _started(process: psutil.Process) -> float:
    """Return when ``process`` started, in seconds since boot on Linux, else since 1970.

    A board without a battery starts with a clock of years ago, which is set minutes later. Linux counts from boot, and
    psutil adds the time of boot by the clock of now.
    """
    since_1970 = process.create_time()
    return since_1970 - psutil.boot_time() if sys.platform == "linux" else since_1970


def _hash(command: list[str]) -> str:
    return hashlib.sha256("\0".join(command).encode("utf-8", "surrogateescape")).hexdigest()
