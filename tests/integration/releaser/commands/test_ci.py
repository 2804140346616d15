"""The jobs of the workflow that releases: each in its own clone, told by outputs what the others built."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from harness.jobs import JobRun, Workflow, altered
from harness.parts import only_with
from harness.projects import git
from harness.scene import Ran, Scene, assert_says
from harness.stand_ins import READ_ONLY
from harness.wheels import with_changed_byte, with_module

from releaser.commands.ci import followers
from releaser.core.files import sha256, write_sums
from releaser.core.journal import Journal
from releaser.history.derived import day_of
from releaser.secret import Redactor

BILL, OF_WORKFLOW = "tiny_thing-0.2.0.cdx.json", "ghs_9Tk2Lm4Qx7Va"
WHEEL, SDIST = "tiny_thing-0.2.0-py3-none-any.whl", "tiny_thing-0.2.0.tar.gz"
PARTS = {"ci.testpypi": "publish", "ci.release": "github", "ci.expect": "github"}
"""The part of the lock that each job with a privilege installs."""
_BUILT: dict[str, tuple[dict[str, str], Path]] = {}
TYPED = re.compile(r"`--[a-z]|[Rr]erun the command|`git tag|`git fetch")
"""What nobody can do in a job."""


@pytest.fixture
def built(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> JobRun:
    """What the job `build` hands on: the same for every copy of the project, so it is built once."""
    head = scene.project.head()
    if head not in _BUILT:
        run = Workflow(scene).job("ci.build")
        assert run.ran.code == 0, run.ran.text
        kept = tmp_path_factory.mktemp("built") / "checkout"
        shutil.copytree(run.artifact, kept / "dist")
        _BUILT[head] = (run.outputs, kept)
    outputs, kept = _BUILT[head]
    clone = shutil.copytree(kept, scene.others / "built")
    return JobRun(Ran(0, "", ""), outputs, clone)


@pytest.fixture
def manifest(built: JobRun) -> str:
    return built.outputs["manifest"]


class TestBuild:
    def test_two_jobs_build_the_same_commit_and_the_same_bytes(
        self, scene: Scene, built: JobRun, manifest: str
    ) -> None:
        said = json.loads(manifest)
        assert said["parent"] == scene.project.head()
        assert said["files"] == {path.name: sha256(path) for path in built.artifact.iterdir()}
        assert sorted(said["files"]) == [WHEEL, BILL, SDIST]
        again = Workflow(scene).job("ci.rebuild", MANIFEST=manifest, artifact=built.artifact)
        assert again.ran.code == 0, again.ran.text
        mine = json.loads(again.outputs["manifest"])
        assert mine == {**said, "files": {name: said["files"][name] for name in (WHEEL, SDIST)}}

        git_of = again.clone
        shown = git(git_of, "show", "--no-patch", "--format=%an %ae %cn %at %ct %P", said["commit"])
        who = "github-actions[bot]"
        mail = "41898282+github-actions[bot]@users.noreply.github.com"
        assert shown == f"{who} {mail} {who} {said['epoch']} {said['epoch']} {said['parent']}"
        changed = git(git_of, "show", "--format=", "--name-only", said["commit"]).split()
        assert changed == ["CHANGELOG.md", "pyproject.toml", "src/tiny_thing/__init__.py"]
        assert git(git_of, "status", "--porcelain", "--untracked-files=no") == ""

    def test_a_wheel_that_the_rebuild_does_not_make_is_named_member_by_member(
        self, scene: Scene, built: JobRun, manifest: str
    ) -> None:
        with_changed_byte(built.artifact / WHEEL, "tiny_thing/__init__.py")
        made_anew = altered(manifest, files={path.name: sha256(path) for path in built.artifact.iterdir()})
        again = Workflow(scene).job("ci.rebuild", MANIFEST=made_anew, artifact=built.artifact)
        assert again.ran.code == 3, again.ran.text
        assert_says(again.ran.err, WHEEL, "tiny_thing/__init__.py differs from byte")
        assert again.outputs == {}

    def test_outside_a_job_it_says_where_it_belongs(self, scene: Scene) -> None:
        scene.refuses("ci.build", "--version", "0.2.0", says=["no job of GitHub Actions", "GITHUB_REPOSITORY"])


class TestANewRunOnALaterDay:
    """TestPyPI took the files of an earlier run, which ended before anything else was public."""

    DAY = 86_400
    NOW = int(time.time())
    EARLIER: tuple[str, Path] | None = None

    @pytest.fixture
    def old(self, scene: Scene) -> Scene:
        """The project with a last commit that is five days old."""
        dated = re.sub(r"> \d+ ", f"> {self.NOW - 5 * self.DAY} ", scene.git("cat-file", "commit", "HEAD"))
        scene.git(
            "reset", "--hard", scene.project.git("hash-object", "-t", "commit", "-w", "--stdin", given=f"{dated}\n")
        )
        scene.git("push", "--quiet", "--force", "origin", "main")
        return scene

    @pytest.fixture
    def before(self, old: Scene, tmp_path_factory: pytest.TempPathFactory) -> JobRun:
        """What a run built two days ago."""
        if TestANewRunOnALaterDay.EARLIER is None:
            with old.patch.context() as patch:
                patch.setattr(time, "time", lambda: self.NOW - 2.0 * self.DAY)
                run = Workflow(old).job("ci.build")
            assert run.ran.code == 0, run.ran.text
            kept = tmp_path_factory.mktemp("earlier") / "dist"
            TestANewRunOnALaterDay.EARLIER = run.outputs["manifest"], shutil.copytree(run.artifact, kept)
        manifest, kept = self.EARLIER or ("", Path())
        shutil.copytree(kept, old.others / "earlier" / "dist")
        return JobRun(Ran(0, "", ""), {"manifest": manifest}, old.others / "earlier")

    def upload(self, scene: Scene, artifact: Path) -> None:
        for name in (WHEEL, SDIST):
            scene.testpypi.accept(artifact / name, "tiny-thing", "0.2.0")

    def test_makes_the_same_commit_and_bytes_and_uploads_nothing_again(self, old: Scene, before: JobRun) -> None:
        self.upload(old, before.artifact)
        now = Workflow(old).job("ci.build")
        assert now.ran.code == 0, now.ran.text
        assert now.outputs == before.outputs
        manifest = now.outputs["manifest"]
        day = day_of(self.NOW - 2 * self.DAY)
        assert_says(now.ran.out, f"TestPyPI has these very bytes from an earlier run, of {day}: they are made again")
        sent = Workflow(old).job("ci.testpypi", MANIFEST=manifest, REBUILT=manifest, artifact=now.artifact)
        assert sent.ran.code == 0, sent.ran.text
        assert old.testpypi.count("POST /legacy/") == 2

    def test_files_of_another_commit_or_of_other_tools_are_a_conflict_with_its_price(
        self, old: Scene, before: JobRun
    ) -> None:
        with_changed_byte(before.artifact / WHEEL, "tiny_thing-0.2.0.dist-info/WHEEL")
        self.upload(old, before.artifact)
        now = Workflow(old).job("ci.build")
        assert now.ran.code == 3, now.ran.text
        assert now.outputs == {}
        price = "Release 0.2.1 instead, which TestPyPI can still take. To go on without a trial from TestPyPI,"
        assert_says(
            now.ran.err,
            f"TestPyPI already has other bytes of 0.2.0 than {old.project.head()[:12]} and the tools here make",
            WHEEL,
            "tiny_thing-0.2.0.dist-info/WHEEL differs from byte",
            price,
            "`invoke release --version 0.2.0 --choose upload_testpypi=without`",
        )
        assert SDIST not in now.ran.err
        chosen = Workflow(old).job("ci.build", CHOOSE="upload_testpypi=without")
        assert chosen.ran.code == 0, chosen.ran.text
        manifest = chosen.outputs["manifest"]
        trusted: dict[str, Any] = {"MANIFEST": manifest, "REBUILT": manifest, "artifact": chosen.artifact}
        refused = Workflow(old).job("ci.testpypi", **trusted)
        assert refused.ran.code == 3, refused.ran.text
        assert_says(refused.ran.err, "testpypi serves other bytes under 0.2.0", price)
        ran = Workflow(old).job("ci.testpypi", CHOOSE="upload_testpypi=without", **trusted).ran
        assert ran.code == 0, ran.text
        dated = json.loads(manifest)["epoch"], json.loads(before.outputs["manifest"])["epoch"]
        assert dated[0] >= dated[1] + 2 * self.DAY
        assert old.testpypi.count("POST /legacy/") == 2

    def test_a_choice_that_no_job_offers_is_refused(self, old: Scene) -> None:
        ran = Workflow(old).job("ci.build", CHOOSE="push_tag=merge").ran
        assert ran.code == 2, ran.text
        assert_says(ran.err, "There is no choice push_tag=merge", "upload_testpypi=without")


class TestRelease:
    def test_branch_tag_and_release_become_public_and_the_workflows_after_them_start_once(self, scene: Scene) -> None:
        inputs = {"tests.yml": "", "build-wheel.yml": "    inputs:\n      version:\n        required: true\n"}
        for name, declared in inputs.items():
            scene.project.write(f".github/workflows/{name}", f"on:\n  workflow_dispatch:\n{declared}")
        scene.project.configure(
            "[tool.releaser.pypi]", '[tool.releaser.pypi]\nvia = "ci"\nworkflow = "build-wheel.yml"'
        )
        scene.project.configure("sessions = []", 'sessions = ["trial"]')
        workflow = Workflow(scene, over_http=True)
        built = workflow.job("ci.build")
        manifest = built.outputs["manifest"]
        trusted: dict[str, Any] = {"MANIFEST": manifest, "REBUILT": manifest, "artifact": built.artifact}
        for command in ("ci.test", "ci.testpypi", "ci.try", "ci.release", "ci.release", "ci.expect"):
            with only_with(PARTS.get(command, "release")):
                ran = workflow.job(command, **trusted).ran
            assert ran.code == 0, ran.text
            if command == "ci.test":
                assert_says(ran.out, "try_wheel: done", "pass_trial: done", json.loads(manifest)["files"][WHEEL][:12])

        commit = json.loads(manifest)["commit"]
        assert scene.at_origin("rev-parse", "main", "v0.2.0^{commit}").split() == [commit] * 2
        assert scene.at_origin("cat-file", "-t", "v0.2.0") == "tag"
        assert "github-actions[bot]" in scene.at_origin("cat-file", "tag", "v0.2.0")
        (release,) = scene.forge.releases()
        assert not release["draft"]
        assert sorted(scene.testpypi.uploads()) == [WHEEL, SDIST]
        assert scene.pypi.uploads() == []
        held = json.loads((scene.forge.folder / "forge.json").read_text())
        started = [(run["workflow"], run["head_branch"], run["head_sha"]) for run in held["workflow_runs"]]
        assert started == [("build-wheel.yml", "v0.2.0", commit), ("tests.yml", "v0.2.0", commit)]

    @pytest.mark.parametrize(
        ("starts", "followed"),
        [
            ("{workflow_dispatch: {inputs: {version: }}}", ["docker-publish.yml"]),
            ("workflow_dispatch", []),
            ("push", []),
            ("[", []),
        ],
    )
    def test_images_follow_a_release_that_was_started_by_a_click_though_a_terminal_would_push_them(
        self, scene: Scene, starts: str, followed: list[str]
    ) -> None:
        images = '\n[tool.releaser.images]\nrepository = "registry.invalid/thing"\ntargets = [{ name = "image" }]\n'
        text = (scene.project.path / "pyproject.toml").read_text()
        scene.project.write("pyproject.toml", text + images)
        scene.project.write(".github/workflows/docker-publish.yml", f"on: {starts}\njobs: {{}}\n")
        scene.project.commit("Images")
        release = scene.with_release_commit()
        assert (release.config.run, release.config.images.via) == ("here", "push")
        assert followers(release) == [(one, "v0.2.0", {"version": "0.2.0"}) for one in followed]

    @pytest.mark.parametrize("command", ["ci.testpypi", "ci.release"])
    def test_a_wheel_swapped_with_its_manifest_made_anew_is_refused(
        self, scene: Scene, built: JobRun, manifest: str, command: str
    ) -> None:
        with_module(built.artifact / WHEEL, "stolen.py")
        made_anew = altered(manifest, files={path.name: sha256(path) for path in built.artifact.iterdir()})
        before = scene.public()
        ran = Workflow(scene).job(command, MANIFEST=made_anew, REBUILT=manifest, artifact=built.artifact).ran
        assert ran.code == 3, ran.text
        assert_says(ran.err, "Two builds of 0.2.0 differ", WHEEL)
        ran = Workflow(scene).job(command, MANIFEST=manifest, REBUILT=manifest, artifact=built.artifact).ran
        assert ran.code == 3, ran.text
        assert_says(ran.err, "The artifact does not have the files that were built", WHEEL)
        assert scene.public() == before

    def test_an_extra_file_in_the_release_commit_is_refused(self, scene: Scene, built: JobRun, manifest: str) -> None:
        said = json.loads(manifest)
        elsewhere = scene.others / "with-more"
        git(scene.origin, "clone", "--quiet", scene.origin, elsewhere)
        (elsewhere / "stolen.py").write_text("import os\n")
        git(elsewhere, "add", "stolen.py")
        git(elsewhere, "commit", "--quiet", "--message", "chore: bump version to 0.2.0")
        more = altered(manifest, commit=git(elsewhere, "rev-parse", "HEAD"))
        self.refuses(scene, built, more, f"is {said['commit'][:12]}; the files were built from")

    def test_git_configuration_planted_in_the_artifact_is_refused(
        self, scene: Scene, built: JobRun, manifest: str
    ) -> None:
        (built.artifact / ".git").mkdir()
        (built.artifact / ".git" / "config").write_text("[core]\n\tfsmonitor = touch /tmp/owned\n")
        self.refuses(scene, built, manifest, ".git (directory)")

    def test_sums_and_a_chain_made_for_a_swapped_wheel_are_refused_with_it(
        self, scene: Scene, built: JobRun, manifest: str
    ) -> None:
        """What a job that ran the code under test could have written: it all fits, and none of it is asked."""
        with_module(built.artifact / WHEEL, "stolen.py")
        made = {path.name: sha256(path) for path in built.artifact.iterdir()}
        write_sums(built.artifact, made)
        journal = Journal(built.artifact / "journal.jsonl", Redactor())
        journal.write("built", files=made, commit=json.loads(manifest)["commit"])
        self.refuses(scene, built, manifest, "SHA256SUMS (file), journal.head (file), journal.jsonl (file)")
        for name in ("SHA256SUMS", "journal.head", "journal.jsonl"):
            (built.artifact / name).unlink()
        self.refuses(scene, built, manifest, f"{WHEEL} has sha256 {made[WHEEL][:12]}")

    def test_a_workflow_of_another_branch_may_not_release(self, scene: Scene, built: JobRun, manifest: str) -> None:
        scene.git("push", "--quiet", "origin", "HEAD:refs/heads/side")
        self.refuses(
            scene, built, manifest, "it runs for refs/heads/side, not for refs/heads/main", ref="refs/heads/side"
        )

    def test_another_file_of_the_repository_may_not_release(self, scene: Scene, built: JobRun, manifest: str) -> None:
        self.refuses(scene, built, manifest, "its workflow is", "not release.yml", file="other.yml")

    def test_another_event_may_not_release(self, scene: Scene, built: JobRun, manifest: str) -> None:
        self.refuses(scene, built, manifest, "the event pull_request_target started it", event="pull_request_target")

    def refuses(self, scene: Scene, built: JobRun, manifest: str, *says: str, **workflow: str) -> None:
        before = scene.public()
        job = Workflow(scene, **workflow)
        ran = job.job("ci.release", MANIFEST=manifest, REBUILT=manifest, artifact=built.artifact).ran
        assert ran.code == 3, ran.text
        assert_says(ran.err, *says)
        assert scene.public() == before

    def test_a_token_that_may_start_no_workflow_is_refused_before_anything_is_public(self, scene: Scene) -> None:
        scene.project.write(".github/workflows/tests.yml", "on:\n  workflow_dispatch:\n")
        scene.project.commit("Tests")
        workflow = Workflow(scene)
        built = workflow.job("ci.build")
        manifest = built.outputs["manifest"]
        trusted: dict[str, Any] = {"MANIFEST": manifest, "REBUILT": manifest, "artifact": built.artifact}
        before = scene.at_origin("for-each-ref")
        ran = workflow.job("ci.release", GITHUB_TOKEN=READ_ONLY, **trusted).ran
        assert ran.code == 1, ran.text
        assert_says(ran.err, "say whether this token may start tests.yml", "actions: write")
        assert scene.at_origin("for-each-ref") == before
        assert scene.forge.releases() == []

    def test_a_token_that_may_not_push_is_refused_before_anything_is_public(
        self, scene: Scene, built: JobRun, manifest: str
    ) -> None:
        before = scene.at_origin("for-each-ref")
        job = Workflow(scene, over_http=True)
        trusted: dict[str, Any] = {"MANIFEST": manifest, "REBUILT": manifest, "artifact": built.artifact}
        ran = job.job("ci.release", GITHUB_TOKEN=READ_ONLY, **trusted).ran
        assert ran.code == 3, ran.text
        assert_says(ran.err, "log_in_remote: a push to origin would fail", "403")
        assert READ_ONLY not in ran.text
        assert scene.at_origin("for-each-ref") == before
        assert scene.forge.releases() == []

    def test_an_asset_swapped_after_its_upload_is_not_published(
        self, scene: Scene, built: JobRun, manifest: str
    ) -> None:
        release, kept = scene.release(), shutil.copytree(built.artifact, scene.others / "kept")

        def swap() -> None:
            found = release.forge.find_release("v0.2.0")
            assert found
            wheel = next(one for one in found.assets if one.name == WHEEL)
            release.forge.assets.delete(wheel.id)
            with_module(built.artifact / WHEEL, "stolen.py")
            release.forge.assets.upload(found.id, built.artifact / WHEEL, "application/zip")

        for number in range(4):
            scene.forge.after("POST /uploads", swap if number == 3 else lambda: None)
        workflow = Workflow(scene)
        job = workflow.job("ci.release", MANIFEST=manifest, REBUILT=manifest, artifact=built.artifact)
        assert job.ran.code != 0, job.ran.text
        assert_says(job.ran.err, WHEEL)
        (held,) = scene.forge.releases()
        assert held["draft"]
        again = workflow.job("ci.release", MANIFEST=manifest, REBUILT=manifest, artifact=kept).ran
        assert again.code == 3, again.text
        assert_says(
            again.err,
            "Delete them there, then re-run the failed jobs, which attach the built files.",
            "start release.yml again with the input `choose` upload_assets=theirs.",
        )
        assert not TYPED.search(again.text), again.text

    def test_another_day_s_bill_of_materials_replaces_a_draft_s_and_a_published_one_stays(
        self, scene: Scene, built: JobRun, manifest: str
    ) -> None:
        scene.forge.grants[OF_WORKFLOW] = "write"
        job = Workflow(scene)
        first: dict[str, Any] = {"MANIFEST": manifest, "REBUILT": manifest, "artifact": built.artifact}
        assert job.job("ci.release", GITHUB_TOKEN=OF_WORKFLOW, **first).ran.code == 0
        scene.forge.store.state["releases"][0]["draft"] = True  # as if it had stopped before
        scene.forge.store.commit()
        (built.artifact / BILL).write_text('{"another": "day"}')
        files = {**json.loads(manifest)["files"], BILL: sha256(built.artifact / BILL)}
        ran = job.job(
            "ci.release", GITHUB_TOKEN=OF_WORKFLOW, **{**first, "MANIFEST": altered(manifest, files=files)}
        ).ran
        assert ran.code == 0, ran.text
        assert_says(ran.out, f"{BILL} in the draft is replaced: an earlier run put")
        (release,) = scene.forge.releases()
        assert {one["name"]: one["digest"] for one in release["assets"]}[BILL] == f"sha256:{files[BILL]}"

        again = Workflow(scene).job("ci.build")
        assert again.ran.code == 0, again.ran.text
        assert json.loads(again.outputs["manifest"])["files"] == files

    def test_a_branch_that_has_moved_is_told_before_anything_is_sent(
        self, scene: Scene, built: JobRun, manifest: str
    ) -> None:
        workflow = Workflow(scene)
        moved = scene.others_push()
        before = scene.public()
        ran = workflow.job("ci.testpypi", MANIFEST=manifest, REBUILT=manifest, artifact=built.artifact).ran
        assert ran.code == 3, ran.text
        assert_says(ran.err, f"main at origin has moved to {moved[:12]}", "-> Start release.yml again")
        assert scene.public() == before

    def test_a_branch_that_moves_straight_before_the_push_is_told_in_words_for_a_job(
        self, scene: Scene, built: JobRun, manifest: str
    ) -> None:
        scene.forge.after("/actions/workflows/tests.yml/runs", scene.others_push)  # when it has been looked at
        workflow = Workflow(scene)
        ran = workflow.job("ci.release", MANIFEST=manifest, REBUILT=manifest, artifact=built.artifact).ran
        assert ran.code == 3, ran.text
        assert_says(
            ran.err, "push_tag: origin/main has moved to", "Start release.yml again, which releases what is there"
        )
        assert not TYPED.search(ran.text), ran.text
        assert "v0.2.0" not in scene.at_origin("for-each-ref")
        assert scene.forge.releases() == []

    def test_what_a_person_attached_or_wrote_is_told_in_words_for_a_job(
        self, scene: Scene, built: JobRun, manifest: str
    ) -> None:
        release, workflow = scene.release(), Workflow(scene)

        def attach() -> None:
            found = release.forge.find_release("v0.2.0")
            assert found
            (slides := scene.others / "slides.txt").write_text("Slides")
            release.forge.assets.upload(found.id, slides, "text/plain")

        scene.forge.after("POST /repos/someone/tiny-thing/releases", attach)
        job: dict[str, Any] = {"MANIFEST": manifest, "REBUILT": manifest, "artifact": built.artifact}
        ran = workflow.job("ci.release", **job).ran
        assert ran.code == 3, ran.text
        assert_says(
            ran.err, "did not build: slides.txt", "Delete it at http", "the input `choose` upload_assets=theirs"
        )
        assert not TYPED.search(ran.text), ran.text
        scene.forge.store.state["releases"][0]["body"] = "Words"
        scene.forge.store.commit()
        ran = workflow.job("ci.release", **job).ran
        assert ran.code == 3, ran.text
        assert_says(ran.err, "then delete the draft and re-run the failed jobs", "`choose` draft_release=theirs")
        assert not TYPED.search(ran.text), ran.text

    def test_a_tag_that_somebody_else_pushed_between_the_jobs_is_never_moved(
        self, scene: Scene, built: JobRun, manifest: str
    ) -> None:
        workflow = Workflow(scene)
        scene.git("tag", "--annotate", "v0.2.0", "--message", "Another")
        scene.git("push", "--quiet", "origin", "v0.2.0")
        before = scene.public()
        ran = workflow.job("ci.release", MANIFEST=manifest, REBUILT=manifest, artifact=built.artifact).ran
        assert ran.code == 3, ran.text
        assert_says(ran.err, "v0.2.0", "Release the next version: a published tag is never moved.")
        assert not TYPED.search(ran.text), ran.text
        assert scene.public() == before
