"""The report that a release ends with."""

from __future__ import annotations

import pytest
from harness.scene import NOWHERE, Scene, assert_says

from releaser.core.results import Result
from releaser.core.step import Done, Skipped, Warned
from releaser.release import Release
from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag
from releaser.texts import report

RESULTS = [
    Result("push_tag", "", "push", Done("v0.2.0 at 0123456789ab"), 1.25),
    Result("upload_testpypi", "", "testpypi", Skipped("left out by --skip testpypi")),
    Result("try_testpypi", "", "testpypi", Skipped("left out by --skip testpypi")),
]


@pytest.fixture
def published(scene: Scene) -> Release:
    """0.2.0 is on the forge and on PyPI."""
    release = scene.with_dists()
    for step in (CreateTag(), PushTag(), DraftRelease(), UploadAssets(), PublishRelease()):
        step.run(release)
    for path in release.built().uploads:
        scene.pypi.accept(path, "tiny-thing", "0.2.0")
    return scene.release()


LEFT_OUT = dict.fromkeys(("upload_testpypi", "try_testpypi"), "left out by --skip testpypi")


def test_it_tells_where_everything_is(published: Release) -> None:
    text = report.compose(published, RESULTS, {})
    commit = published.commit()
    assert f"- release commit: {commit}\n" in text
    assert f"- tag: v0.2.0, annotated, at {commit}\n" in text
    assert "published, latest" in text
    wheel = published.built().wheel.name
    assert f"| {wheel} | {published.built().sha256[wheel]} | - | same | same |\n" in text


def test_it_tells_what_was_seen_and_how_long_that_took(published: Release) -> None:
    assert "- push_tag: v0.2.0 at 0123456789ab (1.2 s)\n" in report.compose(published, RESULTS, {})


def test_what_was_left_out_is_told_first_and_among_what_was_skipped_with_one_line_a_reason(published: Release) -> None:
    text = report.compose(published, RESULTS, LEFT_OUT)
    first, _, rest = text.partition("- release commit:")
    assert_says(first.lower(), "left out by --skip testpypi", "upload_testpypi", "try_testpypi")
    assert "- upload_testpypi, try_testpypi: left out by --skip testpypi\n" in rest


def test_a_warning_is_told_first_with_its_remedy(published: Release) -> None:
    warned = Warned("git did not move main:\nIt is locked", "Run `git merge`.")
    text = report.compose(published, [Result("fast_forward", "", "after", warned)], {})
    first, _, rest = text.partition("- release commit:")
    assert "- **Not done: fast_forward: git did not move main: | It is locked.** Run `git merge`.\n" in first
    assert "fast_forward" not in rest


def lose_testpypi(scene: Scene) -> None:
    pyproject = scene.project.path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace(scene.testpypi.url, NOWHERE))


@pytest.mark.parametrize(
    ("lose", "silent", "part"),
    [
        (
            lose_testpypi,
            "testpypi: testpypi at http://127.0.0.1:1/simple/ refused the connection",
            "| - | same | same |",
        ),
        (lambda scene: scene.set(GITHUB_TOKEN="ghp_0123456789expired"), "the forge: ", "- release: unknown\n"),
    ],
    ids=["TestPyPI is away", "the token has expired"],
)
def test_a_service_that_does_not_answer_now_is_a_line_of_the_report(
    published: Release, scene: Scene, lose, silent: str, part: str
) -> None:
    lose(scene)
    text = report.compose(scene.release(), RESULTS, {})
    first, _, _ = text.partition("- release commit:")
    assert_says(first, "**Not asked once more for this report:", silent)
    assert part in text


def test_an_index_that_was_left_out_is_not_asked(published: Release, scene: Scene) -> None:
    asked = scene.testpypi.count("GET")
    report.compose(published, RESULTS, LEFT_OUT)
    assert scene.testpypi.count("GET") == asked
