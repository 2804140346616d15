"""What must be true of the checkout before a release."""

from __future__ import annotations

import pytest
from harness.scene import Scene

from releaser.core.step import Done
from releaser.errors import ServiceError
from releaser.steps.preflight.checkout import BeClean, BeLevel, BeOnBranch, FindIdentity


@pytest.mark.parametrize("step", [BeClean(), BeLevel(), BeOnBranch(), FindIdentity()], ids=lambda step: step.name)
def test_nothing_stands_against_a_fresh_clone(scene: Scene, step: BeClean) -> None:
    assert isinstance(scene.check(step), Done)


class TestBeClean:
    def test_a_changed_file_is_refused(self, scene: Scene) -> None:
        scene.project.replace("README.md", "smallest", "tiniest")
        scene.refused(BeClean(), "1 uncommitted", "README.md", remedy="stash")

    def test_a_staged_file_is_refused(self, scene: Scene) -> None:
        scene.project.write("more.py", "")
        scene.git("add", "more.py")
        scene.refused(BeClean(), "1 uncommitted", "more.py", remedy="stash")

    def test_an_untracked_file_is_refused(self, scene: Scene) -> None:
        scene.project.write("notes.txt", "not for anybody")
        scene.refused(BeClean(), "1 uncommitted", "notes.txt", remedy="ignore")

    def test_of_many_files_five_are_named_and_all_are_counted(self, scene: Scene) -> None:
        for number in range(7):
            scene.project.write(f"notes{number}.txt", "")
        scene.refused(BeClean(), "7 uncommitted", "notes0.txt", "notes4.txt ...", remedy="stash")

    def test_an_ignored_file_does_not_matter(self, scene: Scene) -> None:
        scene.project.write("__pycache__/tasks.pyc", "")
        assert isinstance(scene.check(BeClean()), Done)


class TestBeOnBranch:
    def test_another_branch_is_refused(self, scene: Scene) -> None:
        scene.git("switch", "--quiet", "--create", "feature")
        scene.refused(BeOnBranch(), "feature", "main", remedy="`git switch main`")

    def test_a_detached_head_is_refused(self, scene: Scene) -> None:
        scene.git("switch", "--quiet", "--detach")
        scene.refused(BeOnBranch(), "HEAD is detached", "main", remedy="`git switch main`")


class TestBeLevel:
    def test_being_behind_the_remote_is_refused(self, scene: Scene) -> None:
        moved = scene.others_push()
        scene.refused(BeLevel(), "origin/main", moved[:12], "behind", remedy="`git pull --ff-only origin main`")

    def test_being_ahead_of_the_remote_is_refused(self, scene: Scene) -> None:
        scene.git("commit", "--quiet", "--allow-empty", "--message", "Not pushed")
        scene.refused(BeLevel(), "1 commit", "not on origin/main", remedy="`git push origin main`")

    def test_having_diverged_from_the_remote_is_refused(self, scene: Scene) -> None:
        moved = scene.others_push()
        scene.git("commit", "--quiet", "--allow-empty", "--message", "Not pushed")
        scene.refused(BeLevel(), "origin/main", moved[:12], "diverged", remedy="`git pull")

    def test_a_remote_without_the_branch_is_refused(self, scene: Scene) -> None:
        scene.at_origin("update-ref", "-d", "refs/heads/main")
        scene.refused(BeLevel(), "origin has no branch main", remedy="`git push origin main`")

    def test_a_remote_that_is_no_repository_is_told_in_gits_words(self, scene: Scene) -> None:
        scene.git("remote", "set-url", "origin", scene.state / "gone.git")
        scene.failed(
            ServiceError,
            BeLevel(),
            "remote origin",
            "gone.git' does not appear to be a git repository",
            remedy="access",
        )


class TestFindIdentity:
    def test_a_git_that_knows_no_name_is_refused(self, scene: Scene) -> None:
        settings = scene.project.path.with_name("nameless")
        settings.write_text("[user]\n\tuseConfigOnly = true\n")
        scene.set(GIT_CONFIG_GLOBAL=str(settings))
        scene.refused(FindIdentity(), "git has no name", "author and committer", remedy="`git config user.name")

    @pytest.mark.parametrize(("known", "lacking"), [("COMMITTER", "author"), ("AUTHOR", "committer")])
    def test_a_git_that_knows_only_one_of_author_and_committer_is_refused(
        self, scene: Scene, known: str, lacking: str
    ) -> None:
        settings = scene.project.path.with_name("nameless")
        settings.write_text("[user]\n\tuseConfigOnly = true\n")
        names = {f"GIT_{known}_NAME": "CI", f"GIT_{known}_EMAIL": "ci@localhost"}
        scene.set(GIT_CONFIG_GLOBAL=str(settings), **names)
        scene.refused(FindIdentity(), f"for the {lacking} of", remedy="`git config user.name")
