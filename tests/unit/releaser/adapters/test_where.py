"""What a message says to do fits where it is read: nobody can type in a job."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import releaser
from releaser.adapters.where import CHOICES, for_job, told_here, where
from releaser.config.load import parse_config
from releaser.core.named import chosen
from releaser.core.step import part_of
from releaser.errors import RERUN
from releaser.plan import release_plan

AGAIN = "Then re-run the failed jobs; if the fix is a commit, start the workflow again."


@pytest.mark.parametrize(
    ("terminal", "job"),
    [
        (
            "Rerun the command. What has arrived is not sent again.",
            "Re-run the failed jobs. What has arrived is not sent again.",
        ),
        ("Wait until it ends, then rerun the command.", "Wait until it ends, then re-run the failed jobs."),
        (RERUN, f"Fix the problem above. {AGAIN}"),
        ("Fix what it names, then rerun the command.", f"Fix what it names. {AGAIN}"),
        (
            "Keep it with `--choose draft_release=theirs`.",
            "Keep it with `draft_release=theirs` as the input `choose` of a new run.",
        ),
        ("Run `invoke rollback --version 0.2.0` first.", "Run `invoke rollback --version 0.2.0` in a checkout first."),
        (
            "Skip it with `--skip images`, which is recorded.",
            "Skip it with `--skip images`, which is recorded. A job takes no options: those are for `invoke release` "
            "in a checkout.",
        ),
        ("`--version` in the image printed 1; expected 2", "`--version` in the image printed 1; expected 2"),
        ("Release the next version.", "Release the next version."),
    ],
)
def test_a_message_for_a_terminal_means_in_a_job(monkeypatch: pytest.MonkeyPatch, terminal: str, job: str) -> None:
    assert told_here(terminal) == terminal
    assert for_job(terminal) == for_job(for_job(terminal)) == job
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert told_here(terminal) == job
    assert where(terminal="type", job="click") == "click"


def test_the_choices_of_jobs_are_those_of_steps() -> None:
    table = {"version-files": [{"path": "pyproject.toml", "key": "project.version"}]}
    plan = part_of(release_plan(parse_config(table, {"name": "demo"})), *CHOICES)
    words = [f"{step.name}={choice}" for phase in plan for step in phase.steps for choice in step.choices]
    assert {step.name for phase in plan for step in phase.steps} == {*CHOICES}
    for word in words:
        assert for_job(f"Add `--choose {word}`.") == f"Add `{word}` as the input `choose` of a new run."
    assert chosen(plan, words)


def texts(path: Path) -> list[str]:
    """Return the literal texts of a module, with `{}` for what is filled in, without docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inside.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            found.append("".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            found.append(node.value)
    return found


def test_every_message_says_to_rerun_in_the_words_that_a_job_translates() -> None:
    other = re.compile(
        r"(?<!=)\brerun\b(?! the (?:command|job))|\brun (?:this|the same) command again\b", re.IGNORECASE
    )
    source = Path(releaser.__file__).parent
    odd = {
        (str(path.relative_to(source)), text)
        for path in source.rglob("*.py")
        for text in texts(path)
        if " " in text and other.search(text)
    }
    assert odd == set()
