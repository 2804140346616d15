"""After a kill anywhere, or a fault, the same command again ends as an undisturbed run does."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from releaser.config.load import load_config
from releaser.plan import release_plan

VERSION, TAG = "0.2.0", "v0.2.0"

# Where the ladder has rungs: the boundary at which a run is killed to get there.
RUNGS = {
    "checked": "kill-before=open_worktree",
    "qualified": "kill-before=upload_testpypi",
    "staged": "kill-before=create_tag",
    "pushed": "kill-after=push_tag",
}


@dataclass
class Ladder:
    """One world of the tiny project that can be put back to where it was; the paths in it stay true that way.

    Attributes:
        project: The tiny project.
        invoke: What runs on it.
        kept: A directory for copies of the world.
        lasting: What has to stay as it is from the moment it is there, by name.
    """

    project: Any
    invoke: Any
    kept: Path
    before: dict[str, str]
    lasting: dict[str, str] = field(default_factory=dict)

    @property
    def world(self) -> Any:
        """The world as it is."""
        return self.invoke.world(self.project, VERSION)

    def rehearse(self, *faults: str, until: Callable[[], bool] = lambda: False) -> Any:
        """One run, with faults or killed as soon as something happens."""
        words = [word for fault in faults for word in ("--fault", fault)]
        return self.invoke.until(until, self.project.path, "rehearse", "--version", VERSION, *words)

    def kill(self, *faults: str, until: Callable[[], bool] = lambda: False) -> None:
        """A run that must not reach its end."""
        ended = self.rehearse(*faults, until=until)
        assert ended.status == -signal.SIGKILL, f"{faults}: exit {ended.status}, {ended.err}"
        self.look()

    def look(self) -> None:
        """What a killed run made and a later one must take up is still the same."""
        for name, found in _lasting(self.world).items():
            assert self.lasting.setdefault(name, found) == found, f"{name} was made a second time"

    def keep(self, name: str) -> None:
        """Remembers the world, once nothing works in it any more."""
        self.invoke.wait_until_alone()
        shutil.copytree(self.world.path, self.kept / name, symlinks=True)

    def back_to(self, name: str) -> None:
        """Puts the world back."""
        self.invoke.wait_until_alone()
        shutil.rmtree(self.world.path, ignore_errors=True)
        shutil.copytree(self.kept / name, self.world.path, symlinks=True)
        self.lasting = _lasting(self.world)

    def finish(self, expected: dict[str, Any]) -> None:
        """The same command without faults: it ends well, with everything as in an undisturbed world."""
        ended = self.rehearse()
        assert ended.status == 0, ended.err
        self.look()
        assert self.world.facts(TAG) == expected
        assert self.project.snapshot() == self.before
        assert f"- release commit: {self.lasting['release commit']}\n" in self.world.report()


def _lasting(world: Any) -> dict[str, str]:
    found = {}
    for name, repository, ref in (
        ("release commit", world.path / "checkout", f"refs/releaser/{TAG}"),
        ("tag", world.path / "checkout", f"refs/tags/{TAG}"),
        ("remote's tag", world.origin, f"refs/tags/{TAG}"),
    ):
        words = ["git", "rev-parse", "--verify", "--quiet", ref]
        answer = subprocess.run(words, cwd=repository, capture_output=True, text=True, check=False)
        found |= {name: answer.stdout.strip()} if answer.returncode == 0 else {}
    for file in world.path.glob(f"state/*/{VERSION}/dist/tiny_thing-*"):
        found[file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="session")
def create_ladder(create_tiny, create_invoke) -> Callable[[Path], Ladder]:
    def create(home: Path) -> Ladder:
        project = create_tiny(home / "tiny")
        (home / "kept").mkdir()
        return Ladder(project, create_invoke(home / "invoke"), home / "kept", project.snapshot())

    return create


@pytest.fixture(scope="session")
def ladder(create_ladder, tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """A world that was kept at each of RUNGS."""
    made = create_ladder(tmp_path_factory.mktemp("ladder"))
    for rung, boundary in RUNGS.items():
        made.kill(f"engine:{boundary}")
        made.keep(rung)
    return made


@pytest.mark.lengthy
def test_killed_at_every_step_boundary_in_turn(create_ladder, tmp_path, undisturbed):
    ladder = create_ladder(tmp_path)
    events = map(json.loads, (undisturbed.world.store / "journal.jsonl").read_text("utf-8").splitlines())
    begun = {event["step"] for event in events if event["event"] == "started"}
    seen = 0
    for phase in release_plan(load_config(ladder.project.path)):
        abreast = len(phase.branches) > 1
        if abreast and begun & {step.name for step in phase.steps}:
            ladder.keep(phase.name)
        for step in phase.steps:
            # A step whose fact holds does not begin. Beside others it may hold by now, unless the phase begins again.
            if step.name in begun:
                if abreast:
                    ladder.back_to(phase.name)
                ladder.kill(f"engine:kill-before={step.name}")
                seen += 1
            ladder.kill(f"engine:kill-after={step.name}")
            seen += 1
    assert seen > 2 * len(begun)
    ladder.finish(undisturbed.facts)


@pytest.mark.parametrize(
    ("rung", "fault", "mark"),
    [
        ("qualified", "testpypi:upload-hold=30", "testpypi/holding"),
        ("qualified", "testpypi:upload-hold-stored=30", "testpypi/holding"),
        ("staged", "remote:hold=30", "origin.git/holding"),
        ("staged", "remote:hold-stored=30", "origin.git/holding"),
        ("pushed", "pypi:upload-hold=30", "pypi/holding"),
        ("pushed", "pypi:upload-hold-stored=30", "pypi/holding"),
        ("pushed", "forge:publish-hold=30", "forge/holding"),
    ],
)
def test_killed_while_a_service_has_the_request_in_hand(rung, fault, mark, ladder, undisturbed):
    ladder.back_to(rung)
    holding = ladder.world.path / mark
    ladder.kill(fault, until=holding.exists)
    ladder.finish(undisturbed.facts)


@pytest.mark.parametrize(
    ("rung", "sign"),
    [
        (None, "pypi/.lock"),  # the stage is being raised, and its stand-ins run already
        ("checked", f"state/*/{VERSION}/scratch/build/dist"),
        ("pushed", f"state/*/{VERSION}/scratch/upgrade_from_pypi/venv"),
    ],
)
def test_killed_in_the_middle_of_a_step(rung, sign, ladder, undisturbed):
    if rung:
        ladder.back_to(rung)
    else:
        shutil.rmtree(ladder.world.path)
        ladder.lasting = {}
    ladder.kill(until=lambda: any(ladder.world.path.glob(sign)))
    ladder.finish(undisturbed.facts)


# What a run makes of a fault by itself; in any case the same command again must end as if nothing had happened.
@pytest.mark.parametrize(
    ("rung", "fault", "status"),
    [
        ("qualified", "testpypi:lag=2", 0),
        ("qualified", "testpypi:upload-drop-once", 1),
        ("staged", "remote:refuse", 1),
        ("pushed", "pypi:lag=2", 0),
        ("pushed", "pypi:upload-status-once=503", 0),
        ("pushed", "pypi:at=POST:/legacy/:2:after:drop", 1),
        ("pushed", "pypi:simple-status-once=503", 0),
        ("pushed", "pypi:simple-status-once=403", 0),
        ("pushed", "world:torn-journal", 0),
        ("pushed", "forge:asset-drop-once", 1),
        ("pushed", "forge:asset-drop-answer-once", 1),
        ("pushed", "forge:status-once=502:/releases", 0),
        ("pushed", "forge:status-once=429:/releases", 0),
    ],
)
def test_a_fault_is_survived_or_explained(rung, fault, status, ladder, undisturbed):
    ladder.back_to(rung)
    ended = ladder.rehearse(fault)
    assert ended.status == status, ended.err
    if status:
        assert re.fullmatch(r"error: \w+: [^\n]+\n  -> [^\n]*[Rr]erun the command[^\n]*\n\s*", ended.err)
    ladder.finish(undisturbed.facts)
