"""Disasters to rehearse, given as `--fault WHO:NAME[=VALUE]`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass, field

from releaser.core.step import Outcome
from releaser.errors import UsageError
from releaser.rehearsal.actions.setting import parse_fault
from releaser.rehearsal.world_faults import WorldFault

_REMOTE = ("drop", "drop-stored", "hold", "hold-stored", "protected", "refuse")
_ENGINE = ("kill-before", "kill-after")
_WHO = ("testpypi", "pypi", "forge", "registry", "remote", "actions", "engine", "world")


@dataclass(frozen=True)
class RehearsalFaults:
    """What is to go wrong, by who is struck: `NAME` or `NAME=VALUE` for each stand-in."""

    of: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> RehearsalFaults:
        """Read `--fault` values; the stand-ins themselves refuse names that they do not know.

        Raises:
            UsageError: There is no such service, or the git remote or the engine has no such fault.
        """
        found: dict[str, list[str]] = {}
        for text in texts:
            who, colon, fault = text.partition(":")
            name = fault.partition("=")[0]
            if who == "actions":
                _expect_job_fault(text, fault)
            known = {"remote": _REMOTE, "engine": _ENGINE}.get(who)
            if who == "remote" and name.startswith("hold") and not _is_number(fault.partition("=")[2]):
                raise UsageError(f"--fault {text}: a number of seconds is required", f"Write --fault remote:{name}=5.")
            if not colon or who not in _WHO or (known and name not in known):
                raise UsageError(
                    f"--fault {text}: there is no such fault",
                    f"Write WHO:NAME[=VALUE] with WHO one of {', '.join(_WHO)}; docs/rehearsal.md lists the names.",
                )
            if who == "world":
                WorldFault.parse(fault)
            found.setdefault(who, []).append(fault)
        return cls(found)

    def named(self, who: str) -> dict[str, str]:
        """Value by name."""
        return {name: value for name, _, value in (fault.partition("=") for fault in self.of.get(who, []))}

    @property
    def steps(self) -> dict[str, str]:
        """The step at which each fault strikes that names one, by the fault's text."""
        engine = {f"engine:{fault}": fault.partition("=")[2] for fault in self.of.get("engine", [])}
        return engine | {f"world:{one}": one.step for one in self.world if one.step}

    @property
    def world(self) -> list[WorldFault]:
        """What is to befall files, and what others are to do."""
        return [WorldFault.parse(fault) for fault in self.of.get("world", [])]

    def options(self, who: str) -> list[str]:
        """Command-line options for a stand-in; `at`, and an index's `lag`, are options of their own."""
        words: list[str] = []
        for fault in self.of.get(who, []):
            name, _, value = fault.partition("=")
            words += [f"--{name}", value] if name in ("at", "lag") else ["--fault", fault]
        return words


@dataclass(frozen=True)
class KillAt:
    """Ends this process and its children as `kill -9` does, before or after a step."""

    before: str | None
    after: str | None

    def phase(self, name: str, title: str) -> None:
        """Nothing happens between phases."""

    def noted(self, step: str, text: str) -> None:
        """Nothing happens within a step."""

    def progress(self, step: str, text: str, done: int | None = None, total: int | None = None) -> None:
        """Nothing happens within a step."""

    def started(self, step: str, _title: str) -> None:
        """Strike before the step does anything."""
        if step == self.before:
            _strike()

    def finished(self, step: str, _title: str, _outcome: Outcome, _seconds: float) -> None:
        """Strike when the step's fact holds."""
        if step == self.after:
            _strike()


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _strike() -> None:
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _expect_job_fault(text: str, fault: str) -> None:
    try:
        parse_fault(fault)
    except ValueError:
        raise UsageError(
            f"--fault {text}: what happens, a job and the number of one of its steps are required",
            "Write --fault actions:kill-after=JOB:STEP; fail and cancel, before, and WORKFLOW/JOB are known as well.",
        ) from None
