"""The forge's release: drafted, filled, published, taken back."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from harness.scene import Scene, assert_says

from releaser.adapters.forge.records import ReleaseInfo
from releaser.core.files import sha256
from releaser.core.step import Conflict, Done, Todo
from releaser.errors import ConflictError, StepError, ToleratedError
from releaser.release import Release
from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag
from releaser.steps.verify.verify_release import VerifyRelease

PUBLISHED = {"tag_name": "v0.2.0", "name": "v0.2.0"}


def pushed(scene: Scene) -> None:
    release = scene.with_dists()
    CreateTag().run(release)
    PushTag().run(release)


def drafted(scene: Scene, *, filled: bool = True, published: bool = False) -> tuple[Release, ReleaseInfo]:
    """Bring the release to its draft, with its assets or without, or publish it; return what the forge has of it."""
    pushed(scene)
    release = scene.release()
    for step in (DraftRelease(), *([UploadAssets()] if filled else []), *([PublishRelease()] if published else [])):
        step.run(release)
    found = release.forge.find_release("v0.2.0")
    assert found
    return release, found


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

    def test_a_draft_of_an_earlier_run_is_brought_up_to_date(self, scene: Scene) -> None:
        pushed(scene)
        DraftRelease().run(replace(scene.release(), description="Another title"))
        assert scene.forge.releases()[0]["name"] == "v0.2.0 - Another title"
        assert isinstance(scene.check(DraftRelease()), Todo)
        DraftRelease().run(scene.release())
        (made,) = scene.forge.releases()
        assert scene.release().notes() in made["body"]
        assert isinstance(scene.check(DraftRelease()), Done)

    @pytest.mark.parametrize("draft", [True, False])
    def test_what_a_person_wrote_is_kept_or_replaced_by_choice(self, scene: Scene, draft: bool) -> None:
        words = {"name": "Our finest", "body": "Nothing much"}
        release, found = drafted(scene, published=not draft)
        release.forge.update_release(found.id, **words)
        scene.refused(DraftRelease(), "v0.2.0", "notes", remedy="`--choose draft_release=theirs`")

        theirs = replace(scene.release(), choices={"draft_release": "theirs"})
        assert isinstance(DraftRelease().check(theirs), Todo)
        DraftRelease().run(theirs)
        assert isinstance(scene.check(DraftRelease()), Done)
        PublishRelease().run(scene.release())
        VerifyRelease().run(scene.release())
        (made,) = scene.forge.releases()
        assert (made["name"], made["body"], made["draft"]) == (*words.values(), False)
        assert isinstance(scene.check(VerifyRelease()), Done)

    def test_what_a_person_wrote_is_replaced_by_choice(self, scene: Scene) -> None:
        pushed(scene)
        scene.forge.hold({"releases": [{**PUBLISHED, "body": "Nothing much", "draft": True}]})
        scene.refused(DraftRelease(), "somebody has edited", remedy="`--choose draft_release=ours`")
        ours = replace(scene.release(), choices={"draft_release": "ours"})
        assert isinstance(DraftRelease().check(ours), Todo)
        DraftRelease().run(ours)
        assert scene.release().notes() in scene.forge.releases()[0]["body"]
        assert isinstance(scene.check(DraftRelease()), Done)


class TestUploadAssets:
    def test_a_published_release_that_lacks_files_is_refused(self, scene: Scene) -> None:
        release = scene.with_dists()
        scene.forge.hold({"releases": [{**PUBLISHED, "body": release.notes()}]})
        scene.refused(UploadAssets(), "v0.2.0", "SHA256SUMS", release.built().wheel.name, remedy="next version")

    def test_what_is_missing_in_a_draft_is_uploaded_and_nothing_twice(self, scene: Scene) -> None:
        release, _ = drafted(scene)
        (made,) = scene.forge.releases()
        wheel = next(one for one in made["assets"] if one["name"].endswith(".whl"))
        release.forge.assets.delete(wheel["id"])
        assert scene.check(UploadAssets()) == Todo(f"attach {wheel['name']}")
        UploadAssets().run(release)
        assert isinstance(scene.check(UploadAssets()), Done)
        assert sum(" /uploads/" in one for one in scene.forge.mutations()) == len(made["assets"]) + 1

    @pytest.mark.parametrize("how", ["theirs", "ours"])
    def test_what_others_attached_to_the_draft_is_kept_or_deleted_by_choice(
        self, scene: Scene, how: str, tmp_path: Path
    ) -> None:
        release, found = drafted(scene)
        (tmp_path / "slides.txt").write_text("A talk")
        release.forge.assets.upload(found.id, tmp_path / "slides.txt", "text/plain")
        scene.refused(UploadAssets(), "slides.txt", remedy=f"`--choose upload_assets={how}`")

        chosen = replace(scene.release(), choices={"upload_assets": how})
        assert isinstance(UploadAssets().check(chosen), Todo)
        UploadAssets().run(chosen)
        outcome = scene.check(UploadAssets())
        assert isinstance(outcome, Done)
        assert ("slides.txt" in outcome.evidence) == (how == "theirs")
        PublishRelease().run(release)
        VerifyRelease().run(scene.release())
        said = scene.check(VerifyRelease())
        assert isinstance(said, Done)
        more = ", and 1 that this release did not build: slides.txt" if how == "theirs" else ""
        assert said.evidence.startswith(f"3 assets byte for byte{more};")

    def test_a_built_file_that_somebody_replaced_in_the_draft_is_put_back_by_choice_alone(
        self, scene: Scene, tmp_path: Path
    ) -> None:
        release, found = drafted(scene)
        wheel = release.built().wheel
        theirs = tmp_path / wheel.name
        theirs.write_bytes(b"A stranger's")
        release.forge.assets.upload(found.id, theirs, "application/zip")
        held = scene.forge.releases()

        scene.refused(UploadAssets(), "other bytes", wheel.name, remedy="`--choose upload_assets=ours`")
        with pytest.raises(ConflictError, match=f"under the name of a built file: {wheel.name}"):
            UploadAssets().run(scene.release())
        kept = UploadAssets().check(replace(scene.release(), choices={"upload_assets": "theirs"}))
        assert isinstance(kept, Conflict)
        assert "cannot be kept under that name" in kept.what
        assert scene.forge.releases() == held

        ours = replace(scene.release(), choices={"upload_assets": "ours"})
        assert UploadAssets().check(ours) == Todo(f"attach {wheel.name}")
        UploadAssets().run(ours)
        assert scene.check(UploadAssets()) == Done("3 assets as built")

    def test_what_an_earlier_build_here_attached_is_replaced_without_a_question(
        self, scene: Scene, tmp_path: Path
    ) -> None:
        release, found = drafted(scene, filled=False)
        earlier = tmp_path / release.built().sdist.name
        earlier.write_bytes(b"Ours, before a rollback that the draft survived")
        release.journal.write("attaching", file=earlier.name, sha256=sha256(earlier))
        release.forge.assets.upload(found.id, earlier, "application/gzip")
        assert isinstance(scene.check(UploadAssets()), Todo)
        UploadAssets().run(release)
        assert scene.check(UploadAssets()) == Done("3 assets as built")

    def test_a_record_that_is_in_the_draft_already_is_not_taken_for_ours(self, scene: Scene, tmp_path: Path) -> None:
        release, found = drafted(scene)
        forged = tmp_path / "tiny_thing-0.2.0.report.json"
        forged.write_text("{}")
        release.forge.assets.upload(found.id, forged, "application/json")
        scene.refused(UploadAssets(), "did not build", forged.name, remedy="`--choose upload_assets=ours`")


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
    (published,) = scene.forge.releases()
    release.forge.delete_release(published["id"])
    with pytest.raises(StepError, match="was used by an immutable release") as caught:
        DraftRelease().run(release)
    assert_says(caught.value.remedy, "Run `invoke rollback --version 0.2.0`", "release 0.2.1")
