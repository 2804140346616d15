"""`invoke status --checklist`: boxes ticked from evidence, and by people."""

from __future__ import annotations

import json

import pytest
from harness.scene import Ran, Scene

from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag
from releaser.store import Receipt


def checklist(scene: Scene, *words: str) -> Ran:
    return scene.run("status", "--checklist", "--version", "0.2.0", *words)


def test_boxes_are_ticked_by_what_is_asked_now(scene: Scene) -> None:
    with scene.unchanged():
        before = checklist(scene)
    assert before.code == 0, before.text
    assert "[x] version files agree" in before.out
    assert "[ ] tests of the commit passed on the forge" in before.out
    assert "[ ] branch and tag pushed" in before.out
    release = scene.with_dists()
    for step in (CreateTag(), PushTag(), DraftRelease(), UploadAssets(), PublishRelease()):
        step.run(release)
    after = checklist(scene)
    assert "[x] branch and tag pushed" in after.out
    assert "[x] release published" in after.out
    assert "(publish_release, 2" in after.out
    assert "[ ] PyPI serves the files" in after.out


def test_what_was_tried_has_the_time_of_its_receipt_and_is_not_ticked_when_the_index_says_otherwise(
    scene: Scene,
) -> None:
    release = scene.with_dists()
    dists = release.built()
    for path in dists.uploads:
        scene.pypi.accept(path, "tiny-thing", "0.2.0")
    wheel = dists.sha256[dists.wheel.name]
    for step in ("install_from_pypi", "upgrade_from_pypi", "verify_index_files"):
        release.store.write_receipt(release.journal, wheel, step, Receipt(f"{step} saw it"))

    def box() -> dict[str, str]:
        ran = checklist(scene, "--json")
        return next(one for one in json.loads(ran.out)["boxes"] if one["title"] == "installation from PyPI")

    ticked = box()
    assert ticked["state"] == "ticked"
    assert "receipt of install_from_pypi of 20" in ticked["source"]
    scene.pypi.manage("tiny-thing", "0.2.0", action="yank", reason="does not start")
    now = box()
    assert (now["state"], now["part"]) == ("open", "after")
    assert "yanked: does not start" in now["evidence"]


def test_what_is_open_is_listed(scene: Scene) -> None:
    late = {"number": 7, "title": "Late feature", "state": "open", "milestone": "v0.2.0"}
    issues = [late, {"number": 8, "title": "Another", "state": "open"}]
    scene.forge.hold({"milestones": [{"number": 1, "title": "v0.2.0", "state": "open"}], "issues": issues})
    scene.project.write("docs/install.md", "pip install tiny-thing==0.1.0, not 10.1.0 or 0.1.0.1\n")
    waiting = "[tool.releaser.wait]"
    scene.project.configure(waiting, f'[tool.releaser.after]\ndownstream = ["big-thing"]\n\n{waiting}')
    ran = checklist(scene)
    assert "1 open: #7 Late feature" in ran.out
    assert "these name 0.1.0: docs/install.md (1)" in ran.out
    assert "big-thing" in ran.out


def test_what_only_people_know_is_ticked_by_them_with_a_note(scene: Scene) -> None:
    ran = checklist(scene, "--tick", "announce=posted in the forum")
    assert ran.code == 0, ran.text
    assert "[x] announce: announced where users read it" in ran.out
    later = checklist(scene)
    assert "posted in the forum (Somebody <somebody@localhost>, 2" in later.out
    assert "[ ] roadmap: " in later.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--tick", "release published=yes"), "No person can tick release published"),
        (("--tick", "announce"), 'Give one: `--tick announce="what was done"`'),
        (("--tick", "announce=posted", "--tick", "roadmap="), 'Give one: `--tick roadmap="what was done"`'),
    ],
)
def test_a_tick_that_says_nothing_is_refused(scene: Scene, words: tuple[str, ...], says: str) -> None:
    with scene.unchanged():
        ran = checklist(scene, *words)
    assert ran.code == 2
    assert says in ran.err
