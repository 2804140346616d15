"""Imports: at the top of modules, but for the few that would make the start of a command slow."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import releaser

SOURCE = Path(releaser.__file__).parent
HEAVY = {"aiohttp", "cyclonedx", "github", "pydantic", "requests", "rich", *releaser.LATE_IMPORTS}


def late_imports(source: str) -> set[str]:
    """The modules that are imported inside functions, each with what is imported from it."""
    found = set()
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    found |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def listed(name: str) -> str | None:
    return next((one for one in releaser.LATE_IMPORTS if f"{name}.".startswith(f"{one}.")), None)


def test_only_what_is_listed_is_imported_inside_functions() -> None:
    stray = {
        (str(path.relative_to(SOURCE)), name)
        for path in SOURCE.rglob("*.py")
        for name in late_imports(path.read_text("utf-8"))
        if not listed(name)
    }

    assert stray == set()


def test_whatever_is_listed_is_imported_late_somewhere() -> None:
    used = {listed(name) for path in SOURCE.rglob("*.py") for name in late_imports(path.read_text("utf-8"))}

    # The commands are imported by their package when a task first uses one.
    assert set(releaser.LATE_IMPORTS) - used == {"releaser.commands"}


@pytest.mark.parametrize("words", [["--list"], ["--version"], ["--help", "release"]], ids=" ".join)
def test_listing_the_tasks_imports_nothing_that_takes_long(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("from releaser.tasks import namespace\n")
    script = (
        "import json, runpy, sys\n"
        f"sys.argv = ['invoke', *{words!r}]\n"
        "try:\n    runpy.run_module('invoke', run_name='__main__')\n"
        "except SystemExit as ended:\n    print(json.dumps([ended.code, sorted(sys.modules)]), file=sys.stderr)\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    code, loaded = json.loads(ran.stderr.splitlines()[-1])

    assert not code, ran.stdout
    assert "invoke.tasks" in loaded
    assert HEAVY & set(loaded) <= {"releaser.commands"}
    assert [name for name in loaded if name.startswith("releaser.commands.")] == []


def test_what_a_job_that_may_write_imports_first_is_in_the_smallest_part_of_the_lock() -> None:
    """What is imported later is in the tests of the jobs."""
    modules = "releaser.tasks, releaser.commands.build, releaser.commands.ci, releaser.commands.handed_images"
    script = f"from harness.parts import only_with\nwith only_with('github'):\n    import {modules}"
    tools = str(Path(__file__).parents[2] / "tools")

    subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": tools}, check=True)
