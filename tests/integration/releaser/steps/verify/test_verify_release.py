"""The published release, as users find it."""

from __future__ import annotations

import pytest
from harness.scene import Scene

from releaser.core.step import Done
from releaser.errors import StepError, ToleratedError
from releaser.release import Release
from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag
from releaser.steps.verify.verify_release import VerifyRelease


@pytest.fixture
def published(scene: Scene) -> Release:
    """0.2.0 on the forge."""
    release = scene.with_dists()
    for step in (CreateTag(), PushTag(), DraftRelease(), UploadAssets(), PublishRelease()):
        step.run(release)
    return scene.release()


def test_the_forges_choice_of_the_latest_release_is_no_fault_of_this_one(published: Release, scene: Scene) -> None:
    scene.git("push", "--quiet", "origin", "HEAD:refs/tags/v0.5.0")
    with pytest.raises(ToleratedError, match=r"v0\.2\.0 is right, but the forge shows it as the latest release"):
        VerifyRelease().run(published)


def test_other_notes_are(published: Release) -> None:
    found = published.forge.find_release("v0.2.0")
    assert found
    published.forge.update_release(found.id, body="Nothing much")
    with pytest.raises(StepError, match="its notes lack the changelog's section"):
        VerifyRelease().run(published)


def test_what_was_right_and_is_not_any_more_is_said(published: Release, scene: Scene) -> None:
    VerifyRelease().run(published)
    assert isinstance(scene.check(VerifyRelease()), Done)
    found = published.forge.find_release("v0.2.0")
    assert found
    asset = next(one for one in found.assets if one.name.endswith(".whl"))
    published.forge.assets.delete(asset.id)
    scene.git("push", "--quiet", "--force", "origin", "HEAD:refs/tags/v0.2.0")
    scene.refused(
        VerifyRelease(), f"{asset.name} was deleted or replaced", "it is not at the release commit", remedy=found.url
    )
