"""The forge's release: drafted, filled, published, taken back."""

from __future__ import annotations

import hashlib

import pytest
from harness.scene import Scene, assert_says

from releaser.core.step import Done, NothingToUndo, Todo, Undone
from releaser.errors import StepError, ToleratedError
from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag

PUBLISHED = {"tag_name": "v0.2.0", "name": "v0.2.0"}


def pushed(scene: Scene) -> None:
    release = scene.with_dists()
    CreateTag().run(release)
    PushTag().run(release)


def test_each_fact_is_to_do_then_made_then_done(scene: Scene) -> None:
    pushed(scene)
    release = scene.release()
    for step in (DraftRelease(), UploadAssets(), PublishRelease()):
        assert isinstance(scene.check(step), Todo), step.name
        step.run(release)
        assert isinstance(step.verify(release), Done), step.name

    (made,) = scene.forge.releases()
    assert (made["tag_name"], made["draft"], made["prerelease"]) == ("v0.2.0", False, False)
    assert release.notes() in made["body"]
    stored = {one["name"]: scene.forge.folder / "assets" / str(one["id"]) for one in made["assets"]}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in stored.items()} == (
        release.built().assets
    )


class TestDraftRelease:
    def test_a_published_one_with_other_notes_is_refused_with_its_address(self, scene: Scene) -> None:
        scene.forge.hold({"releases": [{**PUBLISHED, "body": "Nothing much"}]})
        address = f"{scene.forge.url}/someone/tiny-thing/releases/tag/v0.2.0"
        scene.refused(DraftRelease(), "v0.2.0", "published", "notes", remedy=address)

    def test_a_published_one_with_the_right_notes_is_done(self, scene: Scene) -> None:
        notes = scene.release().notes()
        scene.forge.hold({"releases": [{**PUBLISHED, "body": f"{notes}\n\nMore.".replace("\n", "\r\n")}]})
        assert isinstance(scene.check(DraftRelease()), Done)

    def test_a_draft_with_other_words_is_brought_up_to_date(self, scene: Scene) -> None:
        pushed(scene)
        scene.forge.hold({"releases": [{**PUBLISHED, "body": "Nothing much", "draft": True}]})
        assert isinstance(scene.check(DraftRelease()), Todo)
        DraftRelease().run(scene.release())
        (made,) = scene.forge.releases()
        assert scene.release().notes() in made["body"]
        assert isinstance(scene.check(DraftRelease()), Done)

    def test_it_is_deleted(self, scene: Scene) -> None:
        pushed(scene)
        release = scene.release()
        assert isinstance(DraftRelease().undo(release), NothingToUndo)
        DraftRelease().run(release)
        assert isinstance(DraftRelease().undo(release), Undone)
        assert scene.forge.releases() == []


class TestUploadAssets:
    def test_a_published_release_that_lacks_files_is_refused(self, scene: Scene) -> None:
        release = scene.with_dists()
        scene.forge.hold({"releases": [{**PUBLISHED, "body": release.notes()}]})
        scene.refused(UploadAssets(), "v0.2.0", "SHA256SUMS", release.built().wheel.name, remedy="next version")

    def test_what_is_missing_in_a_draft_is_uploaded_and_nothing_twice(self, scene: Scene) -> None:
        pushed(scene)
        release = scene.release()
        DraftRelease().run(release)
        UploadAssets().run(release)
        (made,) = scene.forge.releases()
        wheel = next(one for one in made["assets"] if one["name"].endswith(".whl"))
        release.forge.assets.delete(wheel["id"])
        assert scene.check(UploadAssets()) == Todo(f"attach {wheel['name']}")
        UploadAssets().run(release)
        assert isinstance(scene.check(UploadAssets()), Done)
        assert sum(" /uploads/" in one for one in scene.forge.mutations()) == len(made["assets"]) + 1


def test_a_category_that_is_not_there_does_not_keep_the_release_from_its_users(scene: Scene) -> None:
    scene.project.configure("[tool.releaser.forge]\n", '[tool.releaser.forge]\ndiscussion-category = "News"\n')
    pushed(scene)
    scene.forge.hold({"discussion_categories": ["Announcements"]})
    release = scene.release()
    DraftRelease().run(release)
    with pytest.raises(ToleratedError, match="published without a discussion in 'News': GitHub at") as caught:
        PublishRelease().run(release)
    assert "releases/tag/v0.2.0, and correct discussion-category" in caught.value.remedy
    assert isinstance(scene.check(PublishRelease()), Done)


def test_a_tag_whose_immutable_release_was_deleted_has_a_way_out(scene: Scene) -> None:
    pushed(scene)
    (scene.forge.folder / "settings.json").write_text('{"immutable_releases": true}')
    release = scene.release()
    for step in (DraftRelease(), UploadAssets(), PublishRelease()):
        step.run(release)
    DraftRelease().undo(release)
    with pytest.raises(StepError, match="was used by an immutable release") as caught:
        DraftRelease().run(release)
    assert_says(caught.value.remedy, "Run `invoke rollback --version 0.2.0`", "release 0.2.1")
