"""The workflow that publishes a release's files: what a build from the tag makes again, or nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness.coming_back import make_immutable
from harness.jobs import JobRun, Workflow, altered
from harness.parts import only_with
from harness.projects import git
from harness.scene import Ran, Scene, assert_says
from harness.wheels import with_changed_byte, with_module

from releaser.commands.ci import expect_assets
from releaser.core.files import sha256, write_sums
from releaser.errors import ConflictError
from releaser.release import Release
from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag

WHEEL, SDIST = "tiny_thing-0.2.0-py3-none-any.whl", "tiny_thing-0.2.0.tar.gz"
TAG = "refs/tags/v0.2.0"
Rebuild = Callable[..., tuple[Workflow, JobRun]]


@pytest.fixture
def draft(scene: Scene) -> Release:
    """A release from a terminal whose draft has its files: tag and branch are public; the same commit for each test."""
    scene.set(GIT_AUTHOR_DATE="1767225600 +0000", GIT_COMMITTER_DATE="1767225600 +0000")
    release = scene.with_dists()
    dist = release.store.dist
    (dist / "tiny_thing-0.2.0.cdx.json").write_text("{}\n")
    digests = {path.name: sha256(path) for path in dist.iterdir() if path.name != "SHA256SUMS"}
    write_sums(dist, digests)
    release.journal.write("built", files=digests, commit=release.commit())
    for step in (CreateTag(), PushTag(), DraftRelease(), UploadAssets()):
        step.run(release)
    return release


_REBUILT: dict[str, tuple[Ran, dict[str, str], Path]] = {}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rebuilt")


@pytest.fixture
def rebuild(scene: Scene, kept: Path) -> Rebuild:
    """Runs the first job; what it made of a commit before is what it makes again."""

    def run(event: str = "release", ref: str = TAG, *, again: bool = False) -> tuple[Workflow, JobRun]:
        workflow = Workflow(scene, event=event, ref=ref)
        commit = scene.at_origin("rev-parse", "v0.2.0^{commit}")
        if commit not in _REBUILT or again:
            job = workflow.job("ci.rebuild", checkout="v0.2.0")
            assert job.ran.code == 0, job.ran.text
            _REBUILT[commit] = job.ran, job.outputs, shutil.copytree(job.clone / "dist", kept / job.clone.parent.name)
        ran, outputs, files = _REBUILT[commit]
        scene.others.mkdir(exist_ok=True)
        clone = Path(tempfile.mkdtemp(dir=scene.others))
        shutil.copytree(files, clone / "dist")
        return workflow, JobRun(ran, outputs, clone)

    return run


def published(run: Workflow, job: JobRun, **env: Any) -> JobRun:
    words = ("publish.pypi", "--from-release")
    with only_with("publish"):
        return run.job(*words, checkout="v0.2.0", artifact=job.artifact, **{"REBUILT": job.outputs["manifest"], **env})


def refused(scene: Scene, run: Workflow, job: JobRun, *says: str, **env: Any) -> None:
    done = published(run, job, **env).ran
    assert done.code == 3, done.text
    assert_says(done.err, *says)
    assert scene.pypi.uploads() == []


def swap(release: Release, path: Path) -> None:
    """Put other files in the place of a release's assets, with a SHA256SUMS that fits."""
    found = release.forge.find_release(release.tag)
    assert found
    for asset in found.assets:
        if asset.name in (path.name, "SHA256SUMS"):
            release.forge.assets.delete(asset.id)
        elif not (path.parent / asset.name).exists():
            release.forge.assets.download(asset, path.parent / asset.name)
    write_sums(path.parent, {one.name: sha256(one) for one in path.parent.iterdir() if one.name != "SHA256SUMS"})
    for name in (path.name, "SHA256SUMS"):
        release.forge.assets.upload(found.id, path.parent / name, "application/octet-stream")


class TestFilesOfARelease:
    @pytest.mark.parametrize(("event", "ref"), [("release", TAG), ("workflow_dispatch", "refs/heads/main")])
    def test_the_bytes_that_the_rebuild_made_go_to_the_index_once(
        self, scene: Scene, draft: Release, rebuild: Rebuild, event: str, ref: str
    ) -> None:
        PublishRelease().run(draft)
        run, job = rebuild(event, ref, again=True)
        assert job.outputs["attach"] == "false"
        for _ in range(2):
            done = published(run, job)
            assert done.ran.code == 0, done.ran.text
        log = (scene.pypi.folder / "uploads.log").read_text().splitlines()
        assert dict(line.split() for line in log) == draft.built().upload_sha256

    def test_a_module_added_to_the_asset_is_refused_though_its_sums_fit(
        self, scene: Scene, draft: Release, rebuild: Rebuild
    ) -> None:
        changed = self._wheel(scene, draft)
        with_module(changed, "stolen.py")
        swap(draft, changed)
        PublishRelease().run(draft)
        refused(
            scene,
            *rebuild(),
            f"The release v0.2.0 does not have the files that were built: {WHEEL}",
            "stolen.py is added",
        )

    def test_a_release_is_compared_with_what_was_built_around_its_publication(
        self, scene: Scene, draft: Release
    ) -> None:
        expect_assets(draft, draft.built())
        changed = self._wheel(scene, draft)
        with_module(changed, "stolen.py")
        swap(draft, changed)
        with pytest.raises(ConflictError, match=f"The release v0.2.0 has {WHEEL} with sha256 {sha256(changed)[:12]}"):
            expect_assets(draft, draft.built())

    def test_one_byte_in_one_member_is_named(self, scene: Scene, draft: Release, rebuild: Rebuild) -> None:
        changed = self._wheel(scene, draft)
        with_changed_byte(changed, "tiny_thing/__init__.py")
        swap(draft, changed)
        PublishRelease().run(draft)
        refused(scene, *rebuild(), "tiny_thing/__init__.py differs from byte")

    def test_an_artifact_with_more_in_it_is_of_no_use(self, scene: Scene, draft: Release, rebuild: Rebuild) -> None:
        PublishRelease().run(draft)
        run, job = rebuild()
        with_module(job.artifact / WHEEL, "stolen.py")
        done = published(run, job)
        assert done.ran.code == 0, done.ran.text
        log = (scene.pypi.folder / "uploads.log").read_text().splitlines()
        assert dict(line.split() for line in log) == draft.built().upload_sha256

    def test_a_tag_whose_tree_declares_another_version_is_refused(
        self, scene: Scene, draft: Release, rebuild: Rebuild
    ) -> None:
        """The hole that this closes: whoever may write contents published anything as the trusted publisher."""
        PublishRelease().run(draft)
        run, job = rebuild()
        head = scene.project.head()
        git(scene.origin, "update-ref", TAG, head)
        assert scene.at_origin("show", f"{head}:pyproject.toml").count('version = "0.1.0"') == 1
        again = Workflow(scene, event="release", ref=TAG).job("ci.rebuild")
        assert again.ran.code == 3, again.ran.text
        assert_says(again.ran.err, "whose files do not declare 0.2.0")
        refused(scene, run, job, "whose files do not", REBUILT=altered(job.outputs["manifest"], commit=head))

    def test_a_tag_that_was_moved_between_the_jobs_is_refused(
        self, scene: Scene, draft: Release, rebuild: Rebuild
    ) -> None:
        PublishRelease().run(draft)
        run, job = rebuild()
        scene.others_push()
        git(scene.origin, "update-ref", TAG, "main")
        says = f"leads to {scene.at_origin('rev-parse', 'main')[:12]}; the files were built from"
        refused(scene, run, job, f"The tag v0.2.0 at origin {says}")

    def test_a_commit_that_the_branch_does_not_have_is_refused(
        self, scene: Scene, draft: Release, rebuild: Rebuild
    ) -> None:
        PublishRelease().run(draft)
        run, job = rebuild()
        git(scene.origin, "update-ref", "refs/heads/main", scene.project.head())
        refused(scene, run, job, "which is not in main at origin")

    def test_a_workflow_of_a_side_branch_is_refused(self, scene: Scene, draft: Release, rebuild: Rebuild) -> None:
        PublishRelease().run(draft)
        _, job = rebuild()
        scene.git("push", "--quiet", "origin", "HEAD:refs/heads/side")
        run = Workflow(scene, event="workflow_dispatch", ref="refs/heads/side")
        refused(scene, run, job, "it runs for refs/heads/side")

    def _wheel(self, scene: Scene, release: Release) -> Path:
        folder = scene.others / "changed"
        folder.mkdir(parents=True)
        path = folder / WHEEL
        path.write_bytes(release.built().wheel.read_bytes())
        return path


class TestAReleaseMadeInTheWebPage:
    def test_its_files_are_built_from_the_tag_tried_published_and_attached(
        self, scene: Scene, rebuild: Rebuild
    ) -> None:
        release = self._by_hand(scene)
        run, job = rebuild()
        assert job.outputs["attach"] == "true"
        given: dict[str, Any] = {"REBUILT": job.outputs["manifest"], "artifact": job.artifact, "checkout": "v0.2.0"}
        for words in (("ci.try-wheel",), ("publish.pypi", "--from-release"), ("ci.attach",), ("ci.attach",)):
            with only_with("github" if words == ("ci.attach",) else "release"):
                ran = run.job(*words, **given).ran
            assert ran.code == 0, ran.text
        files = json.loads(job.outputs["manifest"])["files"]
        assert sorted(scene.pypi.uploads()) == [WHEEL, SDIST]
        found = release.forge.find_release("v0.2.0")
        assert found
        assert {one.name: one.sha256 for one in found.assets if one.name != "SHA256SUMS"} == files
        assert "SHA256SUMS" in {one.name for one in found.assets}

    def test_an_immutable_one_takes_no_files_which_is_said_and_the_index_gets_them(
        self, scene: Scene, rebuild: Rebuild
    ) -> None:
        make_immutable(scene)
        self._by_hand(scene)
        workflow, job = rebuild()
        assert job.outputs["attach"] == "false"
        assert_says(job.ran.out, "The release v0.2.0 is immutable and takes no files")
        done = published(workflow, job).ran
        assert done.code == 0, done.text
        assert sorted(scene.pypi.uploads()) == [WHEEL, SDIST]

    def test_a_file_of_the_same_name_that_somebody_attached_must_be_the_built_one(
        self, scene: Scene, rebuild: Rebuild
    ) -> None:
        release = self._by_hand(scene)
        run, job = rebuild()
        found = release.forge.find_release("v0.2.0")
        assert found
        other = scene.others / "other" / WHEEL
        other.parent.mkdir()
        other.write_bytes((job.artifact / WHEEL).read_bytes())
        with_module(other, "stolen.py")
        release.forge.assets.upload(found.id, other, "application/zip")
        refused(scene, run, job, f"The release v0.2.0 has {WHEEL}", "stolen.py is added")

    def _by_hand(self, scene: Scene) -> Release:
        scene.bump_by_hand()
        scene.git("tag", "--annotate", "v0.2.0", "--message", "By hand")
        scene.git("push", "--quiet", "origin", "v0.2.0")
        release = scene.release()
        made = release.forge.create_draft("v0.2.0", "main", "v0.2.0", "By hand", False)
        release.forge.publish_release(made.id, make_latest=True, discussion_category=None)
        return release
