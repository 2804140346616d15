"""Folders import only what is below them, without circles, and the picture of that is up to date."""

from __future__ import annotations

import logging.config
import runpy
from collections import Counter
from pathlib import Path

import pytest
from importlinter import cli

ROOT = Path(__file__).parents[2]
MOST_LINES = 300
MOST_MODULES = 17


def test_imports_run_downwards_and_never_in_a_circle(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    # Its set-up of logging would silence every logger that there is, for the tests that follow.
    monkeypatch.setattr(logging.config, "dictConfig", lambda _: None)
    status = cli.lint_imports(no_cache=True)
    assert status == 0, capsys.readouterr().out


def test_a_circle_would_be_found():
    script = runpy.run_path(str(ROOT / "scripts" / "draw_architecture.py"))
    floors = script["floors_of"]
    assert floors({"top": {"middle", "low"}, "middle": {"low"}, "low": set()}) == {"top": 2, "middle": 1, "low": 0}
    with pytest.raises(ValueError, match="circle among"):
        floors({"one": {"other"}, "other": {"one"}})


def test_the_picture_shows_the_code_as_it_is():
    script = runpy.run_path(str(ROOT / "scripts" / "draw_architecture.py"))
    shown = (ROOT / "docs" / "images" / "architecture.svg").read_text("utf-8")
    assert shown == script["picture"](), "run `python scripts/draw_architecture.py`"


def test_modules_and_folders_stay_small():
    modules = sorted((ROOT / "src").rglob("*.py"))
    long = {str(path): lines for path in modules if (lines := len(path.read_text("utf-8").splitlines())) > MOST_LINES}
    folders = Counter(path.parent for path in modules if not path.name.startswith("__"))
    full = {str(folder): count for folder, count in folders.items() if count > MOST_MODULES}
    assert not long
    assert not full
