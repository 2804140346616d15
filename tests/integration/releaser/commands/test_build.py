"""`invoke build`, `check` and `publish`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from harness.projects import git
from harness.scene import Scene, assert_says
from harness.wheels import other_wheel

from releaser.release import Release
from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag

SHA256 = re.compile(r"^([0-9a-f]{64})  (\S+)$", re.MULTILINE)
FILES = ["tiny_thing-0.2.0-py3-none-any.whl", "tiny_thing-0.2.0.tar.gz"]


class TestBuild:
    def test_two_clones_build_the_same_bytes_with_their_checksums_and_bill_of_materials(self, scene: Scene) -> None:
        other = scene.others / "somewhere" / "else"
        other.parent.mkdir(parents=True)
        scene.git("clone", "--quiet", scene.origin, other)
        runs = [scene.run("build"), scene.run("build", "--out", scene.others / "out", where=other)]
        assert [ran.code for ran in runs] == [0, 0], runs
        sums, theirs = ({name.rpartition("/")[2]: digest for digest, name in SHA256.findall(ran.out)} for ran in runs)
        wheel, bill = "tiny_thing-0.1.0-py3-none-any.whl", "tiny_thing-0.1.0.cdx.json"
        assert sums.keys() == {wheel, bill, "tiny_thing-0.1.0.tar.gz", "SHA256SUMS"}
        assert sums == theirs

        dist = scene.project.path / "dist"
        assert {path.name for path in dist.iterdir()} == sums.keys()
        words = ["sha256sum", "-c", "SHA256SUMS"]
        checked = subprocess.run(words, cwd=dist, capture_output=True, text=True, check=True)
        assert checked.stdout.count(": OK") == 3
        component = json.loads((dist / bill).read_text())["metadata"]["component"]
        assert component["purl"] == "pkg:pypi/tiny-thing@0.1.0"
        assert component["hashes"] == [{"alg": "SHA-256", "content": sums[wheel]}]
        assert scene.git("status", "--porcelain") == "?? dist/"

    def test_uncommitted_changes_are_built_too_and_a_wrong_file_is_refused(self, scene: Scene) -> None:
        scene.project.write("src/tiny_thing/key.pem", "a secret")
        ran = scene.run("build")
        assert ran.code == 1, ran.text
        assert_says(ran.out, "1 uncommitted change")
        assert_says(ran.err, "tiny_thing-0.1.0-py3-none-any.whl", "tiny_thing/key.pem")
        assert not (scene.project.path / "dist").exists()


class TestCheck:
    def test_every_session_is_run_and_the_one_that_fails_is_named(self, scene: Scene) -> None:
        scene.project.replace("pyproject.toml", "sessions = []", 'sessions = ["trial"]\nchecks = ["steady"]')
        assert scene.run("check").code == 0
        ran = scene.run("check", TRIAL="refuse")
        assert ran.code == 1
        assert_says(ran.err, "error: Checks failed: trial -> ")

    def test_without_a_session_there_is_nothing_to_check(self, scene: Scene) -> None:
        scene.refuses("check", says=["session", "[tool.releaser.qualify]"])


class TestPublish:
    def test_files_of_a_directory_go_to_pypi_once(self, scene: Scene) -> None:
        dist = self._built_elsewhere(scene)
        for _ in range(2):
            ran = scene.run("publish.pypi", "--version", "0.2.0", "--dist", dist)
            assert ran.code == 0, ran.text
            assert sorted(scene.pypi.uploads()) == FILES
        assert {path.name for path in scene.state.rglob("*") if path.is_file()} == {
            "journal.head",
            "journal.jsonl",
            "lock",
            "pypi.json",
        }

    def test_files_of_a_directory_go_to_testpypi_and_are_installed_from_there(self, scene: Scene) -> None:
        ran = scene.run("publish.testpypi", "--version", "0.2.0", "--dist", self._built_elsewhere(scene))
        assert ran.code == 0, ran.text
        assert sorted(scene.testpypi.uploads()) == FILES
        assert_says(ran.out, "try_testpypi: done", "tiny-thing 0.2.0")
        assert scene.pypi.uploads() == []

    def test_testpypi_does_not_get_other_bytes_under_a_used_name(self, scene: Scene) -> None:
        scene.testpypi.accept(other_wheel(scene.others), "tiny-thing", "0.2.0")
        ran = scene.run("publish.testpypi", "--version", "0.2.0", "--dist", self._built_elsewhere(scene))
        assert ran.code == 3, ran.text
        assert_says(ran.err, "error: testpypi serves other bytes under 0.2.0", "-> Release 0.2.1 instead")

    def test_files_of_the_forges_release_go_to_the_index(self, scene: Scene) -> None:
        release = scene.with_dists()
        for step in (CreateTag(), PushTag(), DraftRelease(), UploadAssets(), PublishRelease()):
            step.run(release)
        built = release.built().upload_sha256
        self._forget(scene, release)
        ran = scene.run("publish.pypi", "--version", "0.2.0", "--from-release")
        assert ran.code == 0, ran.text
        log = (scene.pypi.folder / "uploads.log").read_text().splitlines()
        assert dict(line.split() for line in log) == built

    @pytest.mark.parametrize(
        ("words", "facts"),
        [
            ([], ["tiny-thing 0.2.0", "`invoke release --version 0.2.0`", "`invoke build`"]),
            (["--dist", "src"], ["src", "SHA256SUMS", "`invoke build`"]),
            (["--from-release"], ["v0.2.0", "`invoke release`"]),
        ],
        ids=["not built", "no checksums", "no release"],
    )
    def test_what_is_not_there_is_not_published(self, scene: Scene, words: list[str], facts: list[str]) -> None:
        scene.refuses("publish.pypi", "--version", "0.2.0", *words, says=facts)

    def test_files_of_another_version_are_not_published(self, scene: Scene) -> None:
        dist = self._built_elsewhere(scene)
        scene.refuses("publish.pypi", "--version", "0.3.0", "--dist", dist, says=["tiny_thing-0.2.0", "0.3.0"])
        assert scene.pypi.uploads() == []

    def test_files_that_were_changed_since_are_not_published(self, scene: Scene) -> None:
        dist = self._built_elsewhere(scene)
        with (dist / FILES[0]).open("ab") as wheel:
            wheel.write(b"more")
        scene.refuses("publish.pypi", "--version", "0.2.0", "--dist", dist, code=3, says=[FILES[0]])
        assert scene.pypi.uploads() == []

    def _built_elsewhere(self, scene: Scene) -> Path:
        """Files of 0.2.0 in a directory, and nothing in the state directory."""
        release = scene.with_dists()
        dist = shutil.copytree(release.store.dist, scene.others / "dist")
        self._forget(scene, release)
        return dist

    def _forget(self, scene: Scene, release: Release) -> None:
        scene.git("update-ref", "-d", release.ref)
        git(scene.project.path, "worktree", "remove", "--force", release.store.worktree)
        shutil.rmtree(scene.state)
