"""The steps that `--skip` and `--require` name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from releaser.core.step import Plan, Step, World
from releaser.errors import UsageError


def skipped_steps(plan: Plan[World], asked: Iterable[str]) -> dict[str, str]:
    """Reasons by step for what `--skip` names: a step, a phase, or the end of some steps' names such as `testpypi`.

    Raises:
        UsageError: Nothing is named so (the nearest names are given), or a later step needs what is named.
    """
    found: dict[str, str] = {}
    for word in asked:
        for step in _named(plan, word, "skipped", [one.name for p in plan for one in p.steps if one.skippable]):
            if not step.skippable:
                raise UsageError(
                    f"{step.name} cannot be skipped: later steps need it, or users do.",
                    "`invoke release --help` lists what can be.",
                )
            found[step.name] = f"left out by --skip {word}"
    return found


def required_steps(plan: Plan[World], asked: Iterable[str]) -> dict[str, str]:
    """What says so, by step, for the steps that `--require` names: a step, a phase, or the end of some steps' names.

    Raises:
        UsageError: Nothing is named so (the nearest names are given).
    """
    names = [step.name for phase in plan for step in phase.steps]
    return {step.name: f"--require {word}" for word in asked for step in _named(plan, word, "required", names)}


def _named(plan: Plan[World], word: str, how: str, offered: Sequence[str]) -> list[Step[World]]:
    steps = [(phase, step) for phase in plan for step in phase.steps]
    named = [step for phase, step in steps if word in (step.name, phase.name) or step.name.endswith(f"_{word}")]
    if not named:
        from difflib import get_close_matches

        near = get_close_matches(word, offered, n=3, cutoff=0.4)
        raise UsageError(f"There is no step named {word}.", f"These can be {how}: {', '.join(near or offered)}.")
    return named
