"""An index serves the built files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from harness.scene import NOWHERE, Scene, assert_says
from harness.wheels import other_wheel

from releaser.core.step import Done, Skipped, Todo, Warned
from releaser.errors import ServiceError, StepError, ToleratedError
from releaser.release import Release
from releaser.steps.publish.try_testpypi import TryTestPyPI
from releaser.steps.publish.upload_dists import UploadDists
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag

WHEEL, SDIST = "tiny_thing-0.2.0-py3-none-any.whl", "tiny_thing-0.2.0.tar.gz"
PYPI, TESTPYPI = UploadDists("pypi"), UploadDists("testpypi")
BOTH = pytest.mark.parametrize("step", [PYPI, TESTPYPI], ids=lambda step: step.name)


@BOTH
def test_both_files_are_uploaded_once(scene: Scene, step: UploadDists) -> None:
    release, index = scene.with_dists(), scene.stand_ins[step.index]
    assert isinstance(scene.check(step), Todo)
    step.run(release)
    assert isinstance(step.verify(release), Done)
    assert sorted(index.uploads()) == [WHEEL, SDIST]
    assert isinstance(scene.check(step), Done)


def test_of_two_files_the_one_that_is_missing_is_uploaded(scene: Scene) -> None:
    release = scene.with_dists()
    scene.pypi.accept(release.built().sdist, "tiny-thing", "0.2.0")
    assert scene.check(PYPI) == Todo(f"upload {WHEEL}")
    PYPI.run(release)
    assert scene.pypi.uploads() == [SDIST, WHEEL]
    assert isinstance(PYPI.verify(release), Done)


def test_what_others_have_uploaded_under_this_version_is_refused_before_the_build(scene: Scene) -> None:
    scene.pypi.accept(other_wheel(scene.others), "tiny-thing", "0.2.0")
    scene.refused(PYPI, "pypi", WHEEL, remedy="0.2.1")


@pytest.mark.parametrize("built", [False, True], ids=["before the build", "after it"])
def test_what_testpypi_keeps_of_another_attempt_is_a_warning_and_is_not_tried(scene: Scene, built: bool) -> None:
    scene.testpypi.accept(other_wheel(scene.others), "tiny-thing", "0.2.0")
    if built:
        scene.with_dists()
    outcome = scene.check(TESTPYPI)
    assert isinstance(outcome, Warned)
    assert_says(outcome.reason, "testpypi", WHEEL, "a file name can be used once")
    assert_says(outcome.remedy, "Release 0.2.1 instead")
    if built:
        assert scene.check(TryTestPyPI()) == Skipped("testpypi serves other bytes under this version")


@pytest.mark.parametrize(
    ("step", "remedy"),
    [(PYPI, "Run `invoke rollback --version 0.2.0`"), (TESTPYPI, "Add `--skip testpypi`")],
    ids=lambda one: getattr(one, "name", ""),
)
def test_a_name_that_was_deleted_and_cannot_be_used_again_has_a_way_out(
    scene: Scene, step: UploadDists, remedy: str
) -> None:
    index = scene.stand_ins[step.index]
    index.accept(other_wheel(scene.others), "tiny-thing", "0.2.0")
    index.manage("tiny-thing", "0.2.0", action="delete")
    release = scene.with_dists()
    assert isinstance(scene.check(step), Todo)
    with pytest.raises(StepError, match="This filename has already been used") as caught:
        step.run(release)
    assert_says(caught.value.remedy, remedy, "0.2.1")


def test_testpypi_must_answer_until_the_tag_is_public(scene: Scene) -> None:
    release = scene.with_dists()
    pyproject = scene.project.path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace(scene.testpypi.url, NOWHERE))
    scene.failed(ServiceError, TESTPYPI, "testpypi", "refused the connection", remedy="Check the network")

    CreateTag().run(release)
    PushTag().run(release)
    scene.failed(ToleratedError, TESTPYPI, "it is for trying what is not public yet", remedy="Check the network")


def test_other_bytes_than_were_built_are_refused_with_both_hashes(scene: Scene) -> None:
    ours = scene.with_dists().built().sha256[WHEEL]
    scene.pypi.accept(other_wheel(scene.others), "tiny-thing", "0.2.0")
    scene.refused(PYPI, "pypi", "0.2.0", WHEEL, ours[:12], remedy="0.2.1")


@BOTH
def test_an_index_that_does_not_answer_is_named_with_its_address(scene: Scene, closed: str, step: UploadDists) -> None:
    scene.project.replace("pyproject.toml", f'{scene.stand_ins[step.index].url}/simple/"', f'{closed}/simple/"')
    scene.failed(ServiceError, step, step.index, closed, remedy="network")


class TestWorkflow:
    """A workflow uploads, and the release waits for it."""

    @pytest.fixture
    def run_of(self, scene: Scene) -> Callable[..., Release]:
        """The built 0.2.0 with its tag, whose workflow has a run of this status."""

        def begin(status: str, conclusion: str | None = None) -> Release:
            scene.project.configure("[tool.releaser.pypi]\n", '[tool.releaser.pypi]\nvia = "ci"\nworkflow = "up.yml"\n')
            scene.forge.hold({"workflow_runs": [{"workflow": "up.yml", "status": status, "conclusion": conclusion}]})
            release = scene.with_dists()
            for step in (CreateTag(), PushTag()):
                step.run(release)
            return release

        return begin

    def test_what_it_uploads_is_waited_for_and_nothing_is_uploaded_from_here(
        self, scene: Scene, run_of: Callable[..., Release]
    ) -> None:
        release = run_of("in_progress")
        assert scene.check(PYPI) == Todo("up.yml uploads sdist and wheel")
        for path in release.built().uploads:
            uploaded = partial(scene.pypi.accept, path, "tiny-thing", "0.2.0")
            scene.pypi.after("GET /simple/tiny-thing/", uploaded)
        PYPI.run(release)
        assert isinstance(PYPI.verify(release), Done)
        assert scene.pypi.count("POST /legacy/") == 2

    @pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out"])
    def test_one_that_ended_badly_is_named_at_once(self, run_of: Callable[..., Release], conclusion: str) -> None:
        release = run_of("completed", conclusion)
        with pytest.raises(StepError, match=f"up.yml ended with {conclusion}: http") as caught:
            PYPI.run(release)
        assert_says(caught.value.remedy, "restart the workflow there")


@BOTH
def test_of_two_releases_at_once_the_one_that_loses_names_the_other(scene: Scene, step: UploadDists) -> None:
    release, index = scene.with_dists(), scene.stand_ins[step.index]
    wheel = other_wheel(scene.others)
    # The other uploads right after this release has looked for the last time.
    index.after("GET /simple/tiny-thing/", lambda: index.accept(wheel, "tiny-thing", "0.2.0"))
    with pytest.raises(StepError, match=rf"Another release of 0.2.0 was faster: {step.index} got {WHEEL}") as caught:
        step.run(release)
    assert_says(caught.value.message, " from it at 20", "built here: ")
    assert_says(caught.value.remedy, "Find out who releases 0.2.0 too")
