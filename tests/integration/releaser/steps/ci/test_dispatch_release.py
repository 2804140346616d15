"""What brings a release on that a workflow carries out, after a run of it that failed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from harness.scene import Scene, assert_says

from releaser.core.step import Conflict, Done, Outcome, Todo
from releaser.steps.ci.dispatch_release import DispatchRelease
from releaser.steps.ci.have_workflows import HaveWorkflows

RELEASE = """\
run-name: Release ${{ inputs.version }} ${{ inputs.choose }}
on:
  workflow_dispatch:
    inputs:
      version:
        type: string
      choose:
        type: string
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/upload-artifact@v7
"""
BUILT = {"id": 71, "name": "Build", "status": "completed", "conclusion": "success", "steps": []}
WITHOUT = {"upload_testpypi": "without"}
AGAIN, ANOTHER = "run the failed jobs of http", "dispatch release.yml at main"


@pytest.fixture
def by_ci(scene: Scene) -> Scene:
    """The project with `run = "ci"` and its workflow."""
    scene.project.write(".github/workflows/release.yml", RELEASE)
    scene.project.configure("[tool.releaser]\n", '[tool.releaser]\nrun = "ci"\n')
    return scene


def failed(scene: Scene, *, days: int = 1, kept: bool = True, **changes: Any) -> None:
    """Have a run that failed after its first job."""
    created = datetime.now(timezone.utc) - timedelta(days=days)
    facts = {"workflow": "release.yml", "display_title": "Release 0.2.0", "event": "workflow_dispatch"}
    ended = {"status": "completed", "conclusion": "failure", "head_branch": "main", "jobs": [BUILT]}
    scene.forge.hold(
        {
            "workflow_runs": [
                {
                    **facts,
                    **ended,
                    "id": 5,
                    "head_sha": scene.project.head(),
                    "created_at": f"{created:%FT%TZ}",
                    **changes,
                }
            ]
        }
    )
    if kept:
        (scene.forge.folder / "artifacts" / "5" / "dist").mkdir(parents=True)


def move(scene: Scene, **choices: str) -> Outcome:
    return DispatchRelease().check(replace(scene.release(), choices=choices))


def says(outcome: Outcome, *facts: str) -> None:
    assert isinstance(outcome, Todo)
    assert_says(outcome.what, *facts)


def test_its_failed_jobs_run_again_as_long_as_what_it_built_is_kept(by_ci: Scene) -> None:
    failed(by_ci)
    says(move(by_ci), AGAIN)
    failed(by_ci, kept=False, expired=["dist"])
    says(move(by_ci), ANOTHER, "and its artifact dist has expired; a new run builds and tests everything again")
    failed(by_ci, kept=False)
    says(move(by_ci), ANOTHER, "and what its first job built is not kept any more")
    failed(by_ci, days=31)
    says(move(by_ci), ANOTHER, "and GitHub runs its jobs again for 30 days only")


def test_a_choice_for_a_job_needs_a_new_run_whose_title_has_it(by_ci: Scene) -> None:
    failed(by_ci)
    says(move(by_ci, **WITHOUT), f"{ANOTHER} ({by_ci.project.head()[:12]}), upload_testpypi=without", "takes a choice")
    failed(by_ci, display_title="Release 0.2.0 upload_testpypi=without")
    says(move(by_ci, **WITHOUT), AGAIN)
    failed(by_ci, status="in_progress", conclusion=None)
    running = move(by_ci, **WITHOUT)
    assert isinstance(running, Conflict)
    assert_says(running.what, "runs, and was started without upload_testpypi=without")


def test_once_the_tag_is_out_and_main_has_moved_on_only_the_next_version_is_left(by_ci: Scene) -> None:
    failed(by_ci)
    by_ci.project.git("tag", "--annotate", "v0.2.0", "--message", "0.2.0")
    by_ci.project.git("push", "--quiet", "origin", "v0.2.0")
    by_ci.others_push()
    says(move(by_ci), AGAIN)
    anew = move(by_ci, dispatch_release="new")
    assert isinstance(anew, Conflict)
    assert anew.remedy == "Leave out `--choose dispatch_release=new`."
    failed(by_ci, kept=False, expired=["dist"])
    stuck = move(by_ci)
    assert isinstance(stuck, Conflict)
    assert_says(stuck.what, "its artifact dist has expired; v0.2.0 is at", "and main has moved on")
    assert_says(stuck.remedy, "`invoke rollback --version 0.2.0`", "release 0.2.1")


def test_a_version_that_was_released_and_taken_back_again_can_be_released_by_a_new_run(by_ci: Scene) -> None:
    failed(by_ci, conclusion="success")
    gone = move(by_ci)
    assert isinstance(gone, Conflict)
    assert_says(gone.what, "release.yml succeeded (http", "and v0.2.0 is not at origin any more")
    assert_says(gone.remedy, "`invoke rollback`", "`--choose dispatch_release=new`")
    says(move(by_ci, dispatch_release="new"), f"{ANOTHER} ({by_ci.project.head()[:12]}); release.yml succeeded")
    by_ci.project.git("tag", "--annotate", "v0.2.0", "--message", "0.2.0")
    by_ci.project.git("push", "--quiet", "origin", "v0.2.0")
    assert isinstance(move(by_ci), Done)
    assert isinstance(move(by_ci, dispatch_release="new"), Done)


def test_a_choice_reaches_the_workflow_which_must_take_one(by_ci: Scene) -> None:
    ran = by_ci.run("release", "--version", "0.2.0", "--dry-run", "--choose", "upload_testpypi=without")
    assert_says(ran.out, f"{ANOTHER} ({by_ci.project.head()[:12]}), upload_testpypi=without")
    release = replace(by_ci.release(), choices=WITHOUT)
    DispatchRelease().run(release)
    (run,) = by_ci.forge.store.state["workflow_runs"]
    assert run["inputs"] == {"version": "0.2.0", "choose": "upload_testpypi=without"}
    by_ci.project.replace(".github/workflows/release.yml", "      choose:\n        type: string\n", "")
    by_ci.project.commit("No choices")
    lacking = HaveWorkflows().check(release)
    assert isinstance(lacking, Conflict)
    assert_says(lacking.what, "release.yml has no input named choose, which takes upload_testpypi=without")
