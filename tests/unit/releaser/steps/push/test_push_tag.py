"""Branch and tag at the remote."""

from __future__ import annotations

import pytest
from harness.scene import Scene

from releaser.core.step import Done, Todo
from releaser.errors import ServiceError
from releaser.rehearsal import remote
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag


def test_both_are_pushed_together(scene: Scene) -> None:
    release, step = scene.with_release_commit(), PushTag()
    CreateTag().run(release)
    assert isinstance(scene.check(step), Todo)
    step.run(release)
    assert isinstance(step.verify(release), Done)
    assert scene.at_origin("cat-file", "-t", "v0.2.0") == "tag"
    assert scene.at_origin("rev-parse", "main", "v0.2.0^{commit}").split() == [release.commit()] * 2


def test_of_both_nothing_arrives_where_the_remote_refuses(scene: Scene) -> None:
    release, before = scene.with_release_commit(), scene.at_origin("for-each-ref")
    CreateTag().run(release)
    remote.guard(scene.origin, {"refuse": ""})
    with pytest.raises(ServiceError, match="pushes are refused for now"):
        PushTag().run(release)
    assert scene.at_origin("for-each-ref") == before


def test_a_push_that_the_remote_refuses_names_the_way_by_a_pull_request(scene: Scene) -> None:
    remote.guard(scene.origin, {"refuse": ""})
    release = scene.with_release_commit()
    CreateTag().run(release)
    with pytest.raises(ServiceError) as caught:
        PushTag().run(release)
    assert "pushes are refused for now" in caught.value.message
    assert "If main takes only pull requests, run `invoke rollback --version 0.2.0`" in caught.value.remedy
    assert "`invoke version.bump --to 0.2.0`, `invoke changelog.rotate --version 0.2.0`" in caught.value.remedy


def test_a_branch_that_is_there_already_is_not_pushed_again(scene: Scene) -> None:
    release, step = scene.with_release_commit(), PushTag()
    CreateTag().run(release)
    scene.git("push", "--quiet", "origin", f"{release.commit()}:refs/heads/main")
    scene.others_push()
    assert isinstance(scene.check(step), Todo)
    step.run(release)
    assert isinstance(step.verify(release), Done)


def test_a_tag_on_another_commit_is_refused(scene: Scene) -> None:
    scene.git("push", "--quiet", "origin", "HEAD:refs/tags/v0.2.0")
    scene.refused(
        PushTag(), "origin", "v0.2.0", "another commit", scene.project.head()[:12], remedy="release the next version"
    )


def test_a_lightweight_tag_is_refused(scene: Scene) -> None:
    scene.bump_by_hand()
    scene.git("push", "--quiet", "origin", "HEAD:refs/tags/v0.2.0")
    scene.refused(PushTag(), "v0.2.0", "lightweight", remedy="next version")


def test_a_branch_that_has_moved_since_the_release_commit_is_refused(scene: Scene) -> None:
    commit, moved = scene.with_release_commit().commit(), scene.others_push()
    scene.refused(PushTag(), "origin/main", moved[:12], str(commit)[:12], remedy="`invoke rollback --version 0.2.0`")


def test_a_remote_that_is_no_repository_is_told_in_gits_words(scene: Scene) -> None:
    scene.git("remote", "set-url", "origin", scene.state / "gone.git")
    scene.failed(ServiceError, PushTag(), "origin", "does not appear to be a git repository", remedy="access")
