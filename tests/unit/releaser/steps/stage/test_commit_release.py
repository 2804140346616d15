"""The release commit, made in a working tree of its own."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from harness.scene import Scene

from releaser.core.step import Done, Skipped, Todo
from releaser.errors import ChangelogError, CommandError
from releaser.steps.preflight.project import HaveChanges
from releaser.steps.stage.bump_versions import BumpVersions
from releaser.steps.stage.commit_release import CommitRelease
from releaser.steps.stage.open_worktree import OpenWorktree
from releaser.steps.stage.rotate_changelog import RotateChangelog

STEPS = (OpenWorktree(), BumpVersions(), RotateChangelog(), CommitRelease())


def test_each_fact_is_to_do_then_made_then_done_and_the_checkout_stays(scene: Scene) -> None:
    before, release = scene.project.snapshot(), scene.release()
    head = scene.project.head()
    days = {datetime.now(timezone.utc).date().isoformat()}
    for step in STEPS:
        assert isinstance(scene.check(step), Todo), step.name
        step.run(release)
        assert isinstance(step.verify(release), Done), step.name
    days.add(datetime.now(timezone.utc).date().isoformat())

    commit = scene.git("rev-parse", "refs/releaser/v0.2.0")
    assert scene.git("rev-parse", f"{commit}^") == head
    assert scene.git("diff", "--name-only", head, commit).splitlines() == [
        "CHANGELOG.md",
        "pyproject.toml",
        "src/tiny_thing/__init__.py",
    ]
    changelog = scene.git("show", f"{commit}:CHANGELOG.md")
    assert any(f"## [Unreleased]\n\n## [0.2.0] - {day}\n\nSays who it is." in changelog for day in days)
    assert release.store.bundle.exists()
    assert {name: one for name, one in scene.project.snapshot().items() if not name.startswith(".git/")} == {
        name: one for name, one in before.items() if not name.startswith(".git/")
    }


def test_a_prerelease_leaves_the_changelog_alone(scene: Scene) -> None:
    assert isinstance(scene.check(RotateChangelog(), version="0.2.0-rc.1"), Skipped)
    commit = scene.with_release_commit("0.2.0-rc.1").commit()
    assert scene.git("diff", "--name-only", "main", str(commit)).splitlines() == [
        "pyproject.toml",
        "src/tiny_thing/__init__.py",
    ]


def test_a_commit_that_declares_the_version_already_is_kept_as_it_is(scene: Scene) -> None:
    scene.bump_by_hand()
    release = scene.with_release_commit()
    assert release.commit() == scene.project.head()


def test_the_commit_is_the_same_in_another_clone_that_has_the_store(scene: Scene) -> None:
    commit = scene.with_release_commit().commit()
    other = scene.in_another_clone()
    assert other.release().commit() == commit
    assert other.git("rev-parse", "refs/releaser/v0.2.0") == commit


class TestLinks:
    def test_what_a_link_leads_to_is_changed_and_committed_and_the_link_stays(self, scene: Scene) -> None:
        for name in ("CHANGELOG.md", "pyproject.toml"):
            (scene.project.path / "docs").mkdir(exist_ok=True)
            scene.git("mv", name, f"docs/{name.lower()}")
            (scene.project.path / name).symlink_to(f"docs/{name.lower()}")
        scene.project.commit("Keep them elsewhere")
        head = scene.project.head()

        release = scene.with_release_commit()

        commit = str(release.commit())
        assert scene.git("diff", "--name-only", head, commit).splitlines() == [
            "docs/changelog.md",
            "docs/pyproject.toml",
            "src/tiny_thing/__init__.py",
        ]
        assert "## [0.2.0]" in scene.git("show", f"{commit}:docs/changelog.md")
        assert "Says who it is." in release.notes()
        assert isinstance(scene.check(CommitRelease()), Done)
        release.git.delete_ref(release.ref)
        assert release.release_commit.declares(commit)

    def test_a_link_out_of_the_repository_is_refused_before_anything_is_made(self, scene: Scene) -> None:
        outside = scene.project.path.with_name("elsewhere.md")
        (scene.project.path / "CHANGELOG.md").rename(outside)
        (scene.project.path / "CHANGELOG.md").symlink_to(outside)
        scene.project.commit("Share it")

        scene.failed(ChangelogError, HaveChanges(), "CHANGELOG.md", "leads outside the project", remedy="Replace")


def test_a_hook_that_refuses_the_commit_does_so_before_anything_is_public(scene: Scene) -> None:
    hook = scene.project.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no Friday releases >&2\nexit 1\n")
    hook.chmod(0o755)
    before = scene.at_origin("for-each-ref")
    with pytest.raises(CommandError, match="no Friday releases"):
        scene.with_release_commit()
    assert scene.at_origin("for-each-ref") == before
    hook.unlink()
    assert scene.with_release_commit().commit()
