from __future__ import annotations

import pytest

from releaser.changelog.document import Changelog
from releaser.changelog.merging import with_new_entries
from releaser.versions.version import Version

BASE = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- One.\n\n## [0.1.0] - 2026-01-01\n\n- First.\n"
RELEASED = BASE.replace("## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0] - 2026-02-02\n")


@pytest.mark.parametrize(
    ("moved", "body"),
    [
        (BASE.replace("- One.\n", "- One.\n- Two.\n"), "\n### Added\n\n- Two.\n\n"),
        (BASE.replace("- One.\n", "- One.\n\n### Fixed\n\n- Two.\n"), "\n### Fixed\n\n- Two.\n\n"),
        (BASE.replace("- One.\n", "- Zero.\n- One.\n- Two.\n"), "\n### Added\n\n- Zero.\n- Two.\n\n"),
        (BASE, "\n"),
    ],
    ids=["an entry", "a heading", "around", "nothing"],
)
def test_entries_of_others_stay_unreleased(moved: str, body: str) -> None:
    merged = with_new_entries(RELEASED, BASE, moved)

    assert merged is not None
    found = Changelog.parse(merged)
    assert found.unreleased.body == body
    assert found.notes(Version(0, 2, 0)) == Changelog.parse(RELEASED).notes(Version(0, 2, 0))


@pytest.mark.parametrize(
    "moved",
    [
        BASE.replace("- One.", "- One, corrected."),
        BASE.replace("- One.\n", ""),
        BASE.replace("- First.", "- The first."),
    ],
    ids=["edited", "removed", "elsewhere"],
)
def test_what_is_more_than_entries_is_left_to_a_person(moved: str) -> None:
    assert with_new_entries(RELEASED, BASE, moved) is None
