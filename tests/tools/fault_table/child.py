"""One `invoke release` or `invoke rollback` in a process forked from one that has imported everything it needs."""

from __future__ import annotations

import copy
import importlib.util
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import forkserver
from pathlib import Path

import psutil
import pytest
from invoke.exceptions import Exit
from invoke.program import Program

from releaser import LATE_IMPORTS, engine
from releaser.adapters.clients import import_clients
from releaser.commands import release
from releaser.commands.opening import opened_release
from releaser.commands.rollback import rollback
from releaser.core.named import skipped_steps
from releaser.core.runner import Observer
from releaser.plan import release_plan
from releaser.rehearsal.faults import KillAt, RehearsalFaults
from releaser.rehearsal.mishaps import MISHAPS
from releaser.rehearsal.world_faults import Striking
from releaser.tasks import namespace
from releaser.tasks.exits import reporting_errors

from .broken import BROKEN
from .seen import public

PATIENCE = 180
_FORKS = multiprocessing.get_context("forkserver")

# What each forked process would otherwise import again, which takes longer than the run itself.
import_clients()
for late in LATE_IMPORTS:
    if importlib.util.find_spec(late):
        importlib.import_module(late)


def get_ready() -> None:
    """Start the process that runs are forked from, with all imports done."""
    _FORKS.set_forkserver_preload([__name__])
    # Until Python 3.14, that process looks for modules in its own path only, and does not mention one that it lacks.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        forkserver.ensure_running()


@dataclass(frozen=True)
class Ended:
    """How a run ended; the code is negative for a signal."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """Return its error and its remedy, without what came before; empty if it has none."""
        _, error, rest = f"\n{self.err}".rpartition("\nerror: ")
        return f"{error}{rest}".strip() if error else ""


@dataclass(frozen=True)
class Asked:
    """What is run, where, and in which environment."""

    world: Path
    version: str
    skip: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def struck(self) -> Path:
        """What others could see when a fault of the world struck; it is there once one has."""
        return self.world / "struck.json"

    def run(
        self,
        prints: Path,
        command: str = "release",
        words: tuple[str, ...] = (),
        fault: str = "",
        broken: str = "",
        started: Callable[[int], None] = lambda _: None,
    ) -> Ended:
        """Run it to its end.

        Args:
            prints: Where its output goes, without an ending.
            command: `release` or `rollback`.
            words: What that is given as well.
            fault: A fault of the engine or the world, as `invoke rehearse --fault` takes it.
            broken: What the engine's code does again, of BROKEN.
            started: Told the process number.

        Raises:
            AssertionError: It did not end.
        """
        process = _FORKS.Process(target=_invoke, args=(self, prints, command, words, fault, broken))
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


class _Witness(Striking):
    """Writes down what others can see when the fault has struck: from then on a refusal may change nothing of it."""

    def strike(self) -> None:
        if self.marker.exists():
            return
        # What befalls this machine changes nothing that others see, and may leave no way to look afterwards.
        seen = public(self.place, str(self.release.version))
        super().strike()
        if self.fault.name not in MISHAPS:
            seen = public(self.place, str(self.release.version))
        (self.place / "struck.json").write_text(json.dumps(seen), "utf-8")


def _invoke(asked: Asked, prints: Path, command: str, words: tuple[str, ...], fault: str, broken: str) -> None:
    os.setsid()
    for number, end in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(prints.with_suffix(end), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.environ.clear()
    os.environ.update(asked.environment)
    os.chdir(asked.world / "checkout")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for one in BROKEN:
        if one.what == broken:
            one.put_back(pytest.MonkeyPatch())
    if command == "release":
        words = (*(word for step in asked.skip for word in ("--skip", step)), *words)
    if fault:
        try:
            reporting_errors(_disturbed)(asked, command, words, fault)
        except Exit as end:
            sys.exit(end.code)
        return
    sys.argv = ["invoke", command, "--version", asked.version, "--yes", *words]
    Program(namespace=copy.deepcopy(namespace), name="invoke", binary="invoke").run(sys.argv)


def _disturbed(asked: Asked, command: str, words: tuple[str, ...], fault: str) -> None:
    faults = RehearsalFaults.parse([fault])
    at = faults.named("engine")
    observers: list[Observer] = [KillAt(at.get("kill-before"), at.get("kill-after"))] if at else []
    for one in faults.world:
        striking = _Witness(one, opened_release(Path(), asked.version), asked.world)
        striking.begin()
        observers.append(striking)
    if command == "rollback":
        options = {name: f"--{name}" in words for name in ("revert", "absent")}
        rollback(Path(), asked.version, dry_run=False, yes=True, observers=observers, **options)
        return
    opened = opened_release(Path(), asked.version)
    plan = release_plan(opened.config)
    skips = skipped_steps(plan, [step for option, step in pairwise(words) if option == "--skip"])
    release.carry_out(opened, plan, skips, {}, engine.say_yes, observers=observers)
