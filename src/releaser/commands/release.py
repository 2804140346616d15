"""Releasing, rehearsing, asking how a release stands, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from releaser import engine
from releaser.adapters.git import Git
from releaser.adapters.waiting import wait_for
from releaser.commands.opening import opened_release, project, wanted_version
from releaser.config.load import state_root
from releaser.core.named import required_steps, skipped_steps
from releaser.core.runner import Observer
from releaser.core.step import CannotUndo, Plan
from releaser.errors import ReleaserError, UsageError
from releaser.files import write_atomically
from releaser.plan import release_plan
from releaser.release import Release
from releaser.texts import report


def release(
    start: Path,
    version: str | None,
    *,
    dry_run: bool,
    yes: bool,
    skip: Sequence[str],
    title: str | None,
    require: Sequence[str] = (),
) -> None:
    """`invoke release` and `invoke status`."""
    opened = opened_release(start, version, title)
    plan = release_plan(opened.config)
    skips, required = skipped_steps(plan, skip), required_steps(plan, require)
    if dry_run:
        print(f"{opened.config.distribution} {opened.version}: each step as the world shows it now\n")
        engine.print_survey(opened, engine.survey(opened, plan, skips, required), plan)
        return
    _carry_out(opened, plan, skips, required, engine.say_yes if yes else engine.ask_person)


def rehearse(
    start: Path,
    version: str | None,
    *,
    keep: bool,
    fresh: bool,
    skip: Sequence[str],
    title: str | None,
    fault: Sequence[str],
    require: Sequence[str] = (),
) -> None:
    """`invoke rehearse`."""
    from releaser.rehearsal import stage
    from releaser.rehearsal.faults import KillAt, RehearsalFaults

    root, config = project(start)
    wanted = wanted_version(version, config, root)
    faults = RehearsalFaults.parse(fault)
    plan = release_plan(config)
    for moment, step in faults.named("engine").items():
        if step not in [one.name for phase in plan for one in phase.steps]:
            raise UsageError(f"--fault engine:{moment}={step}: there is no such step.", "`invoke status` names them.")
    skips, required = skipped_steps(plan, skip), required_steps(plan, require)
    if changes := Git(root).changes():
        print(f"Rehearsing the commit {Git(root).head()[:12]}; {len(changes)} uncommitted changes are not part of it.")
    if config.pypi.via == "ci":
        print(f"PyPI's files are uploaded from here; in a real release {config.pypi.workflow} does it.")
    state = state_root()
    with stage.raised(root, config, wanted, state, faults, title=title, fresh=fresh, keep=keep) as raised:
        strikes = faults.named("engine")
        killers = [KillAt(strikes.get("kill-before"), strikes.get("kill-after"))] if strikes else []
        _carry_out(raised.release, plan, {**raised.lacking, **skips}, required, engine.say_yes, killers)
        if keep:
            print("\nThe stand-ins go on running:")
            for service in raised.services:
                print(f"  {service.name:<9} {service.url}")
            print(f"  remote    {raised.path / 'origin.git'}")
            print(f"Stop them with `kill {' '.join(str(one.process.pid) for one in raised.services)}`.")


def run_phases(start: Path, version: str | None, names: Sequence[str], *, yes: bool, dry_run: bool) -> None:
    """Some phases of a release alone, once everything before them is done.

    Raises:
        UsageError: Something before them is still to do.
    """
    from releaser.core.step import Done, Skipped

    opened = opened_release(start, version)
    plan = release_plan(opened.config)
    first = next(number for number, phase in enumerate(plan) if phase.name in names)
    skips = skipped_steps(plan, ())
    missing = [
        result.step
        for result in engine.survey(opened, plan[:first], skips)
        if result.phase in ("preflight", "stage") and not isinstance(result.outcome, Done | Skipped)
    ]
    if missing:
        raise UsageError(
            f"Before this, {', '.join(missing)} must be done.",
            f"`invoke release --version {opened.version}` does everything in order; `invoke status` shows where it is.",
        )
    part = tuple(phase for phase in plan if phase.name in names)
    if dry_run:
        engine.print_survey(opened, engine.survey(opened, part, skips), part)
        return
    (engine.say_yes if yes else engine.ask_person)(f"Push {opened.tag} to {opened.config.git.remote}?")
    engine.carry_out(opened, part, skip=skips, confirm=engine.say_yes)


def rollback(start: Path, version: str | None, *, dry_run: bool) -> None:
    """`invoke rollback`."""
    from releaser.core.runner import Runner

    opened = opened_release(start, version)
    plan = release_plan(opened.config)
    if dry_run:
        raise UsageError(
            "A rollback cannot be tried without doing it.", "`invoke status --version X` shows what it would meet."
        )
    with opened.store.locked():
        outcomes = Runner(plan, opened).undo()
    for step, outcome in outcomes:
        if isinstance(outcome, CannotUndo):
            raise ReleaserError(f"{step.name}: {outcome.reason}.", f"The way is forward: {outcome.forward}")
        print(f"{step.name}: {getattr(outcome, 'evidence', '')}")
    print("Taken back as far as it had come." if outcomes else f"There was nothing of {opened.version} to take back.")


def yank(start: Path, version: str | None, reason: str | None, *, undo: bool) -> None:
    """`invoke yank`."""
    opened = opened_release(start, version)
    if not reason and not undo:
        raise UsageError(
            "A yank needs a reason: users read it.",
            f"Give it with --reason, such as 'Critical bug, use {opened.version.bump('patch')} instead'.",
        )
    index, name = opened.pypi, opened.config.distribution
    if not index.files(name, opened.version):
        raise UsageError(f"The index has no {name} {opened.version}.", "Check the version.")
    done = "un-yanked" if undo else "yanked"

    def shown() -> bool:
        files = index.files(name, opened.version).values()
        return all((one.yanked is None) == undo for one in files)

    if not shown():
        print(f"The index has no interface for this but a page; {'un-yank' if undo else 'yank'} the release there:")
        print(f"  {index.manage_page(name, opened.version)}")
        if reason and not undo:
            print(f"Reason to paste:\n  {reason}")
        print("Waiting until the index shows it; Ctrl-C stops the waiting, not the yank.", flush=True)
        wait_for(index.name, f"{opened.version} as {done}", shown, opened.wait_limits)
    print(
        f"The index shows {name} {opened.version} as {done}."
        + ("" if undo else f" It still installs with =={opened.version.pep440}.")
    )


def _carry_out(
    opened: Release,
    plan: Plan[Release],
    skips: dict[str, str],
    required: dict[str, str],
    confirm: Callable[[str], None],
    observers: Sequence[Observer] = (),
) -> None:
    results = engine.carry_out(opened, plan, skip=skips, require=required, confirm=confirm, observers=observers)
    text = report.compose(opened, results)
    path = opened.store.path / "report.md"
    write_atomically(path, text)
    print(f"\n{text}\nThis report: {path}\nThe journal: {opened.store.path / 'journal.jsonl'}")
