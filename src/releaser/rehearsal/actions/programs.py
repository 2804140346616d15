"""The programs of jobs: each in a session of its own, so that it ends with everything that it started.

A shell becomes the program after it has started another that waits for the end of its standard input, which is a pipe
of the stand-in: however the stand-in ends, its jobs' programs end with it.
"""

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

_GUARD = """exec 3<&0 </dev/null
(exec >/dev/null 2>&1; read -r nothing; kill -s KILL 0) <&3 3<&- &
exec "$@" 3<&-
"""
"""The shell gives what it starts with `&` an empty standard input, so that the pipe needs another number before."""
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
        started = process.start(
            ["sh", "-c", _GUARD, "job", *command],
            cwd=cwd,
            env=changes,
            stdin=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            own_session=True,
        )
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
    if started.stdin is not None:
        started.stdin.close()


def _read(started: subprocess.Popen[bytes], take: Callable[[str], None]) -> None:
    if started.stdout is not None:
        with started.stdout as pipe:
            for line in pipe:
                take(line.decode("utf-8", "replace").rstrip("\r\n"))
