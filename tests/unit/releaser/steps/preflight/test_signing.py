"""What git does by itself when it commits and tags is proved or named before anything changes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from harness.scene import Scene

from releaser.core.step import Done
from releaser.steps.preflight.signing import KnowHooks, SignSomething


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ssh key without a passphrase."""
    path = tmp_path_factory.mktemp("key") / "key"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "somebody@localhost", "-f", path]
    subprocess.run(words, check=True)
    return path


class TestSignSomething:
    def test_without_signing_there_is_nothing_to_prove(self, scene: Scene) -> None:
        assert scene.check(SignSomething()) == Done("git signs neither commits nor tags")

    @pytest.mark.parametrize(("setting", "what"), [("tag.gpgSign", "tags"), ("commit.gpgSign", "commits")])
    def test_a_key_that_works_is_proved_and_nothing_is_kept(
        self, scene: Scene, key: Path, setting: str, what: str
    ) -> None:
        for name, value in ((setting, "true"), ("gpg.format", "ssh"), ("user.signingKey", key)):
            scene.git("config", name, value)
        before = scene.git("count-objects")
        assert scene.check(SignSomething()) == Done(f"git signs {what} (ssh); a signature was made")
        assert scene.git("count-objects") == before

    @pytest.mark.parametrize("kind", ["ssh", "openpgp", "x509"])
    def test_a_key_that_cannot_be_used_is_refused(self, scene: Scene, kind: str, tmp_path: Path) -> None:
        settings = {"tag.gpgSign": "true", "gpg.format": kind, "user.signingKey": tmp_path / "no-such-key"}
        settings |= {"gpg.program": "no-such-gpg", "gpg.x509.program": "no-such-gpgsm"}
        for name, value in settings.items():
            scene.git("config", name, value)
        scene.refused(SignSomething(), f"git is set to sign tags ({kind}) and cannot:", remedy="user.signingKey")

    def test_once_the_tag_exists_no_key_is_asked_for(self, scene: Scene) -> None:
        scene.git("tag", "--annotate", "v0.2.0", "--message", "Made before")
        scene.git("config", "tag.gpgSign", "true")
        assert scene.check(SignSomething()) == Done("git signs tags; the tag exists")


class TestKnowHooks:
    def test_hooks_that_cannot_refuse_do_not_matter(self, scene: Scene) -> None:
        add(scene.project.path / ".git" / "hooks", "post-commit")
        assert scene.check(KnowHooks()) == Done("none that could refuse")

    def test_those_that_can_are_named(self, scene: Scene) -> None:
        add(scene.project.path / ".git" / "hooks", "commit-msg", "pre-push")
        assert scene.check(KnowHooks()) == Done(
            "commit-msg, pre-push will run; pre-push is tried before anything is public"
        )

    def test_hooks_elsewhere_are_found_and_their_place_is_named(self, scene: Scene) -> None:
        add(scene.others / "hooks", "pre-commit")
        scene.git("config", "core.hooksPath", scene.others / "hooks")
        assert scene.check(KnowHooks()) == Done(f"pre-commit will run (core.hooksPath is {scene.others / 'hooks'})")


def add(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\nexit 0\n")
        (folder / name).chmod(0o755)
