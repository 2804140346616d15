"""What the plan promises by its order alone, and what its steps answer where they do not apply."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from releaser.adapters.git import Git
from releaser.commands import ci
from releaser.config.load import parse_config
from releaser.core.runner import Runner
from releaser.core.step import Phase, Plan, Skipped, Step, Todo
from releaser.plan import plan_by_workflow, release_plan
from releaser.release import Release
from releaser.secret import Credentials
from releaser.store import ReleaseStore
from releaser.versions.version import Version

PUBLIC = {
    "upload_testpypi",
    "push_tag",
    "draft_release",
    "upload_assets",
    "publish_release",
    "upload_pypi",
    "push_images",
    "close_milestone",
}
"""Steps that change something that others can see."""


def plan(**table: Any) -> Plan[Release]:
    given = {
        "version-files": [{"path": "pyproject.toml", "key": "project.version"}],
        "qualify": {"sessions": ["lint", "unit", "long-name"], "where-possible": ["e2e"]},
        **table,
    }
    return release_plan(parse_config(given, {"name": "demo"}))


PLAN = plan()


def steps(plan: Plan[Release] = PLAN) -> list[Step[Release]]:
    return [step for phase in plan for step in phase.steps]


def names(plan: Plan[Release] = PLAN) -> list[str]:
    return [step.name for step in steps(plan)]


def place(name: str) -> tuple[int, int, int]:
    """The number of a step's phase, of its branch there, and its own in that branch."""
    (found,) = [
        (p, b, s)
        for p, phase in enumerate(PLAN)
        for b, branch in enumerate(phase.branches)
        for s, step in enumerate(branch)
        if step.name == name
    ]
    return found


def asking(plan: Plan[Release] = PLAN) -> tuple[int, Phase[Release]]:
    (found,) = [(number, phase) for number, phase in enumerate(plan) if phase.ask]
    return found


def test_every_step_has_a_name_of_its_own_and_a_title() -> None:
    assert len(set(names())) == len(names())
    for step in steps():
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", step.name), step.name
        assert step.title
        assert step.title.strip(" .") == step.title


def test_every_phase_has_a_name_of_its_own_which_no_step_has() -> None:
    found = [phase.name for phase in PLAN]

    assert len(set(found)) == len(found)
    assert not set(found) & set(names())
    assert all(phase.title for phase in PLAN)


def test_nothing_is_public_before_the_one_question() -> None:
    number, _ = asking()

    assert not PUBLIC & set(names(PLAN[:number]))
    assert set(names(PLAN[number:])) >= PUBLIC


def test_everything_that_can_fail_here_is_tried_before_the_question() -> None:
    number, _ = asking()
    built = {"build_dists", "inspect_dists", "write_sbom", "try_wheel", "try_with_uv", "build_images", "start_images"}
    sessions = {"pass_lint", "pass_unit", "pass_long_name", "pass_e2e"}

    assert set(names(PLAN[:number])) >= built | sessions


def test_a_session_that_runs_alone_has_nothing_beside_it_and_comes_last_of_all_local_checks() -> None:
    qualify = {"sessions": ["lint", "speed"], "where-possible": ["e2e", "soak"], "alone": ["soak", "speed"]}
    made = plan(qualify=qualify)
    number, phase = next((number, phase) for number, phase in enumerate(made) if phase.name == "alone")

    assert [[step.name for step in branch] for branch in phase.branches] == [["pass_speed", "pass_soak"]]
    assert {"pass_lint", "pass_e2e", "start_images"} <= set(names(made[:number]))
    assert made[number + 1].ask


def test_the_first_phase_only_looks() -> None:
    assert all(type(step).run is Step.run for step in PLAN[0].steps)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("open_worktree", "bump_versions"),
        ("bump_versions", "commit_release"),
        ("rotate_changelog", "commit_release"),
        ("commit_release", "build_dists"),
        ("build_dists", "inspect_dists"),
        ("build_dists", "write_sbom"),
        ("write_sbom", "build_images"),
        ("build_images", "start_images"),
        ("start_images", "push_images"),
        ("inspect_dists", "upload_testpypi"),
        ("ask_again", "upload_testpypi"),
        ("upload_testpypi", "try_testpypi"),
        ("try_testpypi", "push_tag"),
        ("create_tag", "push_tag"),
        ("push_tag", "draft_release"),
        ("draft_release", "upload_assets"),
        ("upload_assets", "publish_release"),
        # The published release starts the workflow that uploads, where one does.
        ("publish_release", "upload_pypi"),
        ("push_tag", "push_images"),
        ("upload_pypi", "verify_index_files"),
        ("upload_pypi", "install_from_pypi"),
        ("publish_release", "verify_release"),
        ("push_images", "verify_images"),
        ("verify_release", "close_milestone"),
        ("remove_worktree", "fast_forward"),
    ],
)
def test_what_needs_another_fact_comes_after_it(earlier: str, later: str) -> None:
    before, after = place(earlier), place(later)

    assert before[0] < after[0] or (before[:2] == after[:2] and before[2] < after[2])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("find_tools", "log_in_pypi"),
        ("pass_unit", "try_wheel"),
        ("pass_unit", "build_images"),
        ("upload_pypi", "push_images"),
        ("install_from_pypi", "verify_images"),
    ],
)
def test_what_does_not_need_one_another_runs_side_by_side(one: str, other: str) -> None:
    assert place(one)[0] == place(other)[0]
    assert place(one)[1] != place(other)[1]


@pytest.mark.parametrize(
    "name", ["be_clean", "build_dists", "inspect_dists", "push_tag", "publish_release", "upload_pypi"]
)
def test_what_later_steps_or_users_need_cannot_be_skipped(name: str) -> None:
    (step,) = [step for step in steps() if step.name == name]

    assert not step.skippable


def test_no_step_after_publication_is_a_dead_end() -> None:
    verify, after, record = (phase for phase in PLAN if phase.name in ("verify", "after", "record"))

    assert verify.achieved
    assert PLAN[-3:] == (verify, after, record)
    assert all(step.skippable for step in (*verify.steps, *(*after.steps, *record.steps)))
    assert not any(step.essential for step in after.steps)


@pytest.mark.parametrize("ending", ["testpypi", "images", "unit", "e2e"])
def test_an_index_to_try_the_images_and_each_session_can_be_skipped(ending: str) -> None:
    found = [step for step in steps() if step.name.endswith(f"_{ending}")]

    assert found
    assert all(step.skippable for step in found)


def test_every_project_has_the_same_steps_but_for_its_sessions() -> None:
    images = {"repository": "registry.example/demo", "targets": [{"name": "one", "platforms": ["linux/amd64"]}]}
    other = plan(qualify={}, images=images, pypi={"via": "ci"})

    assert names(other) == [name for name in names() if not name.startswith("pass_")]


def test_a_project_without_images_says_so_at_every_step_about_them_and_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no docker, no git: nothing that is asked could answer
    config = parse_config({"version-files": [{"path": "pyproject.toml", "key": "project.version"}]}, {"name": "demo"})
    release = Release(config, Version(1, 0, 0), Git(tmp_path), ReleaseStore(tmp_path / "state"), Credentials({}))
    about_images = [step for step in steps() if step.name.endswith("_images")]

    assert len(about_images) == 5
    assert {step.check(release) for step in about_images} == {Skipped("the project has no images")}


class Wanted(Step[object]):
    """A fact that is still to be made true."""

    def __init__(self, name: str) -> None:
        self.name = self.title = name

    def check(self, _world: object) -> Todo:
        return Todo("do it")


def test_the_question_names_what_is_still_to_do_and_nothing_else() -> None:
    _, phase = asking()
    asked: list[str] = []
    left = (Phase("later", "", ((Wanted("push_tag"), Wanted("upload_pypi")),), phase.ask),)

    def refuse(question: str) -> None:
        asked.append(question)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        Runner(left, object(), skip={"upload_pypi": "not today"}).run(refuse)

    assert re.search(r"^  later +push_tag$", asked[0], re.MULTILINE)
    assert "upload_pypi" not in asked[0]


def test_a_check_that_a_job_makes_as_well_cannot_be_skipped_where_the_job_is_started() -> None:
    in_jobs = {*ci._CHECKS, ci._ASKED_BEFORE_THE_PUSH}
    steps = [step for phase in plan_by_workflow() for step in phase.steps if step.name in in_jobs]
    assert {step.name for step in steps} >= {"have_passed_tests", "meet_index_rules", "render_readme"}
    assert [step.name for step in steps if step.skippable] == []
