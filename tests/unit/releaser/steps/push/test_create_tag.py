"""The annotated tag."""

from __future__ import annotations

import platform
import re

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
    said = scene.git("for-each-ref", "--format=%(contents)", "refs/tags")
    assert said == "Release version 0.2.0\n\nReleased-on: this machine"


def test_without_a_name_the_machine_gets_a_random_one_that_stays_and_never_the_hosts(scene: Scene) -> None:
    release, step = scene.with_release_commit(), CreateTag()
    scene.set(RELEASER_MACHINE=None)
    told = []
    for _ in range(2):
        step.run(release)
        told.append(scene.git("for-each-ref", "--format=%(contents:body)", "refs/tags"))
        release.git.delete_tag("v0.2.0")
    assert re.fullmatch(r"Released-on: machine [0-9a-f]{8}", told[0])
    assert told[1] == told[0]
    assert platform.node() not in told[0]


def test_a_message_of_ones_own_need_not_name_the_machine(scene: Scene) -> None:
    scene.project.configure("[tool.releaser]\n", '[tool.releaser]\ngit.tag-message = "Out: {version}"\n')
    scene.set(RELEASER_MACHINE=None)
    CreateTag().run(scene.with_release_commit())
    assert scene.git("for-each-ref", "--format=%(contents)", "refs/tags") == "Out: 0.2.0"
    assert not (scene.state / "machine").exists()


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
