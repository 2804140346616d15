"""A release that a workflow carries out: started once, followed from anywhere, and verified here."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from harness.scene import Ran, Scene, assert_says

from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag

RELEASE = """\
name: release
run-name: "Release ${{ inputs.version }}"
on:
  workflow_dispatch:
    inputs:
      version:
        required: true
        type: string
jobs: {}
"""
PUBLISH = RELEASE.replace("name: release", "name: up").replace('"Release', '"Publish')
BUILD = {"id": 71, "name": "build", "started_at": "2026-11-27T08:00:00Z", "completed_at": "2026-11-27T08:00:09Z"}
BUILT = {**BUILD, "status": "completed", "conclusion": "success", "steps": []}
STEPS = [
    {"number": 1, "name": "Set up job", "status": "completed", "conclusion": "success"},
    {"number": 2, "name": "Run invoke ci.build", "status": "completed", "conclusion": "failure"},
]
BROKEN = {**BUILD, "status": "completed", "conclusion": "failure", "steps": STEPS}
FAILED = {"status": "completed", "conclusion": "failure", "jobs": [BROKEN]}
LOG = "error: Session unit failed\n##[error]Process completed with exit code 1.\nPost job cleanup.\n"
DISPATCHES = "POST /repos/someone/tiny-thing/actions/workflows/release.yml/dispatches"


@pytest.fixture
def by_ci(scene: Scene) -> Scene:
    """The project with `run = "ci"` and its workflows."""
    scene.project.write(".github/workflows/release.yml", RELEASE)
    scene.project.write(".github/workflows/up.yml", PUBLISH)
    scene.project.replace("pyproject.toml", "[tool.releaser.pypi]\n", '[tool.releaser.pypi]\nworkflow = "up.yml"\n')
    scene.project.configure("[tool.releaser]\n", '[tool.releaser]\nrun = "ci"\n')
    return scene


def carry_out(scene: Scene) -> None:
    """Do what the workflow does, in a clone and with a state of its own."""
    there = replace(scene.in_another_clone(), state=scene.state.with_name("runner"))
    release = there.with_dists()
    for step in (CreateTag(), PushTag(), DraftRelease(), UploadAssets(), PublishRelease()):
        step.run(release)
    for path in release.built().uploads:
        scene.pypi.accept(path, "tiny-thing", "0.2.0")


def started(scene: Scene, then: Callable[[], None]) -> None:
    """Have a runner do something once the workflow is dispatched."""
    scene.forge.after(DISPATCHES, then)


def release(scene: Scene, *words: str) -> Ran:
    """Release it, without the checks that install from the index."""
    skips = ("--skip", "install_from_pypi", "--skip", "upgrade_from_pypi")
    return scene.run("release", "--version", "0.2.0", "--yes", *skips, *words)


def play(scene: Scene, **changes: Any) -> None:
    """Change the run of release.yml."""
    scene.forge.play("Release 0.2.0", **changes)


def test_a_release_is_dispatched_followed_fetched_and_verified(by_ci: Scene) -> None:
    def runner() -> None:
        play(by_ci, status="in_progress", jobs=[{**BUILD, "status": "in_progress", "conclusion": None}])
        carry_out(by_ci)
        play(by_ci, status="completed", conclusion="success", jobs=[BUILT])

    before = by_ci.project.head()
    started(by_ci, runner)
    ran = release(by_ci)
    assert ran.code == 0, ran.text
    assert_says(ran.out, "dispatch_release: done", "release.yml succeeded", "PyPI", "follow_release: done")
    assert_says(
        (by_ci.store / "report.md").read_text(), "- follow_release: release.yml succeeded: http", "build succeeded"
    )
    held = {path.name for path in (by_ci.store / "dist").iterdir()}
    assert {"tiny_thing-0.2.0-py3-none-any.whl", "tiny_thing-0.2.0.tar.gz", "SHA256SUMS"} <= held
    assert by_ci.git("rev-parse", "HEAD^") == before

    again = release(by_ci)
    assert again.code == 0, again.text
    assert by_ci.forge.count(DISPATCHES) == 1
    status = by_ci.run("status", "--version", "0.2.0")
    assert status.code == 0, status.text
    assert_says(status.out, "2 of 38 steps to do")  # those that were left out
    boxes = by_ci.run("status", "--checklist", "--version", "0.2.0")
    for box in ("branch and tag pushed", "release published", "every session passes in the workflow"):
        assert_says(boxes.out, f"[x] {box}")
    watched = by_ci.run("watch", "--version", "0.2.0")
    assert watched.code == 3
    assert_says(watched.err, "no run of up.yml was started for 0.2.0", "ghs_")


def test_a_dry_run_says_what_would_be_started_and_changes_nothing(by_ci: Scene) -> None:
    with by_ci.unchanged():
        ran = by_ci.run("release", "--version", "0.2.0", "--dry-run")
    assert ran.code == 0, ran.text
    assert_says(ran.out, "dispatch release.yml at main", "follow the run of release.yml", "up.yml uploads")


def test_the_doctor_asks_what_this_release_needs_and_looks_at_its_workflows(by_ci: Scene) -> None:
    ran = by_ci.run("doctor", "--version", "0.2.0")
    assert_says(ran.out, "right have_workflows release.yml, up.yml", "workflows of the release", "right release.yml")
    assert "commit_release" not in ran.out
    assert "credentials\n  right      have_workflows" not in ran.out


def test_workflows_that_cannot_be_dispatched_are_refused_before_anything(by_ci: Scene) -> None:
    by_ci.project.write(".github/workflows/up.yml", "on: push\njobs: {}\n")
    by_ci.project.write(".github/workflows/release.yml", RELEASE.replace("run-name", "other"))
    by_ci.project.commit("Other workflows")
    by_ci.refuses(
        "release",
        "--version",
        "0.2.0",
        "--yes",
        says=["release.yml needs `run-name:", "up.yml cannot be dispatched (it has no workflow_dispatch)"],
        code=3,
    )


def test_without_the_forge_preflight_still_says_what_is_wrong_here(by_ci: Scene) -> None:
    by_ci.project.configure(f'api-url = "{by_ci.forge.url}"', 'api-url = "http://127.0.0.1:1"')
    by_ci.project.write("src/tiny_thing/new.py", "")
    ran = by_ci.run("release", "--version", "0.2.0", "--yes")
    assert ran.code == 3, ran.text
    assert_says(ran.err, "be_clean: 1 uncommitted", "dispatch_release, follow_release: GitHub at 127.0.0.1:1")
    assert "raise_version" not in ran.err


def test_a_failed_job_ends_it_with_step_lines_and_address_and_the_same_command_runs_it_again(by_ci: Scene) -> None:
    started(by_ci, lambda: play(by_ci, log=LOG, **FAILED))
    ran = release(by_ci)
    assert ran.code == 1
    assert_says(
        ran.err,
        "release.yml failed in the job build at its step 'Run invoke ci.build' (http",
        "| error: Session unit failed | Process completed with exit code 1.",
        "-> Rerun the command to run the failed jobs again.",
    )
    assert "Post job" not in ran.err

    dry = by_ci.run("release", "--version", "0.2.0", "--dry-run")
    assert_says(dry.out, "run the failed jobs of http", "which failed (`--choose dispatch_release=new` instead)")

    def runner() -> None:
        carry_out(by_ci)
        play(by_ci, status="completed", conclusion="success", jobs=[BUILT])

    by_ci.forge.after("/rerun-failed-jobs", runner)
    again = release(by_ci)
    assert again.code == 0, again.text
    assert_says(again.out, "release.yml succeeded at attempt 2")
    assert by_ci.forge.count(DISPATCHES) == 1


def test_a_fix_on_the_branch_or_a_choice_starts_a_new_run(by_ci: Scene) -> None:
    for _ in range(3):
        started(by_ci, lambda: play(by_ci, log=LOG, **FAILED))
    assert release(by_ci).code == 1
    by_ci.project.write("README.md", "Fixed\n")
    by_ci.project.commit("The fix")
    dry = by_ci.run("release", "--version", "0.2.0", "--dry-run")
    assert_says(dry.out, "dispatch release.yml at main", "and main has moved since")
    assert release(by_ci).code == 1
    assert release(by_ci, "--choose", "dispatch_release=new").code == 1
    assert by_ci.forge.count(DISPATCHES) == 3
    assert by_ci.forge.count("/rerun-failed-jobs") == 0


def test_jobs_that_cannot_run_again_leave_a_new_run(by_ci: Scene) -> None:
    started(by_ci, lambda: play(by_ci, log=LOG, **FAILED))
    assert release(by_ci).code == 1
    by_ci.forge.grants["github_pat_mayOnlyRead1234567890abcdef"] = "read"
    by_ci.set(GITHUB_TOKEN="github_pat_mayOnlyRead1234567890abcdef")
    ran = release(by_ci)
    assert ran.code == 1
    assert_says(ran.err, "refused to run the failed jobs of http", '"actions: write"', "--choose dispatch_release=new")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("release", "--title", "Faster"), "--title has no effect"),
        (("release", "--skip", "pass_unit"), "There is no step named pass_unit"),
        (("release", "--skip", "have_passed_tests"), "have_passed_tests cannot be skipped"),
        (("release", "--skip", "render_readme"), "render_readme cannot be skipped"),
        (("tag",), "release.yml makes the tag and pushes it"),
    ],
)
def test_what_only_matters_where_the_release_is_made_is_refused(
    by_ci: Scene, words: tuple[str, ...], says: str
) -> None:
    by_ci.refuses(*words, "--version", "0.2.0", says=[says])


def test_the_same_command_in_another_clone_attaches_to_the_run_that_is_under_way(by_ci: Scene) -> None:
    by_ci.project.configure("timeout = 30", "timeout = 1")
    gone_on = release(by_ci)
    assert gone_on.code == 5
    assert_says(gone_on.err, "release.yml is queued, no job runs yet: http", "`invoke watch --version 0.2.0`")
    elsewhere = replace(by_ci.in_another_clone(), state=by_ci.state.with_name("another"))
    elsewhere.set(RELEASER_STATE_DIR=str(elsewhere.state))
    assert release(elsewhere).code == 5
    assert by_ci.forge.count(DISPATCHES) == 1


def test_ctrl_c_leaves_it_running_and_says_how_to_follow_again(by_ci: Scene) -> None:
    def stop() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    by_ci.forge.after("/jobs", stop)
    ran = release(by_ci)
    assert ran.code == 130
    assert_says(ran.err, "Stopped by Ctrl-C; the workflow goes on: http", "Run `invoke watch --version 0.2.0`")
    by_ci.forge.after("/jobs", stop)
    watched = by_ci.run("watch", "--version", "0.2.0")
    assert watched.code == 130
    assert_says(watched.err, "the workflow goes on", "`invoke watch --version 0.2.0` to follow it again.")
    assert by_ci.forge.count("/cancel") == 0


def test_a_rollback_cancels_the_run_that_would_release_it(by_ci: Scene) -> None:
    by_ci.project.configure("timeout = 30", "timeout = 1")
    assert release(by_ci).code == 5
    dry = by_ci.run("-R", "rollback", "--version", "0.2.0")
    assert_says(dry.out, "stop_workflow cancel the run http", "(queued)")
    ran = by_ci.run("rollback", "--version", "0.2.0", "--yes")
    assert ran.code == 0, ran.text
    assert by_ci.forge.count("/cancel") == 1
    assert_says(by_ci.run("rollback", "--version", "0.2.0", "--yes").out, "nothing of 0.2.0 to take back")


class TestWatch:
    """`invoke watch`, which starts nothing."""

    def dispatched(self, scene: Scene, **changes: Any) -> None:
        """Have a run of release.yml, started by somebody else."""
        facts = {"workflow": "release.yml", "display_title": "Release 0.2.0", "event": "workflow_dispatch"}
        other = {**facts, "id": 4, "display_title": "Release 0.2.0-rc.1", "head_branch": "main"}
        ours = {**facts, "id": 5, "head_branch": "main", "head_sha": scene.project.head(), **changes}
        scene.forge.hold({"workflow_runs": [ours, other]})

    def test_without_a_run_it_says_so_at_once(self, by_ci: Scene) -> None:
        ran = by_ci.refuses("watch", "--version", "0.2.0", says=["no run of release.yml was started for 0.2.0"], code=3)
        assert_says(ran.err, "Found 1 conflict", "Run `invoke release --version 0.2.0`")
        assert "up.yml" not in ran.err

    def test_what_cannot_be_chosen_or_skipped_is_told_with_all_that_can(self, by_ci: Scene) -> None:
        release = ("release", "--version", "0.2.0")
        choices = ["There is no choice push_tag=merge", "dispatch_release=new", "upload_assets=ours"]
        by_ci.refuses(*release, "--choose", "push_tag=merge", says=choices)
        by_ci.refuses(
            *release, "--choose", "upload_assets=our", says=["these: upload_assets=theirs, upload_assets=ours."]
        )
        by_ci.refuses(*release, "--skip", "have_passed_tests", says=["a workflow's job"])

    def test_a_run_that_was_started_by_a_click_is_followed_where_a_terminal_releases(self, by_ci: Scene) -> None:
        by_ci.project.configure('run = "ci"\n', "")
        self.dispatched(by_ci, status="completed", conclusion="failure", jobs=[BROKEN])
        ran = by_ci.run("watch", "--version", "0.2.0")
        assert ran.code == 1
        assert_says(ran.err, "release.yml failed in the job build at its step 'Run invoke ci.build'")
        assert_says(ran.err, "Fix the cause. Then use `Re-run failed jobs` on the run's page")
        assert "invoke release" not in ran.err
        carry_out(by_ci)  # a terminal released it after all
        by_ci.refuses("watch", "--version", "0.2.0", says=["No workflow takes part"])

    def by_click(self, scene: Scene) -> Scene:
        """A project that a terminal releases, with images that a terminal pushes, while a click releases it."""
        scene.project.configure('run = "ci"\n', "")
        text = (scene.project.path / "pyproject.toml").read_text()
        images = '\n[tool.releaser.images]\nrepository = "registry.invalid/thing"\ntargets = [{ name = "image" }]\n'
        scene.project.write("pyproject.toml", text + images)
        scene.project.write(".github/workflows/docker-publish.yml", PUBLISH.replace("name: up", "name: images"))
        scene.project.commit("Images")
        running = {**BUILD, "status": "in_progress", "conclusion": None}
        self.dispatched(scene, status="in_progress", conclusion=None, jobs=[running], actor="alice")
        return scene

    def test_status_shows_a_run_that_a_click_started_and_how_to_follow_it(self, by_ci: Scene) -> None:
        scene = self.by_click(by_ci)
        page = f"{scene.forge.url}/someone/tiny-thing/actions/runs/5"
        status = scene.run("status", "--version", "0.2.0")
        assert_says(
            status.out,
            f"release.yml runs: {page}; started by alice (workflow_dispatch); jobs: build begins",
            "Follow with `invoke watch --version 0.2.0`.",
            "Do not run `invoke release` meanwhile: release.yml makes this release.",
        )
        shown = json.loads(scene.run("status", "--json", "--version", "0.2.0").out)
        assert (shown["run"]["url"], shown["run"]["started_by"]) == (page, "alice")
        assert shown["runs"] == [shown["run"]]

    def test_status_shows_images_that_their_workflow_builds_though_a_terminal_would_push_them(
        self, by_ci: Scene
    ) -> None:
        scene = self.by_click(by_ci)
        pushed = {"workflow": "docker-publish.yml", "id": 9, "event": "push", "head_branch": "v0.2.0", "actor": "bob"}
        scene.forge.hold({"workflow_runs": [{**pushed, "head_sha": "*", "status": "queued", "conclusion": None}]})
        page = f"{scene.forge.url}/someone/tiny-thing/actions/runs/9"
        status = scene.run("status", "--version", "0.2.0")
        assert_says(status.out, f"docker-publish.yml is queued, no job runs yet: {page}; started by bob (push)")
        assert_says(status.out, "Follow with `invoke watch --version 0.2.0`.")
        assert "Do not run" not in status.out
        scene.forge.after("/runs/9/jobs", lambda: None)

        def end() -> None:
            scene.forge.store.state["workflow_runs"][0].update(status="completed", conclusion="success")
            scene.forge.store.commit()

        scene.forge.after("/runs/9/jobs", end)
        watched = scene.run("watch", "--version", "0.2.0")
        assert watched.code == 0, watched.text
        assert_says(watched.out, f"docker-publish.yml succeeded: {page}")

    def test_the_images_workflow_that_a_click_leads_to_is_followed_too(self, by_ci: Scene) -> None:
        scene = self.by_click(by_ci)
        images = {"workflow": "docker-publish.yml", "id": 9, "event": "workflow_dispatch", "head_branch": "v0.2.0"}

        def finish() -> None:
            scene.forge.store.state["workflow_runs"].append(
                {**images, "head_sha": "*", "display_title": "Publish 0.2.0", **FAILED}
            )
            play(scene, status="completed", conclusion="success", jobs=[BUILT])

        scene.forge.after("/runs/5/jobs", finish)
        ran = scene.run("watch", "--version", "0.2.0")
        assert ran.code == 1, ran.text
        assert_says(ran.out, "release.yml succeeded: http")
        assert_says(ran.err, "follow_docker_publish: docker-publish.yml failed in the job build")
        assert "`invoke release --version 0.2.0`" not in ran.err

    def test_a_project_without_workflows_is_told_where_to_configure_one(self, scene: Scene) -> None:
        scene.refuses("watch", "--version", "0.2.0", says=["No workflow takes part", 'run = "ci"'])

    def test_a_reviewer_is_awaited_as_long_as_it_takes_and_named_with_the_page(self, by_ci: Scene) -> None:
        by_ci.project.configure("timeout = 30", "timeout = 0.3")
        waiting = {**BUILD, "name": "testpypi", "status": "waiting", "conclusion": None}
        pending = [{"environment": "testpypi", "reviewers": ["alice"], "since": "2026-11-27T08:00:00Z"}]
        self.dispatched(by_ci, status="waiting", conclusion=None, jobs=[waiting], pending=pending)
        page = f"{by_ci.forge.url}/someone/tiny-thing/actions/runs/5"
        whom = "a reviewer of the environment testpypi (alice)"
        says = f"release.yml waits for {whom} since 2026-11-27 08:00 UTC: approve at {page}"
        status = by_ci.run("status", "--version", "0.2.0")
        assert_says(status.out, f"follow it: {says}; jobs: testpypi waits")
        shown = json.loads(by_ci.run("status", "--json", "--version", "0.2.0").out)["run"]
        assert (shown["url"], shown["waits_for"][0]["reviewers"]) == (page, ["alice"])

        def reject() -> None:
            play(by_ci, log="", status="completed", conclusion="failure", pending=[])

        for then in (*[lambda: None] * 3, reject):
            by_ci.forge.after("/pending_deployments", then)
        asked = len(by_ci.forge.asked)
        ran = by_ci.run("watch", "--version", "0.2.0")
        assert ran.code == 1
        assert sum("pending" in one for one in by_ci.forge.asked[asked:]) == 4
        assert_says(ran.out, f"follow_release: {says}")
        assert_says(ran.err, f"release.yml failed: {page}")

    @pytest.mark.parametrize(
        "steps", [[], [{"number": 1, "name": "a", "status": "completed", "conclusion": "skipped"}]]
    )
    def test_a_job_that_was_not_let_run_is_told_from_one_whose_step_failed(
        self, by_ci: Scene, steps: list[dict[str, object]]
    ) -> None:
        rejected = {**BUILD, "name": "testpypi", "status": "completed", "conclusion": "failure", "steps": steps}
        self.dispatched(by_ci, status="completed", conclusion="failure", jobs=[rejected])
        ran = by_ci.run("watch", "--version", "0.2.0")
        assert ran.code == 1
        why = "no step of it ran: a reviewer rejected it, its environment does not let main in, or no runner took it"
        assert_says(ran.err, "release.yml failed in the job testpypi (http", f"| {why}")
        assert by_ci.forge.count("/logs") == 0

    def test_the_run_that_must_end_first_is_awaited_as_long_as_it_takes_and_named(self, by_ci: Scene) -> None:
        by_ci.project.configure("timeout = 30", "timeout = 0.3")
        self.dispatched(by_ci, status="pending", conclusion=None, jobs=[])
        earlier = by_ci.forge.store.state["workflow_runs"][1]
        earlier.update(status="waiting", conclusion=None, pending=[{"environment": "testpypi", "reviewers": ["alice"]}])
        pages = f"{by_ci.forge.url}/someone/tiny-thing/actions/runs"
        for _ in range(5):
            by_ci.forge.after("/runs/5/jobs", lambda: None)
        by_ci.forge.after("/runs/5/jobs", lambda: play(by_ci, log="", status="completed", conclusion="cancelled"))
        ran = by_ci.run("watch", "--version", "0.2.0")
        assert ran.code == 1
        assert_says(ran.out, f"release.yml waits for its turn, {pages}/4 waits for a reviewer: {pages}/5")
        assert_says(ran.err, f"release.yml was cancelled: {pages}/5")

    def test_a_job_that_runs_longer_than_a_release_waits_is_still_followed(self, by_ci: Scene) -> None:
        by_ci.project.configure("timeout = 30", "timeout = 0.3")
        self.dispatched(by_ci, status="in_progress", jobs=[{**BUILD, "status": "in_progress", "conclusion": None}])
        for _ in range(5):
            by_ci.forge.after("/runs/5/jobs", lambda: None)
        by_ci.forge.after("/runs/5/jobs", lambda: play(by_ci, **FAILED))
        assert by_ci.run("watch", "--version", "0.2.0").code == 1

    def test_each_job_that_ends_is_a_line_and_the_end_is_told(self, by_ci: Scene) -> None:
        test = {"id": 72, "name": "test (3.12)", "status": "queued", "conclusion": None, "steps": []}
        self.dispatched(by_ci, status="in_progress", conclusion=None, jobs=[BUILT, test])
        ended = {**BUILT, "id": 72, "name": "test (3.12)"}

        def finish() -> None:
            play(by_ci, status="completed", conclusion="success", jobs=[BUILT, ended])

        by_ci.forge.after("/runs/5/jobs", finish)
        facts = {"workflow": "up.yml", "display_title": "Publish 0.2.0", "head_branch": "v0.2.0", "head_sha": "*"}
        by_ci.forge.store.state["workflow_runs"].append(
            {**facts, "id": 9, "status": "completed", "conclusion": "success", "event": "workflow_dispatch"}
        )
        ran = by_ci.run("watch", "--version", "0.2.0")
        assert ran.code == 0, ran.text
        assert_says(
            ran.out,
            "follow_release: release.yml runs: http",
            "follow_release: test (3.12) succeeded after 9 s",
            "release.yml succeeded: http",
            "up.yml succeeded: http",
        )

    def test_a_failed_run_is_told_whole(self, by_ci: Scene) -> None:
        self.dispatched(by_ci)
        play(by_ci, log=LOG, **FAILED)
        ran = by_ci.refuses(
            "watch", "--version", "0.2.0", says=["at its step 'Run invoke ci.build'", "| error: Session"], code=1
        )
        assert_says(ran.err, "which runs the failed jobs again")
