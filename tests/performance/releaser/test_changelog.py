"""How long it takes to rotate a changelog of many entries."""

from __future__ import annotations

from datetime import date

from releaser.changelog.document import Changelog
from releaser.versions.version import Version

RUNS = 7
ENTRIES = 5000
SECTIONS = 250


def long_changelog() -> str:
    """[Unreleased] and released sections, each with as many entries, and a compare link for every section."""
    in_each = ENTRIES // SECTIONS
    entries = "\n".join(
        f"- Frames from camera {n} keep their order ([#{n}](https://example.invalid/{n}))." for n in range(in_each)
    )
    headings = ["[Unreleased]", *(f"[0.{minor}.0] - 2024-01-01" for minor in reversed(range(SECTIONS - 1)))]
    links = [
        f"[0.{minor}.0]: https://example.invalid/compare/v0.{minor - 1}.0...v0.{minor}.0"
        for minor in reversed(range(SECTIONS - 1))
    ]
    return (
        "\n\n".join(["# Changelog", *(f"## {one}\n\n### Added\n{entries}" for one in headings), "\n".join(links)])
        + "\n"
    )


def test_rotation(figure, best_of):
    text, version = long_changelog(), Version.parse("1.0.0")
    assert text.count("\n- ") == ENTRIES

    def rotate():
        rotated = Changelog.parse(text).rotate(
            version, date(2026, 1, 1), repository_url="https://example.invalid/x", tag_pattern="v{version}"
        )
        assert "## [1.0.0] - 2026-01-01" in rotated

    (seconds,) = best_of(RUNS, rotate)
    reference = f"parsed and rotated, {len(text) >> 10} KiB in {SECTIONS} sections; best of {RUNS}"
    figure(f"a changelog of {ENTRIES} entries rotated", seconds * 1000, budget=100, unit="ms", reference=reference)
