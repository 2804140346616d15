"""Rehearse a release: the same plan, against stand-ins on this machine."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from releaser import engine
from releaser.adapters.git import Git
from releaser.commands.opening import project, wanted_version
from releaser.commands.release import carry_out
from releaser.config.load import state_root
from releaser.config.project import Config
from releaser.core.counting import count_of
from releaser.core.files import write_atomically
from releaser.core.named import chosen, must_be_step, required_steps, skipped_steps
from releaser.core.runner import Observer
from releaser.core.step import Plan
from releaser.errors import ReleaserError, UsageError
from releaser.plan import choosable, plan_of, release_plan
from releaser.rehearsal import addresses, hosting, stage
from releaser.rehearsal.actions import report as workflow_report
from releaser.rehearsal.durations import Durations, in_words
from releaser.rehearsal.faults import KillAt, RehearsalFaults
from releaser.rehearsal.hosting import Carried
from releaser.rehearsal.rehearsed import Rehearsal, place
from releaser.rehearsal.world_faults import Striking
from releaser.release import Release
from releaser.steps.qualify.pass_session import PassSession

QUICK = "left out by --quick"
HERE, CONFIGURED, CI = "here", "configured", "ci"

_RUNS_END_S = 600.0
"""How long runs may go on after the release is complete, before the stand-ins end."""

_REAL = re.compile(r"`invoke (release|tag|status|watch|verify|publish\.\w+)(?P<version>( --version [^` ]+)?)[^`]*`")
_REAL_BACK = re.compile(r"`invoke (rollback|yank)(?P<version>( --version [^` ]+)?)[^`]*`")


@dataclass(frozen=True)
class How:
    """How to rehearse.

    Attributes:
        keep: Whether the stand-ins go on.
        fresh: Whether to start over.
        quick: Whether to leave out the sessions of tests.
        by: Who releases: this machine alone, this machine and workflows as configured, or a workflow.
    """

    keep: bool = False
    fresh: bool = False
    quick: bool = False
    by: str = HERE

    @property
    def kind(self) -> str:
        """What it has in common with others that take as long."""
        kind = "quick" if self.quick else "full"
        return kind if self.by == HERE else f"{kind}, as {self.by}"

    @property
    def options(self) -> str:
        """The options that rehearse in the same way, as they follow the version."""
        return f"{'' if self.by == HERE else f' --as {self.by}'}{' --quick' if self.quick else ''}"

    def must_be_known(self) -> None:
        """Refuse a way that there is not.

        Raises:
            UsageError: There is no such way.
        """
        if self.by not in (HERE, CONFIGURED, CI):
            raise UsageError(
                f"--as {self.by}: there is no such way to release", f"Write --as {HERE}, {CONFIGURED} or {CI}."
            )


def rehearse(
    start: Path,
    version: str | None,
    how: How,
    *,
    skip: Sequence[str],
    title: str | None,
    fault: Sequence[str],
    require: Sequence[str] = (),
    choose: Sequence[str] = (),
) -> None:
    """Run `invoke rehearse`."""
    begun = time.monotonic()
    how.must_be_known()
    root, config = project(start)
    wanted = wanted_version(version, config, root)
    faults = RehearsalFaults.parse(fault)
    config = addresses.released_by_workflow(config) if how.by == CI else config
    plan = release_plan(config) if how.by == HERE else plan_of(config)
    for text, step in faults.steps.items():
        must_be_step(plan, step, f"--fault {text}")
    skips, required = skipped_steps(plan, skip), required_steps(plan, require)
    choices = chosen(choosable(plan, config), choose)
    if how.quick:
        skips = {**{one.name: QUICK for one in _sessions(plan)}, **skips}
    state, git = state_root(), Git(root)
    in_jobs = faults.of.get("actions", ())
    if in_jobs and how.by == HERE:
        raise UsageError(f"--fault actions:{in_jobs[0]}: no workflow is carried out", f"Add --as {CI} or {CONFIGURED}.")
    hosted = hosting.carried(git, config, in_jobs, quick=how.quick) if how.by != HERE else Carried()
    durations = Durations(state / "rehearsals" / f"{config.distribution}.durations.json")
    # A line within a second, before anything that takes longer.
    commit = git.head()[:12]
    print(
        f"Rehearsing {config.distribution} {wanted} at commit {commit}: {_extent(plan, skips)};"
        f" {_expectation(durations, config, how.kind)}",
        flush=True,
    )
    _print_notes(config, git, hosted)
    path = place(state, config, git, wanted, *([how.by] if hosted.names else []))
    resumes = stage.is_ready(path) and not how.fresh
    rehearsal = Rehearsal(path, root, config, wanted, faults, title, hosted, how.quick)
    with stage.raised(rehearsal, fresh=how.fresh, keep=how.keep) as raised:
        if resumes:
            print("An earlier rehearsal of this commit and version is continued: completed steps are not repeated.")
            print("Start over with --fresh.", flush=True)
        release = replace(raised.release, choices=choices, required=frozenset(required))
        try:
            _carry_out(raised, release, plan, skips, required, faults)
        except ReleaserError as error:
            if hosted.names:
                _report_workflows(raised, within=0)
            raise error.reworded(rehearsed(error.message, how), rehearsed(error.remedy, how)) from error
        if hosted.names:
            _report_workflows(raised, within=_RUNS_END_S)
        seconds = time.monotonic() - begun
        print(f"Rehearsed in {in_words(seconds)}.")
        if not (resumes or skip or fault):  # another run says nothing of how long this one would take
            with suppress(OSError):
                durations.add(how.kind, seconds)
        if how.keep:
            _print_services(raised)


def _carry_out(
    raised: stage.Stage,
    release: Release,
    plan: Plan[Release],
    skips: Mapping[str, str],
    required: Mapping[str, str],
    faults: RehearsalFaults,
) -> None:
    """Carry the plan out, with the faults that strike this process and its files."""
    strikes = faults.named("engine")
    killers = [KillAt(strikes.get("kill-before"), strikes.get("kill-after"))] if strikes else []
    striking = [Striking(one, release, raised.path) for one in faults.world]
    observers: list[Observer] = [*striking, *killers]
    for one in striking:
        one.begin()
    carry_out(release, plan, skips, required, engine.say_yes, lacking=raised.lacking, observers=observers)


def _print_services(raised: stage.Stage) -> None:
    """Print where the stand-ins that go on are, and how to stop them."""
    print("\nThe stand-ins are still running:")
    for service in raised.services:
        print(f"  {service.name:<9} {service.url}")
    print(f"  remote    {raised.path / 'origin.git'}")
    print(f"Stop them with `kill {' '.join(str(one.process.pid) for one in raised.services)}`.")


def rehearsed(text: str, how: How) -> str:
    """Return advice with the commands that act on the real services replaced by those that rehearse in the same way."""
    again = _REAL.sub(rf"`invoke rehearse\g<version>{how.options}`", text)
    return _REAL_BACK.sub(rf"`invoke rehearse\g<version>{how.options} --fresh`", again)


def _sessions(plan: Plan[Release]) -> list[PassSession]:
    return [step for phase in plan for step in phase.steps if isinstance(step, PassSession)]


def _extent(plan: Plan[Release], skips: Mapping[str, str]) -> str:
    """Return how much there is to do: the number of steps, and the sessions by name."""
    steps = sum(step.name not in skips for phase in plan for step in phase.steps)
    sessions = _sessions(plan)
    run = [one.session for one in sessions if one.name not in skips]
    named = f", sessions {', '.join(run)}" if run else ", no sessions" if sessions else ""
    return f"{steps} steps{named}"


def _expectation(durations: Durations, config: Config, kind: str) -> str:
    """Return how long it took last time on this machine; before the first time, how long it usually takes."""
    if (seconds := durations.last(kind)) is not None:
        return f"took {in_words(seconds)} last time"
    usual = {"quick": config.rehearsal.usual_quick_time, "full": config.rehearsal.usual_time}.get(kind)
    return f"usually takes {usual}" if usual else "not timed on this machine yet"


def _report_workflows(raised: stage.Stage, within: float) -> None:
    """Print what the workflows did, and add it to the report."""
    forge = raised.path / "forge"
    if not (runs := workflow_report.ended(forge, within)):
        return  # It ended before a workflow was started.
    text = workflow_report.compose(runs, forge)
    print(f"\n{text}")
    path = raised.release.store.path / "report.md"
    if within and path.exists():
        write_atomically(path, f"{path.read_text('utf-8').rstrip()}\n\n{text}")


def _print_notes(config: Config, git: Git, hosted: Carried) -> None:
    """Print how this rehearsal differs from a release of what the user sees."""
    if changes := git.changes():
        print(f"Not part of it: {count_of(len(changes), 'uncommitted change')}.")
    for name, reason in hosted.left_out.items():
        print(f"The rehearsal does not carry out {name}: {reason}.", flush=True)
    if hosted.names:
        print(f"The rehearsal carries out {', '.join(hosted.names)}.", flush=True)
    elif config.pypi.via == "ci":
        print(f"The rehearsal uploads PyPI's files itself; in a release, {config.pypi.workflow} does.", flush=True)
