"""`invoke changelog.check`, `notes` and `rotate`."""

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest
from harness.scene import Scene, assert_says

LINKS = """
[unreleased]: https://example.invalid/tiny-thing/compare/v0.1.0...HEAD
[0.1.0]: https://example.invalid/tiny-thing/releases/tag/v0.1.0
"""


@pytest.fixture(autouse=True)
def _linked(scene: Scene) -> None:
    """The changelog has the links of its sections at its foot."""
    scene.project.write("CHANGELOG.md", (scene.project.path / "CHANGELOG.md").read_text("utf-8") + LINKS)
    scene.project.commit("Links")


def today() -> str:
    return datetime.now(timezone.utc).date().isoformat()


class TestCheck:
    def test_a_sound_one_is_counted(self, scene: Scene) -> None:
        ran = scene.run("changelog.check")
        assert ran.code == 0
        assert_says(ran.out, "CHANGELOG.md", "2 sections")

    def test_every_problem_is_named_with_its_line(self, scene: Scene) -> None:
        scene.project.replace("CHANGELOG.md", "## [0.1.0] - 2026-01-01\n\n### Added", "## [0.1.0] - soon\n\n### Addded")
        scene.refuses("changelog.check", says=["line 20: [0.1.0]", "'soon'", "line 22: '### Addded'"])


class TestNotes:
    @pytest.mark.parametrize(
        ("version", "begin", "end"),
        [("0.1.0", "### Added\n\n- Everything.", "- Everything.\n"), ("0.2.0-rc.1", "Says who it is.", "- Nothing.\n")],
        ids=["of a release", "of a pre-release, which has no section of its own"],
    )
    def test_a_section_is_printed_word_for_word(self, scene: Scene, version: str, begin: str, end: str) -> None:
        ran = scene.run("changelog.notes", "--version", version)
        assert ran.code == 0
        assert ran.out.startswith(begin)
        assert ran.out.endswith(end)

    def test_those_of_no_section_are_refused(self, scene: Scene) -> None:
        scene.refuses(
            "changelog.notes", "--version", "0.2.0", says=["CHANGELOG.md", "no section", "0.2.0", "'## [0.2.0]'"]
        )


class TestRotate:
    def test_a_heading_is_put_in_and_the_links_follow(self, scene: Scene) -> None:
        with scene.unchanged():
            dry = scene.run("-R", "changelog.rotate", "--version", "0.2.0")
        assert dry.code == 0
        assert_says(dry.out, "[0.2.0]", "CHANGELOG.md", "(not written)")

        days = {today()}
        assert scene.run("changelog.rotate", "--version", "0.2.0").code == 0
        days.add(today())
        added = [line for line in scene.git("diff", "--unified=0").splitlines() if re.match(r"[+-][^+-]", line)]
        assert added[0] in {f"+## [0.2.0] - {day}" for day in days}
        assert added[1:] == [
            "-[unreleased]: https://example.invalid/tiny-thing/compare/v0.1.0...HEAD",
            "+[unreleased]: https://example.invalid/tiny-thing/compare/v0.2.0...HEAD",
            "+[0.2.0]: https://example.invalid/tiny-thing/compare/v0.1.0...v0.2.0",
        ]
        assert scene.run("changelog.check").code == 0

    def test_a_version_that_has_its_section_is_refused_with_the_line(self, scene: Scene) -> None:
        assert scene.run("changelog.rotate", "--version", "0.2.0").code == 0
        scene.refuses("changelog.rotate", "--version", "0.2.0", says=["CHANGELOG.md", "0.2.0", "line 5"])
