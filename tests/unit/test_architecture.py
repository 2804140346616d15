"""Folders import only what is below them, without circles, and the picture of that is up to date."""

from __future__ import annotations

import runpy
from pathlib import Path

from importlinter import cli

ROOT = Path(__file__).parents[2]


def test_imports_run_downwards_and_never_in_a_circle(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    status = cli.lint_imports(no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_a_circle_would_be_found():
    script = runpy.run_path(str(ROOT / "scripts" / "draw_architecture.py"))
    floors = script["floors_of"]
    assert floors({"top": {"middle", "low"}, "middle": {"low"}, "low": set()}) == {"top": 2, "middle": 1, "low": 0}
    try:
        floors({"one": {"other"}, "other": {"one"}})
    except ValueError as error:
        assert "one" in str(error)
    else:
        raise AssertionError("a circle was drawn")
