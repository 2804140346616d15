"""An index serves the built files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from harness.heard import Heard
from harness.scene import NOWHERE, Scene, assert_says
from harness.stand_ins import READ_ONLY
from harness.wheels import other_wheel

from releaser.core.activity import Activity, bound
from releaser.core.step import Done, Skipped, Todo, Warned
from releaser.errors import ServiceError, StepError, ToleratedError
from releaser.release import Release
from releaser.steps.publish.try_testpypi import TryTestPyPI
from releaser.steps.publish.upload_dists import UploadDists
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag

WHEEL, SDIST = "tiny_thing-0.2.0-py3-none-any.whl", "tiny_thing-0.2.0.tar.gz"
PYPI, TESTPYPI = UploadDists("pypi"), UploadDists("testpypi")
WORKFLOW = """\
name: up
run-name: "Publish ${{ inputs.version }}"
on:
  release:
    types: [published]
  workflow_dispatch:
    inputs:
      version:
        required: true
"""
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
    def tagged(self, scene: Scene) -> Release:
        """The built 0.2.0 with its tag, and a workflow that has no run yet."""
        scene.project.configure("[tool.releaser.pypi]\n", '[tool.releaser.pypi]\nvia = "ci"\nworkflow = "up.yml"\n')
        scene.project.write(".github/workflows/up.yml", WORKFLOW)
        scene.project.commit("A workflow that uploads")
        release = scene.with_dists()
        for step in (CreateTag(), PushTag()):
            step.run(release)
        return release

    @pytest.fixture
    def heard(self) -> Iterator[Heard]:
        """What the step tells, on a clock whose waits take no time."""
        heard = Heard()
        activity = Activity(heard.tell, heard.stop, clock=heard.clock, note=heard.notes.append)
        with bound(activity):
            yield heard

    def hold(self, scene: Scene, release: Release, status: str, conclusion: str | None = None, **facts: Any) -> None:
        """Have the forge hold a run of the tag."""
        run = {"id": 5, "workflow": "up.yml", "event": "release", "head_branch": "v0.2.0", "head_sha": release.commit()}
        scene.forge.hold({"workflow_runs": [{**run, "status": status, "conclusion": conclusion, **facts}]})

    def upload(self, scene: Scene, release: Release) -> None:
        """Put both files on the index."""
        for path in release.built().uploads:
            scene.pypi.accept(path, "tiny-thing", "0.2.0")

    def test_what_it_uploads_is_waited_for_and_nothing_is_uploaded_from_here(
        self, scene: Scene, tagged: Release
    ) -> None:
        self.hold(scene, tagged, "in_progress")
        assert scene.check(PYPI) == Todo("up.yml uploads sdist and wheel")
        for path in tagged.built().uploads:
            uploaded = partial(scene.pypi.accept, path, "tiny-thing", "0.2.0")
            scene.pypi.after("GET /simple/tiny-thing/", uploaded)
        PYPI.run(tagged)
        assert isinstance(PYPI.verify(tagged), Done)
        assert scene.pypi.count("POST /legacy/") == 2

    def test_a_run_that_never_started_is_said_at_once_and_started(
        self, scene: Scene, tagged: Release, heard: Heard
    ) -> None:
        heard.after(1, lambda: self.upload(scene, tagged), when=lambda: scene.forge.count("/dispatches") > 0)
        PYPI.run(tagged)
        assert heard.notes[0] == "no run of up.yml was started for v0.2.0"
        assert "up.yml was dispatched at v0.2.0, because nothing else started it" in heard.notes
        assert any("up.yml is queued, no job runs yet: http" in note for note in heard.notes)
        (run,) = tagged.forge.workflows.runs("up.yml")
        assert (run.branch, run.event, run.title) == ("v0.2.0", "workflow_dispatch", "Publish 0.2.0")
        assert scene.forge.count("/dispatches") == 1

    def test_a_workflows_own_token_starts_nothing_which_is_said_and_made_up_for_in_seconds(
        self, scene: Scene, tagged: Release, heard: Heard
    ) -> None:
        scene.forge.grants["ghs_aWorkflowsOwnToken1234567890abcdef12"] = "write"
        scene.set(GITHUB_TOKEN="ghs_aWorkflowsOwnToken1234567890abcdef12")
        heard.after(1, lambda: self.upload(scene, tagged), when=lambda: scene.forge.count("/dispatches") > 0)
        PYPI.run(scene.release())
        assert_says(heard.notes[0], "the token in GITHUB_TOKEN is an app's (ghs_...)", "starts no workflow")
        assert heard.clock.time < 30

    @pytest.mark.usefixtures("tagged")
    def test_a_token_that_cannot_start_it_ends_with_how_to_do_it_by_hand(self, scene: Scene, heard: Heard) -> None:
        scene.set(GITHUB_TOKEN=READ_ONLY)
        with pytest.raises(StepError, match=r"No run of up.yml was started for v0.2.0, and it cannot be") as caught:
            PYPI.run(scene.release())
        assert_says(caught.value.remedy, '"actions: write"', "start up.yml by hand", "with the version 0.2.0")
        assert heard.clock.time < 90

    def test_a_reviewer_that_it_waits_for_is_named_with_the_page(
        self, scene: Scene, tagged: Release, heard: Heard
    ) -> None:
        pending = [{"environment": "release", "reviewers": ["alice", "bob"]}]
        job = {"id": 8, "name": "publish", "status": "waiting", "conclusion": None}
        self.hold(scene, tagged, "waiting", pending=pending, jobs=[job])
        page = f"{scene.forge.url}/someone/tiny-thing/actions/runs/5"
        heard.after(1, lambda: self.upload(scene, tagged), when=lambda: heard.clock.time > 60)
        PYPI.run(tagged)
        (said,) = heard.notes
        assert said.startswith("up.yml waits for a reviewer of the environment release (alice, bob) since ")
        assert said.endswith(f"approve at {page}")

    def test_each_step_of_a_job_that_runs_is_told(self, scene: Scene, tagged: Release, heard: Heard) -> None:
        steps = [
            {"number": 1, "name": "Set up job", "status": "completed", "conclusion": "success"},
            {"number": 2, "name": "Run invoke", "status": "in_progress", "conclusion": None},
        ]
        jobs = [
            {"id": 8, "name": "rebuild", "status": "completed", "conclusion": "success"},
            {"id": 9, "name": "publish", "status": "in_progress", "conclusion": None, "steps": steps},
        ]
        self.hold(scene, tagged, "in_progress", jobs=jobs)
        heard.after(1, lambda: self.upload(scene, tagged))
        PYPI.run(tagged)
        assert any("publish: step 2 of 2, Run invoke" in text for text in heard.told)
        assert (1, 2) in heard.counted

    @pytest.mark.parametrize(
        ("conclusion", "says"), [("failure", "failed"), ("cancelled", "was cancelled"), ("timed_out", "took too long")]
    )
    def test_one_that_ended_badly_is_named_at_once(
        self, scene: Scene, tagged: Release, conclusion: str, says: str
    ) -> None:
        self.hold(scene, tagged, "completed", conclusion)
        with pytest.raises(StepError, match=f"up.yml {says}: http") as caught:
            PYPI.run(tagged)
        assert_says(caught.value.remedy, "--choose upload_pypi=rerun")

    def failing(self, scene: Scene, tagged: Release) -> None:
        """Have the forge hold a run whose job failed."""
        steps = [
            {"number": 1, "name": "Set up job", "status": "completed", "conclusion": "success"},
            {"number": 2, "name": "Run invoke publish.pypi", "status": "completed", "conclusion": "failure"},
        ]
        job = {"id": 9, "name": "publish", "status": "completed", "conclusion": "failure", "steps": steps}
        self.hold(scene, tagged, "completed", "failure", jobs=[job])
        (scene.forge.folder / "logs").mkdir()
        log = "error: pypi refused this job an upload token\n##[error]Process completed with exit code 1.\nPost job\n"
        (scene.forge.folder / "logs" / "9.txt").write_text(log)

    def test_one_that_failed_tells_its_job_its_step_and_its_last_lines(self, scene: Scene, tagged: Release) -> None:
        self.failing(scene, tagged)
        with pytest.raises(StepError) as caught:
            PYPI.run(tagged)
        assert_says(
            caught.value.message,
            "up.yml failed in the job publish at its step 'Run invoke publish.pypi' (http",
            "/actions/runs/5/job/9)",
            "| error: pypi refused this job an upload token",
            "| Process completed with exit code 1.",
        )
        assert "Post job" not in caught.value.message

    def test_its_failed_jobs_run_again_by_choice(self, scene: Scene, tagged: Release, heard: Heard) -> None:
        self.failing(scene, tagged)
        heard.after(1, lambda: self.upload(scene, tagged), when=lambda: scene.forge.count("/rerun-failed-jobs") > 0)
        PYPI.run(replace(tagged, choices={"upload_pypi": "rerun"}))
        assert tagged.forge.workflows.run(5).attempt == 2


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
