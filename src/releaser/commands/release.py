"""Release, show the status of a release, push its tag, yank it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from releaser import engine
from releaser.adapters.waiting import wait_for
from releaser.commands.opening import opened_release
from releaser.commands.report import leave_proof
from releaser.commands.watch import leaving_it_running
from releaser.core import asking
from releaser.core.files import write_atomically
from releaser.core.named import chosen, required_steps, skipped_steps
from releaser.core.runner import Observer, Runner
from releaser.core.step import Done, Plan, Skipped, Warned, part_of
from releaser.errors import UsageError
from releaser.inspection.questions import Question, ask
from releaser.plan import choosable, plan_of, release_plan
from releaser.release import Release
from releaser.steps.ci.runs import Seen, told_whole
from releaser.steps.ci.taking_part import newest_runs
from releaser.texts import report
from releaser.texts.services import Services


def release(
    start: Path,
    version: str | None,
    *,
    dry_run: bool,
    yes: bool,
    skip: Sequence[str],
    title: str | None,
    require: Sequence[str] = (),
    choose: Sequence[str] = (),
) -> None:
    """Run `invoke release` or, with `dry_run`, its survey."""
    opened = opened_release(start, version, title)
    if title and opened.config.run == "ci":
        raise UsageError(
            f'--title has no effect: run = "ci", and {opened.config.release_workflow} writes the title',
            "Put the description into the first paragraph of the changelog's section.",
        )
    plan = plan_of(opened.config)
    skips, required = skipped_steps(plan, skip), required_steps(plan, require)
    choices = chosen(choosable(plan, opened.config), choose)
    opened = replace(opened, choices=choices, required=frozenset(required))
    if dry_run:
        print(f"{opened.config.distribution} {opened.version}: state of each step\n")
        engine.print_survey(opened, engine.survey(opened, plan, skips, required), plan)
        return
    with leaving_it_running(opened):
        carry_out(opened, plan, skips, required, engine.say_yes if yes else engine.ask_person)


def status(start: Path, version: str | None) -> None:
    """Run `invoke status`, which ends in time even where no service answers.

    Raises:
        ReleaserError: There are conflicts or failures among the outcomes.
    """
    opened = opened_release(start, version)
    plan = plan_of(opened.config)
    newest = Question("what GitHub runs for this version", partial(newest_runs, opened))
    survey = Question("the steps", lambda: Runner(plan, opened).survey(within=asking.LIMIT_S - 1))
    with engine.stoppable():
        ask([newest, survey])
    if survey.error:
        raise survey.error
    print(f"{opened.config.distribution} {opened.version}: state of each step\n")
    print(opened.redactor()(_told(opened, newest)), end="")
    engine.print_survey(opened, survey.answer or (), plan)


def _told(opened: Release, newest: Question[list[Seen]]) -> str:
    """Return the lines on what GitHub runs for this version; empty if it runs nothing, and ran nothing."""
    heading, found = "runs  newest run of each workflow", newest.answer or []
    if newest.error:
        return f"{heading}\n  not asked: {newest.error.message}\n"
    lines = [f"  {told_whole(one)}" for one in found]
    if any(not one.run.ended for one in found):
        lines.append(f"  Follow with `invoke watch --version {opened.version}`.")
    workflow = opened.config.release_workflow
    if opened.config.run != "ci" and any(one.workflow == workflow and not one.run.ended for one in found):
        lines.append(f"  Do not run `invoke release` meanwhile: {workflow} makes this release.")
    return "\n".join([heading, *lines, ""]) if lines else ""


def tag(start: Path, version: str | None, *, yes: bool, dry_run: bool, choose: Sequence[str] = ()) -> None:
    """Run `invoke tag`: the push of a release whose commit exists.

    Raises:
        UsageError: A step before it is still to do, or a workflow pushes the tag.
    """
    opened = opened_release(start, version)
    if opened.config.run == "ci":
        raise UsageError(
            f'run = "ci": {opened.config.release_workflow} makes the tag and pushes it',
            f"Run `invoke release --version {opened.version}`, which starts it.",
        )
    plan = release_plan(opened.config)
    opened = replace(opened, choices=chosen(plan, choose))
    before = engine.survey(opened, part_of(plan, "preflight", "stage"), {})
    if missing := [result.step for result in before if not isinstance(result.outcome, Done | Skipped)]:
        raise UsageError(
            f"These steps must be done first: {', '.join(missing)}",
            f"Run `invoke release --version {opened.version}`, which runs everything in order.",
        )
    (push,) = part_of(plan, "push")
    part = (replace(push, ask=f"Push {opened.tag} to {opened.config.git.remote}?"),)
    if dry_run:
        engine.print_survey(opened, engine.survey(opened, part, {}), part)
        return
    engine.carry_out(opened, part, skip={}, confirm=engine.say_yes if yes else engine.ask_person)


def yank(start: Path, version: str | None, reason: str | None, *, undo: bool) -> None:
    """Run `invoke yank`."""
    opened = opened_release(start, version)
    if not reason and not undo:
        raise UsageError(
            "A yank needs a reason, which users read",
            f"Give it with --reason, for example 'Critical bug, use {opened.version.bump('patch')} instead'.",
        )
    index, name = opened.pypi, opened.config.distribution
    if not index.files(name, opened.version):
        raise UsageError(f"The index has no {name} {opened.version}", "Check the version.")
    done = "un-yanked" if undo else "yanked"

    def shown() -> bool:
        files = index.files(name, opened.version).values()
        return all((one.yanked is None) == undo for one in files)

    if not shown():
        print(f"The index has no API for this; {'un-yank' if undo else 'yank'} the release on its page:")
        print(f"  {index.manage_page(name, opened.version)}")
        if reason and not undo:
            print(f"Reason to paste:\n  {reason}")
        print("Waiting until the index shows it. Ctrl-C stops the waiting, not the yank.", flush=True)
        wait_for(index.name, f"{opened.version} as {done}", shown, opened.wait_limits)
    print(
        f"The index shows {name} {opened.version} as {done}."
        + ("" if undo else f" It still installs with =={opened.version.pep440}.")
    )


def carry_out(
    opened: Release,
    plan: Plan[Release],
    skips: Mapping[str, str],
    required: Mapping[str, str],
    confirm: Callable[[str], None],
    *,
    lacking: Mapping[str, str] | None = None,
    observers: Sequence[Observer] = (),
) -> None:
    """Carry a plan out, then write and print its report.

    Args:
        opened: The release.
        plan: The plan.
        skips: Why steps are left out on request, by step; the report says so first.
        required: What demands that steps are not left out, by step.
        confirm: Asks the plan's question.
        lacking: Why steps cannot run on this machine, by step.
        observers: Further observers of the run.
    """
    skip = {**(lacking or {}), **skips}
    results = engine.carry_out(opened, plan, skip=skip, require=required, confirm=confirm, observers=observers)
    services = Services()
    text = report.compose(opened, results, skips, services)
    path = opened.store.path / "report.md"
    print(f"\n{text}")
    try:
        write_atomically(path, text)
        print(f"This report: {path}")
    except OSError as error:  # what it reports has been done all the same
        print(f"This report could not be written to {path}: {error.strerror or error}")
    leave_proof(opened, services)
    print(f"The journal: {opened.store.path / 'journal.jsonl'}")
    redact = opened.redactor()
    for result in results:
        if isinstance(result.outcome, Warned):
            print(f"warning: {result.step}: {redact(result.outcome.reason)}", file=sys.stderr)
            print(f"  -> {redact(result.outcome.remedy)}", file=sys.stderr)
