"""`invoke` as a process that a test stops, talks to or watches."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from .real_invoke import INVOKE
from .scene import Ran
from .waiting import PATIENCE, wait_until

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Started:
    """A running `invoke`, the leader of a process group of its own, its output in pipes."""

    def __init__(self, where: Path, *words: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [INVOKE, *words],
            cwd=where,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def interrupt(self) -> None:
        """Send what Ctrl-C at a terminal sends: SIGINT to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def finish(self) -> Ran:
        """Wait for its end; end one that does not, with everything that it started."""
        try:
            out, err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            out, err = self.process.communicate()
            raise AssertionError(f"it did not end in {PATIENCE} s:\n{out}{err}") from None
        ran = Ran(self.process.returncode, out, err)
        if "Traceback" in ran.text:
            raise AssertionError(ran.text)
        return ran


@contextmanager
def started(where: Path, *words: str, **env: str) -> Iterator[Started]:
    """Start `invoke`, and leave nothing of it behind, however the block ends."""
    running = Started(where, *words, **env)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            os.killpg(running.process.pid, signal.SIGKILL)
            running.process.communicate()


class Terminal:
    """A pseudo-terminal at which somebody runs `invoke`."""

    def __init__(self, where: Path, *words: str, **env: str) -> None:
        self._keyboard, tty = pty.openpty()
        # The leader of a new session that opens a terminal is controlled by it: Ctrl-C then means its whole group.
        opening = ["sh", "-c", 'exec "$@" <"$TTY"', "sh"]
        self.process = subprocess.Popen(
            [*opening, INVOKE, *words],
            cwd=where,
            env={**os.environ, "TERM": "xterm", **env, "TTY": os.ttyname(tty)},
            stdin=tty,
            stdout=tty,
            stderr=tty,
            start_new_session=True,
        )
        os.close(tty)
        self.raw = ""

    @property
    def text(self) -> str:
        """What has been written, without colours and cursor moves."""
        return _CONTROLS.sub("", self.raw)

    def wait_for(self, sentence: str) -> None:
        """Read until a sentence is there."""
        while sentence not in self.text and self._read(PATIENCE):
            pass
        if sentence not in self.text:
            raise AssertionError(f"{sentence!r} is not in:\n{self.text}")

    def read_until(self, holds: Callable[[], object], what: str) -> None:
        """Read until something holds; one that nobody reads would stop the program, once it is full."""

        def read_and_look() -> object:
            self._read(0)
            return holds()

        wait_until(read_and_look, what)

    def is_quiet(self, seconds: float) -> bool:
        """Whether nothing is written for so long."""
        before = self.raw
        self._read(seconds)
        return self.raw == before

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._keyboard, keys.encode())

    def end(self) -> int:
        """Read the rest, and return the exit code."""
        while self._read(PATIENCE):
            pass
        if "Traceback" in self.text or self.raw.count(HIDE_CURSOR) != self.raw.count(SHOW_CURSOR):
            raise AssertionError(self.raw)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End it, if a failed test has left it running."""
        os.close(self._keyboard)
        self.process.kill()
        self.process.wait()

    def _read(self, seconds: float) -> bool:
        """Take what comes within that time; whether anything came and the terminal is not closed at its other end."""
        readable, _, _ = select.select([self._keyboard], [], [], seconds)
        try:
            self.raw += os.read(self._keyboard, 1 << 16).decode("utf-8", "replace") if readable else ""
        except OSError:  # how Linux says that the other end is closed
            return False
        return bool(readable)


class Watch:
    """What was seen of the processes that `invoke` started.

    Attributes:
        commands: Their command lines.
        trusted: The command lines of those that had a secret in their environment.
    """

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self.commands: set[str] = set()
        self.trusted: set[str] = set()
        self._secrets = secrets

    @contextmanager
    def on(self, running: Started) -> Iterator[None]:
        """Look at each process of its session, over and over, for the length of the block."""
        over = threading.Event()
        thread = threading.Thread(target=self._look, args=[running.process.pid, over])
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _look(self, session: int, over: threading.Event) -> None:
        while not over.wait(0.02):
            for pid in psutil.pids():
                try:
                    if os.getsid(pid) == session:
                        self._see(Path("/proc", str(pid)))
                except OSError:
                    continue

    def _see(self, process: Path) -> None:
        command = process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
        environment = process.joinpath("environ").read_bytes().decode("utf-8", "replace")
        self.commands.add(command)
        if any(secret in environment for secret in self._secrets):
            self.trusted.add(command)


def command_of(process: psutil.Process) -> str:
    """Return the command line of a process; empty if it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
