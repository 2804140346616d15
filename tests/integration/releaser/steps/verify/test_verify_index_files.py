"""What PyPI serves, byte for byte."""

from __future__ import annotations

import re

import pytest
from attested import hold_attestations
from harness.scene import NOWHERE, REPOSITORY, Scene, assert_says

from releaser.core.runner import Runner
from releaser.core.step import Done, Outcome, Warned, part_of
from releaser.errors import PublishedError
from releaser.plan import release_plan
from releaser.steps.verify.verify_index_files import VerifyIndexFiles


def verified(scene: Scene) -> Outcome:
    """Run the step in its phase of the plan, as a release does."""
    release = scene.release()
    (result,) = Runner(part_of(release_plan(release.config), "verify_index_files"), release).run(lambda _: None)
    return result.outcome


@pytest.fixture(autouse=True)
def _published(scene: Scene) -> None:
    """0.2.0 on PyPI."""
    for path in scene.with_dists().built().uploads:
        scene.pypi.accept(path, "tiny-thing", "0.2.0")


def test_the_built_files_are_done(scene: Scene) -> None:
    assert isinstance(verified(scene), Done)


def test_a_release_that_somebody_has_yanked_meanwhile_is_a_warning(scene: Scene) -> None:
    scene.pypi.manage("tiny-thing", "0.2.0", action="yank", reason="does not start")
    outcome = verified(scene)
    assert isinstance(outcome, Warned)
    assert_says(outcome.reason, "0.2.0 is served as it was built, and yanked: does not start")
    assert_says(outcome.remedy, "`invoke yank --version 0.2.0 --undo`")


def test_what_happened_to_the_files_since_is_said(scene: Scene) -> None:
    said = verified(scene)
    assert isinstance(said, Done)
    assert re.search(r"\(given 20\S+ UTC for [0-9a-f]{12}\)$", said.evidence)
    scene.pypi.manage("tiny-thing", "0.2.0", action="yank", reason="does not start")
    assert isinstance(scene.check(VerifyIndexFiles()), Warned)
    status = scene.run("status", "--version", "0.2.0")
    assert_says(status.out, "verify_index_files", "yanked: does not start")
    scene.pypi.manage("tiny-thing", "0.2.0", action="delete")
    scene.refused(VerifyIndexFiles(), "tiny_thing-0.2.0.tar.gz", "does not any more", remedy="release 0.2.1")


def test_an_index_out_of_reach_does_not_make_the_release_look_failed(scene: Scene) -> None:
    pyproject = scene.project.path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace(scene.pypi.url, NOWHERE))
    with pytest.raises(PublishedError) as caught:
        verified(scene)
    assert caught.value.exit_code == 6
    assert_says(
        caught.value.message, "The release is published, but", "verify_index_files: pypi", "refused the connection"
    )
    assert_says(caught.value.remedy, "To end without it, add `--skip verify_index_files`")


def attest(scene: Scene, **changes: str) -> None:
    """Have the index serve attestations, and the project expect them."""
    pypi = '[tool.releaser.pypi]\nvia = "ci"\nattestations = true\nworkflow = "up.yml"\nenvironment = "release"\n'
    scene.project.replace("pyproject.toml", "[tool.releaser.pypi]\n", pypi)
    hold_attestations(scene.pypi.folder, REPOSITORY, **changes)
    scene.pypi.late(0)


def test_attestations_are_read_back_and_what_is_unproven_of_them_is_said(scene: Scene) -> None:
    attest(scene)
    outcome = verified(scene)
    assert isinstance(outcome, Done)
    assert_says(outcome.evidence, "2 attestations for these bytes, 0 signatures verified, 2 unproven")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sha256": "0" * 64}, "is for other bytes"),
        ({"repository": "you/demo"}, f"expected {REPOSITORY}"),
        ({"workflow": "strange.yml"}, "its workflow file is strange.yml, not up.yml"),
    ],
    ids=["other bytes", "another repository", "another job's certificate"],
)
def test_attestations_of_something_else_fail_the_check(scene: Scene, changes: dict[str, str], says: str) -> None:
    attest(scene, **changes)
    with pytest.raises(PublishedError) as caught:
        verified(scene)
    assert_says(caught.value.message, "Attestations of tiny_thing-0.2.0", says)


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"environment": "other"}, "its environment is other, not release"), ({"workflow": ""}, "none, and attestations")],
    ids=["another environment", "none"],
)
def test_attestations_that_are_missing_or_of_another_environment_are_a_warning(
    scene: Scene, changes: dict[str, str], says: str
) -> None:
    attest(scene, **changes)
    outcome = verified(scene)
    assert isinstance(outcome, Warned)
    assert_says(outcome.reason, says)
