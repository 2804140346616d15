"""What the plan promises by its order alone; nothing in it is run here."""

from __future__ import annotations

import re
from typing import Any

import pytest

from releaser.config.load import parse_config
from releaser.core.step import Plan, Step
from releaser.plan import release_plan
from releaser.release import Release

PUBLIC = {
    "upload_testpypi",
    "push_tag",
    "draft_release",
    "upload_assets",
    "publish_release",
    "upload_pypi",
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


def ways(plan: Plan[Release]) -> list[tuple[str, Step[Release]]]:
    return [(phase.name, step) for phase in plan for step in phase.steps]


def names(plan: Plan[Release]) -> list[str]:
    return [step.name for _, step in ways(plan)]


@pytest.fixture(params=["upload", "ci"])
def either(request: pytest.FixtureRequest) -> Plan[Release]:
    return plan(pypi={"via": request.param})


def test_every_step_has_a_name_of_its_own_and_a_title(either: Plan[Release]) -> None:
    found = names(either)

    assert len(set(found)) == len(found)
    for _, step in ways(either):
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", step.name), step.name
        assert step.title.strip() == step.title
        assert step.title
        assert not step.title.endswith(".")


def test_every_phase_has_a_name_of_its_own_and_says_what_holds_after_it(either: Plan[Release]) -> None:
    found = [phase.name for phase in either]

    assert found == ["preflight", "stage", "build", "qualify", "testpypi", "push", "publish", "verify", "after"]
    assert not set(found) & set(names(either))
    assert all(phase.title for phase in either)


def test_nothing_is_public_before_the_one_question(either: Plan[Release]) -> None:
    asking = [number for number, phase in enumerate(either) if phase.ask]

    assert len(asking) == 1
    before, after = names(either[: asking[0]]), names(either[asking[0] :])
    assert not PUBLIC & set(before)
    assert set(after) >= PUBLIC


def test_everything_that_can_fail_here_is_tried_before_the_question(either: Plan[Release]) -> None:
    (asking,) = [number for number, phase in enumerate(either) if phase.ask]

    tried = {"build_dists", "inspect_dists", "write_sbom", "try_wheel"}
    sessions = {"pass_lint", "pass_unit", "pass_long_name", "pass_e2e"}
    assert set(names(either[:asking])) >= tried | sessions


def test_what_stands_against_a_release_is_asked_first_and_establishes_nothing(either: Plan[Release]) -> None:
    checks = either[0].steps

    assert {step.name for step in checks} >= {
        "be_on_branch",
        "be_clean",
        "be_level",
        "agree_on_version",
        "raise_version",
        "have_changes",
        "find_tools",
        "find_identity",
        "log_in_testpypi",
        "log_in_pypi",
        "log_in_forge",
    }
    assert all(type(step).run is Step.run for step in checks)


@pytest.mark.parametrize(
    "order",
    [
        ["open_worktree", "bump_versions", "rotate_changelog", "commit_release", "build_dists"],
        ["build_dists", "inspect_dists", "write_sbom", "try_wheel", "upload_testpypi"],
        ["upload_testpypi", "try_testpypi", "create_tag", "push_tag"],
        ["push_tag", "draft_release", "upload_assets", "publish_release"],
        ["push_tag", "upload_pypi", "verify_index_files"],
        ["upload_pypi", "install_from_pypi"],
        ["publish_release", "verify_release", "close_milestone"],
        ["remove_worktree", "fast_forward"],
    ],
)
def test_what_needs_another_fact_comes_after_it(either: Plan[Release], order: list[str]) -> None:
    found = [name for name in names(either) if name in order]

    assert found == order


def test_only_what_needs_one_another_waits(either: Plan[Release]) -> None:
    """Steps of one branch run in order; the ones that must, in phases that have several branches."""
    branches = {phase.name: [[step.name for step in branch] for branch in phase.branches] for phase in either}

    assert all(len(branch) == 1 for branch in branches["preflight"] + branches["qualify"] + branches["verify"])
    assert branches["stage"] == [["open_worktree", "bump_versions", "rotate_changelog", "commit_release"]]
    assert ["remove_worktree", "fast_forward"] in branches["after"]


def test_an_upload_from_here_goes_beside_the_forge_and_a_workflows_waits_for_the_published_release() -> None:
    def publish(via: str) -> list[list[str]]:
        (phase,) = [phase for phase in plan(pypi={"via": via}) if phase.name == "publish"]
        return [[step.name for step in branch] for branch in phase.branches]

    forge = ["draft_release", "upload_assets", "publish_release"]
    assert publish("upload") == [forge, ["upload_pypi"]]
    assert publish("ci") == [[*forge, "upload_pypi"]]


def test_the_files_are_built_in_one_place_alone(either: Plan[Release]) -> None:
    assert [name for name in names(either) if name.startswith("build_")] == ["build_dists"]


def test_only_that_can_be_left_out_which_no_later_step_needs(either: Plan[Release]) -> None:
    skippable = {step.name for _, step in ways(either) if step.skippable}

    assert skippable == {
        "log_in_testpypi",
        "log_in_pypi",
        "have_no_blockers",
        "pass_lint",
        "pass_unit",
        "pass_long_name",
        "pass_e2e",
        "upload_testpypi",
        "try_testpypi",
        "write_announcement",
        "close_milestone",
        "fast_forward",
    }


def test_without_sessions_the_wheel_is_tried_all_the_same() -> None:
    (qualify,) = [phase for phase in plan(qualify={}) if phase.name == "qualify"]

    assert [step.name for step in qualify.steps] == ["try_wheel"]


IMAGES = {
    "repository": "registry.example/demo",
    "targets": [{"name": "one", "platforms": ["linux/amd64"]}],
}
IMAGE_STEPS = ["log_in_for_images", "build_images", "start_images", "push_images", "verify_images"]


def test_a_project_without_images_has_no_step_for_them(either: Plan[Release]) -> None:
    assert not set(IMAGE_STEPS) & set(names(either))


@pytest.mark.parametrize("via", ["upload", "ci"])
def test_images_are_built_and_started_before_the_question_pushed_at_publication_and_verified_at_the_end(
    via: str,
) -> None:
    found = plan(images=IMAGES, pypi={"via": via})

    where = [(phase, step.name) for phase, step in ways(found) if step.name.endswith("_images")]
    assert where == list(zip(["preflight", "qualify", "qualify", "publish", "verify"], IMAGE_STEPS, strict=True))
    (asking,) = [phase.ask for phase in found if phase.ask]
    assert "images" in asking


def test_images_may_be_left_out_together() -> None:
    steps = [step for _, step in ways(plan(images=IMAGES)) if step.name.endswith("_images")]

    assert all(step.skippable for step in steps)
