"""Find the steps of a plan that words such as the values of `--skip`, `--require` and `--choose` name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from releaser.core.step import Plan, Step, World
from releaser.errors import UsageError


def skipped_steps(plan: Plan[World], asked: Iterable[str]) -> dict[str, str]:
    """Return the reason, by step, for each step that `--skip` names: a step, a phase, or the end of steps' names.

    Raises:
        UsageError: No step has that name (the nearest are given), or the step must not be skipped.
    """
    offered = [step.name for phase in plan for step in phase.steps if step.skippable]
    found: dict[str, str] = {}
    for word in asked:
        for step in _named(plan, word, "skipped", offered):
            if not step.skippable:
                raise UsageError(
                    f"{step.name} cannot be skipped: later steps, a workflow's job or users need it",
                    f"Skip only these: {', '.join(offered)}.",
                )
            found[step.name] = f"left out by --skip {word}"
    return found


def required_steps(plan: Plan[World], asked: Iterable[str]) -> dict[str, str]:
    """Return the option, by step, for each step that `--require` names: a step, a phase, or the end of steps' names.

    Raises:
        UsageError: No step has that name (the nearest are given).
    """
    names = [step.name for phase in plan for step in phase.steps]
    return {step.name: f"--require {word}" for word in asked for step in _named(plan, word, "required", names)}


def chosen(plan: Plan[World], asked: Iterable[str]) -> dict[str, str]:
    """Return the choice, by step, that each STEP=CHOICE of `--choose` makes.

    Raises:
        UsageError: There is no such choice; all are given.
    """
    known = {f"{step.name}={how}": (step.name, how) for phase in plan for step in phase.steps for how in step.choices}
    for word in asked:
        if word not in known:
            near = [one for one in known if one.partition("=")[0] == word.partition("=")[0]]
            near = near or get_close_matches(word, known, n=3, cutoff=0.8)
            raise UsageError(f"There is no choice {word}", f"Choose one of these: {', '.join(near or known)}.")
    return dict(known[word] for word in asked)


def must_be_step(plan: Plan[World], name: str, given: str) -> None:
    """Refuse a name that no step of the plan has.

    Args:
        plan: The plan.
        name: The name.
        given: What names it, for the message.

    Raises:
        UsageError: No step has that name (the nearest are given, or all).
    """
    names = [step.name for phase in plan for step in phase.steps]
    if name not in names:
        near = get_close_matches(name, names, n=3, cutoff=0.6)
        raise UsageError(f"{given}: there is no step {name}", f"Name a step, such as {', '.join(near or names)}.")


def _named(plan: Plan[World], word: str, how: str, offered: Sequence[str]) -> list[Step[World]]:
    steps = [(phase, step) for phase in plan for step in phase.steps]
    named = [step for phase, step in steps if word in (step.name, phase.name) or step.name.endswith(f"_{word}")]
    if not named:
        near = get_close_matches(word, offered, n=3, cutoff=0.4)
        raise UsageError(f"There is no step named {word}", f"Name one that can be {how}: {', '.join(near or offered)}.")
    return named
