"""The annotated tag."""

from __future__ import annotations

from harness.scene import Scene

from releaser.core.step import Done, Todo
from releaser.steps.push.create_tag import CreateTag


def test_it_is_made_annotated_at_the_release_commit(scene: Scene) -> None:
    release, step = scene.with_release_commit(), CreateTag()
    assert isinstance(scene.check(step), Todo)
    step.run(release)
    assert isinstance(step.verify(release), Done)
    assert scene.git("cat-file", "-t", "v0.2.0") == "tag"
    assert scene.git("rev-parse", "v0.2.0^{commit}") == scene.git("rev-parse", "refs/releaser/v0.2.0")
    assert scene.git("for-each-ref", "--format=%(contents)", "refs/tags") == "Release version 0.2.0"


def test_a_tag_that_was_here_before_the_release_is_refused(scene: Scene) -> None:
    scene.git("tag", "--annotate", "v0.2.0", "--message", "Too early")
    scene.refused(CreateTag(), "v0.2.0", scene.project.head()[:12], remedy="`git tag --delete v0.2.0`")


def test_a_tag_on_another_commit_than_the_releases_is_refused(scene: Scene) -> None:
    commit = scene.with_release_commit().commit()
    scene.git("tag", "--annotate", "v0.2.0", "--message", "Elsewhere")
    scene.refused(
        CreateTag(), "v0.2.0", scene.project.head()[:12], str(commit)[:12], remedy="`git tag --delete v0.2.0`"
    )


def test_a_lightweight_tag_is_refused(scene: Scene) -> None:
    scene.bump_by_hand()
    scene.git("tag", "v0.2.0")
    scene.refused(CreateTag(), "v0.2.0", "lightweight", remedy="`git tag --delete v0.2.0`")
