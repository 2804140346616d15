"""The programs of jobs: each in a session of its own, so that it ends with everything that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from releaser.adapters import process
from releaser.secret import Secret

_POLL_S = 0.02
_DRAIN_S = 5.0

Environment = Mapping[str, str | Secret]


class ProgramTimeoutError(Exception):
    """A program took longer than it may."""


class ProgramStoppedError(Exception):
    """A program was ended because its run was cancelled, or because the stand-in stops."""


class Programs:
    """What runs at the moment.

    Attributes:
        stopping: Set when everything ends.
    """

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._running: set[subprocess.Popen[bytes]] = set()

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        env: Environment,
        take: Callable[[str], None],
        stop: threading.Event,
        until: float,
    ) -> int:
        """Run a program with exactly this environment; hand on each line that it writes; return its exit status.

        Args:
            command: The program and its arguments.
            cwd: Where it runs.
            env: All that its environment holds.
            take: Takes a line.
            stop: Ends it when set.
            until: When it must have ended, by `time.monotonic`.

        Raises:
            ProgramTimeoutError: It took too long; it was ended.
            ProgramStoppedError: It was stopped.
        """
        changes = {**dict.fromkeys(os.environ), **env}
        started = process.start(command, cwd=cwd, env=changes, stderr=subprocess.STDOUT, own_session=True)
        self._running.add(started)
        reader = threading.Thread(target=_read, args=(started, take), daemon=True)
        reader.start()
        try:
            while (status := started.poll()) is None:
                if stop.wait(_POLL_S) or self.stopping.is_set():
                    raise ProgramStoppedError
                if time.monotonic() > until:
                    raise ProgramTimeoutError
            return status
        finally:
            _end(started)
            self._running.discard(started)
            reader.join(_DRAIN_S)

    def end_all(self) -> None:
        """End everything now."""
        self.stopping.set()
        for started in list(self._running):
            _end(started)


def _end(started: subprocess.Popen[bytes]) -> None:
    # What it left behind is of its session, whose number is that of the first process.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def _read(started: subprocess.Popen[bytes], take: Callable[[str], None]) -> None:
    if started.stdout is not None:
        with started.stdout as pipe:
            for line in pipe:
                take(line.decode("utf-8", "replace").rstrip("\r\n"))
