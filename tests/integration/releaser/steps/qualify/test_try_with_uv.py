"""The wheel on the Pythons of a machine, by uv."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from harness.scene import Scene

from releaser.core.step import Done, Skipped, said
from releaser.steps.qualify.try_with_uv import TryWithUv


@pytest.fixture
def pythons(tmp_path: Path, scene: Scene) -> Path:
    """A directory for the only Pythons that are found."""
    path = tmp_path / "pythons"
    path.mkdir()
    (path / "git").symlink_to(shutil.which("git") or "")
    scene.set(PATH=f"{path}:/nowhere", PYENV_ROOT="/nowhere", UV_PYTHON_INSTALL_DIR="/nowhere")
    return path


def test_the_evidence_says_which_pythons_were_tried_and_those_that_do_not_run_are_left_out(
    scene: Scene, pythons: Path, tmp_path: Path
) -> None:
    scene.set(UV_CACHE_DIR=str(tmp_path / "cache"))
    release, step = scene.with_dists(), TryWithUv()
    (pythons / f"python3.{sys.version_info.minor}").symlink_to(sys.executable)
    (pythons / "python3.99").write_text("#!/bin/sh\nexit 127\n")
    (pythons / "python3.99").chmod(0o755)

    step.run(release)

    outcome = step.check(release)
    assert isinstance(outcome, Done)
    assert said(outcome).startswith(f"on Python {'.'.join(map(str, sys.version_info[:3]))} (")
    assert not list((tmp_path / "cache").glob("archive-*/*")), (
        "what a rehearsal's index serves is never asked for again"
    )


@pytest.mark.usefixtures("pythons")
def test_without_a_python_that_fits_the_reason_is_kept(scene: Scene) -> None:
    release, step = scene.with_dists(), TryWithUv()

    step.run(release)

    outcome = step.check(release)
    assert isinstance(outcome, Skipped)
    assert outcome.reason.startswith("no Python here is a release and fits ")
