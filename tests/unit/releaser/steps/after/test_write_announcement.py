from __future__ import annotations

from harness.scene import Scene, assert_says

from releaser.core.runner import Runner
from releaser.core.step import Done, Phase, Todo, Warned, in_order
from releaser.steps.after.write_announcement import WriteAnnouncement


def test_it_has_the_notes_and_how_to_install(scene: Scene) -> None:
    release = scene.with_release_commit()
    assert isinstance(scene.check(WriteAnnouncement()), Todo)
    WriteAnnouncement().run(release)
    text = (release.store.path / "announcement.md").read_text("utf-8")
    assert_says(text, "tiny-thing 0.2.0", "Says who it is.", "pip install --upgrade tiny-thing==0.2.0", "/v0.2.0")


def test_a_place_where_nothing_can_be_written_is_a_warning(scene: Scene) -> None:
    release = scene.with_release_commit()
    (release.store.path / ".announcement.md.part").mkdir()  # refuses root too, whom no mode stops
    (result,) = Runner((Phase("after", "wrapped up", in_order(WriteAnnouncement())),), release).run(lambda _: None)
    assert isinstance(result.outcome, Warned)
    assert_says(result.outcome.reason, "announcement.md")
    assert result.outcome.remedy


def test_one_that_somebody_has_edited_is_left_alone(scene: Scene) -> None:
    release = scene.with_release_commit()
    (release.store.path / "announcement.md").write_text("In my own words.")
    assert isinstance(scene.check(WriteAnnouncement()), Done)
