"""What `invoke` itself adds to the tasks, asked of the program: loading tasks.py, exit codes, help."""

from __future__ import annotations

import pytest
from harness.scene import Ran, Scene, assert_says
from harness.started import started


def run(scene: Scene, *words: str, **env: str) -> Ran:
    with started(scene.project.path, *words, **env) as running:
        return running.finish()


def test_what_goes_well_ends_with_0(scene: Scene) -> None:
    assert run(scene, "version.show").code == 0


def test_a_session_that_fails_ends_with_1(scene: Scene) -> None:
    scene.project.replace("pyproject.toml", "sessions = []", 'sessions = ["trial"]')
    ran = run(scene, "check", TRIAL="refuse")
    assert ran.code == 1
    assert_says(ran.err, "error: ", "-> ")


def test_wrong_use_ends_with_2(scene: Scene) -> None:
    ran = run(scene, "release", "--version", "v0.2.0")
    assert ran.code == 2
    assert ran.err.startswith("error: ")
    assert ran.err.splitlines()[-1].startswith("  -> ")


def test_conflicts_end_with_3(scene: Scene) -> None:
    scene.project.write("notes.txt", "")
    with scene.unchanged():
        ran = run(scene, "release", "--version", "0.2.0", "--yes")
    assert ran.code == 3
    assert_says(ran.err, "error: ", "be_clean", "notes.txt")


def test_a_question_that_nobody_can_answer_ends_with_4(scene: Scene) -> None:
    scene.with_dists()
    with scene.unchanged():
        ran = run(scene, "tag", "--version", "0.2.0")
    assert ran.code == 4
    assert_says(ran.err, "error: ", "--yes")


def test_giving_up_a_wait_ends_with_5(scene: Scene) -> None:
    scene.pypi.accept(scene.with_dists().built().wheel, "tiny-thing", "0.2.0")
    scene.project.replace("pyproject.toml", "timeout = 30", "timeout = 0.2")
    with scene.unchanged():
        ran = run(scene, "yank", "--version", "0.2.0", "--reason", "Burns toast")
    assert ran.code == 5
    assert_says(ran.err, "error: ", "-> ")


def test_a_task_that_does_not_exist_is_its_own_error(scene: Scene) -> None:
    ran = run(scene, "relaese")
    assert ran.code == 1
    assert "No idea what 'relaese' is!" in ran.text


@pytest.mark.parametrize("words", [["--help", "release"], ["release", "--help"]], ids=" ".join)
def test_help_is_printed_wherever_one_asks_for_it(scene: Scene, words: list[str]) -> None:
    ran = run(scene, *words)
    assert ran.code == 0
    assert ran.out.startswith("Usage: ")
    assert "--version" in ran.out
