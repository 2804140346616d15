"""Which Python a job gets."""

from __future__ import annotations

import sys

import pytest

from releaser.rehearsal.actions.python import Pythons

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_the_version_that_is_asked_for_where_there_is_one(tmp_path):
    found = Pythons(tmp_path).interpreter(OWN)
    assert (found.version, found.unproven) == (OWN, None)


def test_where_there_is_none_the_newest_before_it_runs_and_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("PYENV_ROOT", "/nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    for version, says in (("3.96", "3.96"), ("3.97", "3.97"), ("3.98", "no such version")):
        (tmp_path / f"python{version}").write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / f"python{version}").chmod(0o755)
    found = Pythons(tmp_path).interpreter("3.99")
    assert found.path == tmp_path / "python3.97"
    assert found.unproven == "Python 3.99: this machine has none, so 3.97 ran in its place"


@pytest.mark.parametrize("asked", ["3.4", "pypy3.10"])
def test_the_one_that_runs_this_where_there_is_none_before_it(tmp_path, asked):
    assert (
        Pythons(tmp_path).interpreter(asked).unproven
        == f"Python {asked}: this machine has none, so {OWN} ran in its place"
    )


def test_that_of_the_images_base_and_it_is_said(tmp_path):
    found = Pythons(tmp_path, {"3.99": OWN}).interpreter("3.99")
    assert found.version == OWN
    assert found.unproven == f"Python 3.99: the images' base here has {OWN}, so {OWN} ran in its place"
