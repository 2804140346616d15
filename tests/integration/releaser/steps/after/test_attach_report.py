"""The record of a release, attached to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness.scene import Scene

from releaser.core.step import Done, Skipped, Todo, Warned
from releaser.release import Release
from releaser.steps.after.attach_report import AttachReport
from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag
from releaser.steps.verify.verify_release import VerifyRelease

NAMES = ["tiny_thing-0.2.0.report.json", "tiny_thing-0.2.0.report.html"]


@pytest.fixture
def published(scene: Scene) -> Release:
    """0.2.0 is published on the forge, by a project that attaches its records."""
    scene.project.replace("pyproject.toml", "[tool.releaser.forge]\n", "[tool.releaser.forge]\nattach-report = true\n")
    scene.project.commit("Attach records")
    release = scene.with_dists()
    for step in (CreateTag(), PushTag(), DraftRelease(), UploadAssets(), PublishRelease()):
        step.run(release)
    return scene.release()


def test_it_is_attached_once_with_its_last_hash_in_the_notes_and_disturbs_no_other_step(
    published: Release, scene: Scene
) -> None:
    step = AttachReport()
    assert isinstance(scene.check(step), Todo)
    step.run(published)
    assert isinstance(scene.check(step), Done)
    before = scene.public()
    found = published.forge.find_release("v0.2.0")
    assert found is not None
    assert {asset.name for asset in found.assets} == {*published.built().assets, *NAMES}
    kept = json.loads((published.store.path / "attached" / NAMES[0]).read_bytes())
    assert f"`{kept['journal']['last']}`" in found.body
    assert isinstance(scene.check(DraftRelease()), Done)
    assert "did not build" not in str(scene.check(UploadAssets()))
    VerifyRelease().run(scene.release())
    step.run(scene.release())  # as after a kill: the same bytes, nothing twice
    assert scene.public() == before


def test_a_killed_one_goes_on_with_the_bytes_that_were_made(published: Release, scene: Scene) -> None:
    AttachReport().run(published)
    found = published.forge.find_release("v0.2.0")
    assert found is not None
    page = next(asset for asset in found.assets if asset.name == NAMES[1])
    published.forge.assets.delete(page.id)
    assert scene.check(AttachReport()) == Todo(f"attach {NAMES[1]}")
    AttachReport().run(scene.release())
    assert isinstance(scene.check(AttachReport()), Done)
    again = published.forge.find_release("v0.2.0")
    assert again is not None
    assert {one.name: one.sha256 for one in again.assets} == {one.name: one.sha256 for one in found.assets}
    assert again.body == found.body


def test_one_that_somebody_replaced_is_a_warning_and_stays(published: Release, scene: Scene, tmp_path: Path) -> None:
    AttachReport().run(published)
    found = published.forge.find_release("v0.2.0")
    assert found is not None
    (tmp_path / NAMES[1]).write_text("another page", "utf-8")
    published.forge.assets.delete(next(asset.id for asset in found.assets if asset.name == NAMES[1]))
    published.forge.assets.upload(found.id, tmp_path / NAMES[1], "text/html")
    assert scene.check(AttachReport()) == Warned(
        f"{NAMES[1]} is not what was attached", f"Find out who replaced it at {found.url}."
    )


def test_an_immutable_release_gets_the_last_hash_alone(scene: Scene) -> None:
    scene.project.configure("[tool.releaser.forge]\n", "[tool.releaser.forge]\nattach-report = true\n")
    (scene.forge.folder / "settings.json").write_text('{"immutable_releases": true}')
    release, step = scene.with_dists(), AttachReport()
    for one in (CreateTag(), PushTag(), DraftRelease(), UploadAssets(), PublishRelease()):
        one.run(release)
    step.run(release)
    outcome = step.verify(release)
    assert isinstance(outcome, Done)
    assert "its last hash is in the notes" in outcome.evidence
    found = release.forge.find_release("v0.2.0")
    assert found is not None
    assert {asset.name for asset in found.assets} == set(release.built().assets)


def test_a_project_that_does_not_ask_for_it_gets_none(scene: Scene) -> None:
    assert isinstance(scene.check(AttachReport()), Skipped)
