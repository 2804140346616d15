"""`invoke` as a process of its own, the way users run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from .projects import Project
from .rehearsed import World

RUN_SECONDS = 600
GONE_SECONDS = 60
INVOKE = Path(sys.executable).with_name("invoke")
# What would lead git, the engine or nox elsewhere.
FOREIGN = ("GIT_", "RELEASER_", "NOX", "TWINE_", "GITHUB_", "PYPI_", "TESTPYPI_", "INVOKE_", "ACTIONS_")


@dataclass(frozen=True)
class Ended:
    """How a program ended; `status` is negative for a signal."""

    status: int
    out: str
    err: str
    seconds: float


@dataclass
class Invoke:
    """Runs `invoke`, each time as the leader of a process group of its own.

    Attributes:
        home: An empty directory for the engine's state and for what the runs print.
        program: The `invoke` of the environment that runs the tests.
    """

    home: Path
    program: Path = INVOKE
    _runs: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "gitconfig").write_text("[user]\n\tname = Releaser\n\temail = releaser@localhost\n")

    @property
    def state(self) -> Path:
        """Where the engine keeps its state."""
        return self.home / "state"

    def environment(self, changes: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the tests' environment without what is foreign, with ``changes``."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        own = {
            "RELEASER_STATE_DIR": str(self.state),
            "RELEASER_MACHINE": "this machine",
            "GIT_CONFIG_GLOBAL": str(self.home / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        return {**kept, **own, **(changes or {})}

    def __call__(self, where: Path, *words: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run it to its end."""
        return self.until(lambda: False, where, *words, env=env)

    def until(
        self,
        happens: Callable[[], bool],
        where: Path,
        *words: str,
        env: Mapping[str, str] | None = None,
        send: signal.Signals = signal.SIGKILL,
    ) -> Ended:
        """Run it, and signal its process group as soon as something happens; the status tells which came first."""
        self._runs += 1
        prints = [self.home / f"{self._runs}.{stream}" for stream in ("out", "err")]
        begun = time.monotonic()
        # Files, not pipes: a pipe that outlives the killed run would keep the test waiting.
        with prints[0].open("wb") as out, prints[1].open("wb") as err:
            process = subprocess.Popen(
                [self.program, *words],
                cwd=where,
                env=self.environment(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        try:
            while process.poll() is None and not happens():
                if time.monotonic() - begun > RUN_SECONDS:
                    raise AssertionError(f"invoke {' '.join(words)} takes too long")
                time.sleep(0.02)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, send)
            process.wait(RUN_SECONDS)
        out_text, err_text = (file.read_text("utf-8", "replace") for file in prints)
        return Ended(process.returncode, out_text, err_text, time.monotonic() - begun)

    def world(self, project: Project, version: str) -> World:
        """Return what rehearsing a version of the project's HEAD has left."""
        return World(self.state / "rehearsals" / f"{project.distribution}-{project.head()[:12]}-{version}", version)

    def left(self) -> list[psutil.Process]:
        """Return the processes that work below its home: what runs have started and not ended."""
        return [one for one in psutil.process_iter() if one.pid != os.getpid() and self._is_ours(one)]

    def wait_until_alone(self) -> None:
        """Wait for the stand-ins of killed runs to end by themselves; end those that do not, and fail."""
        give_up = time.monotonic() + GONE_SECONDS
        while (left := self.left()) and time.monotonic() < give_up:
            time.sleep(0.05)
        for one in left:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        if left:
            raise AssertionError(f"still running after {GONE_SECONDS} s: {left}")

    def _is_ours(self, process: psutil.Process) -> bool:
        mark = f"{self.home}{os.sep}"
        try:
            return any(mark in word for word in [*process.cmdline(), f"{process.cwd()}{os.sep}"])
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal that nothing disturbed.

    Attributes:
        before: The user's checkout before it.
        ended: How it ended.
        world: What it left.
        facts: The same in words, as `World.facts` has them.
    """

    project: Project
    invoke: Invoke
    before: dict[str, str]
    ended: Ended
    world: World
    facts: dict[str, Any]
