"""One `invoke release` in a process of its own, forked from one that has imported everything it needs."""

from __future__ import annotations

import copy
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path

import psutil
import pytest
from invoke.program import Program

from releaser import engine
from releaser.adapters.clients import import_clients
from releaser.commands import release as command
from releaser.commands.opening import opened_release
from releaser.core.named import skipped_steps
from releaser.plan import release_plan
from releaser.rehearsal.faults import KillAt
from releaser.tasks import namespace

PATIENCE = 180
_FORKS = multiprocessing.get_context("forkserver")

# What each forked process would otherwise import again, which takes longer than the run itself.
import_clients()


def get_ready() -> None:
    """Start the process that runs are forked from, with all imports done."""
    _FORKS.set_forkserver_preload([__name__])
    # Until Python 3.14, that process looks for modules in its own path only, and does not mention one that it lacks.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        forkserver.ensure_running()


@dataclass(frozen=True)
class Kill:
    """At which boundary of which step a run ends as by `kill -9`: "before" it acts, or "after" its fact holds."""

    when: str
    step: str


@dataclass(frozen=True)
class Ended:
    """How a run ended; the code is negative for a signal."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """Return its error and its remedy, without what came before; empty if it has none."""
        _, error, rest = self.err.rpartition("error: ")
        return f"{error}{rest}".strip() if error else ""


@dataclass(frozen=True)
class Asked:
    """What is run, where, and in which environment."""

    where: Path
    version: str
    skip: tuple[str, ...]
    environment: Mapping[str, str]

    def run(self, prints: Path, kill: Kill | None = None, started: Callable[[int], None] = lambda _: None) -> Ended:
        """Run it to its end; ``started`` is told its process number.

        Raises:
            AssertionError: It did not end.
        """
        process = _FORKS.Process(target=_release, args=(self, prints, kill))
        process.start()
        assert process.pid
        started(process.pid)
        process.join(PATIENCE)
        hangs = process.exitcode is None
        if hangs:
            kill_with_children(process.pid)
            process.join()
        out, err = (prints.with_suffix(end).read_text("utf-8") for end in (".out", ".err"))
        if hangs:
            raise AssertionError(f"it did not end in {PATIENCE} s:\n{out}{err}")
        return Ended(process.exitcode or 0, out, err)


def kill_with_children(pid: int) -> None:
    """End a run and all that it started at once, as the end of its machine would."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGSTOP)  # so that none starts another meanwhile
        for one in {*family, *parent.children(recursive=True)}:
            with suppress(psutil.NoSuchProcess):
                one.kill()


def _release(asked: Asked, prints: Path, kill: Kill | None) -> None:
    os.setsid()
    for number, end in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(prints.with_suffix(end), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.environ.clear()
    os.environ.update(asked.environment)
    os.chdir(asked.where)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if kill:
        opened = opened_release(Path(), asked.version)
        plan = release_plan(opened.config)
        observer = KillAt(kill.step if kill.when == "before" else None, kill.step if kill.when == "after" else None)
        skips = skipped_steps(plan, asked.skip)
        command.carry_out(opened, plan, skips, {}, engine.say_yes, observers=[observer])
        return
    skipping = [word for step in asked.skip for word in ("--skip", step)]
    words = ["invoke", "release", "--version", asked.version, "--yes", *skipping]
    sys.argv = words
    Program(namespace=copy.deepcopy(namespace), name="invoke", binary="invoke").run(words)
