"""What a changelog is refused for, and what is only shown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from releaser.changelog.document import Changelog
from releaser.errors import ChangelogError
from releaser.versions.version import Version

DAY = dt.date(2025, 11, 8)
V020 = Version.parse("0.2.0")
URL = "https://forge.example/owner/name"


PLAIN = """\
# Changelog

## [Unreleased]

### Added

- A thing

## [0.1.0] - 2025-10-01

- First

[unreleased]: https://forge.example/owner/name/compare/v0.1.0...HEAD
[0.1.0]: https://forge.example/owner/name/releases/tag/v0.1.0
"""


def rotated(text: str, version: Version = V020, url: str | None = None) -> str:
    return Changelog.parse(text).rotate(version, DAY, repository_url=url)


def test_a_sound_changelog_has_no_problems() -> None:
    assert Changelog.parse(PLAIN).check(today=DAY) == []
    assert Changelog.parse(rotated(PLAIN)).check(today=DAY) == []
    assert Changelog.parse("## [Unreleased]\n\n### Added\n").check(today=DAY) == []


def test_every_problem_is_shown_with_its_line() -> None:
    text = """\
## [0.1.0] - 2025-02-30
### added
- x
## [Unreleased]
### Performance
## [0.2.0]
- x
## [0.1.0] - 2025-11-10
## 1.2 - 20250101
- x
## [Unreleased]
```
"""

    assert Changelog.parse(text).check(today=DAY) == [
        "line 1: [0.1.0] has no compare link at the end of the file",
        "line 1: [0.1.0] has the invalid date '2025-02-30'; write an existing day as YYYY-MM-DD",
        "line 2: '### added' is not a group of changes: write Added",
        "line 4: [Unreleased] belongs above [0.1.0]",
        "line 4: [Unreleased] has no compare link at the end of the file",
        "line 5: '### Performance' is not a group of changes: "
        "use one of Added, Changed, Deprecated, Removed, Fixed, Security",
        "line 6: [0.2.0] has no compare link at the end of the file",
        "line 6: [0.2.0] has no date",
        "line 8: [0.1.0] has a date in the future: 2025-11-10",
        "line 8: [0.1.0] has no compare link at the end of the file",
        "line 8: [0.1.0] has no entries",
        "line 8: a second section for [0.1.0]; the first is on line 1",
        "line 9: [1.2] has the invalid date '20250101'; write an existing day as YYYY-MM-DD",
        "line 11: [Unreleased] has no compare link at the end of the file",
        "line 11: a second section for [Unreleased]; the first is on line 4",
        "line 12: the code block is never closed",
    ]


def test_sections_out_of_order_and_a_missing_unreleased_are_problems() -> None:
    problems = Changelog.parse("## 0.1.0 (2025-10-01)\n- x\n## 0.2.0 (2025-10-02)\n- x\n").check(today=DAY)

    assert problems == [
        "line 1: there is no [Unreleased] section",
        "line 3: [0.2.0] belongs above [0.1.0]: the newest comes first",
    ]


@pytest.mark.parametrize("date", ["2025-11-08", "2025-11-09"], ids=["today in UTC", "today farther east"])
def test_today_is_today_everywhere_on_earth(date: str) -> None:
    changelog = Changelog.parse(PLAIN.replace("2025-10-01", date))

    assert changelog.check(today=DAY) == []
    assert "## [0.2.0] - 2025-11-08" in changelog.rotate(V020, DAY, repository_url=None)


@pytest.mark.parametrize("today", [dt.date(1970, 1, 2), dt.date(2025, 9, 29)])
def test_a_clock_before_the_last_release_dates_nothing(today: dt.date) -> None:
    with pytest.raises(ChangelogError, match=f"clock says that today is {today}, before the date of .0.1.0.") as caught:
        Changelog.parse(PLAIN).rotate(V020, today, repository_url=None)
    assert caught.value.remedy == "Set the clock, or correct that date."


@pytest.mark.parametrize(("date", "passes"), [("2025-09-29", False), ("2025-09-30", True), ("2025-11-08", True)])
def test_a_section_that_is_dated_before_the_last_release_is_not_published(date: str, passes: bool) -> None:
    changelog = Changelog.parse(PLAIN.replace("## [Unreleased]", f"## [Unreleased]\n\n## [0.2.0] - {date}"))

    if passes:
        changelog.refuse_wrong(V020, today=DAY)
    else:
        with pytest.raises(
            ChangelogError, match=r"\[0.2.0\] on line 5 is dated 2025-09-29, before \[0.1.0\] on line 11"
        ):
            changelog.refuse_wrong(V020, today=DAY)


def test_a_section_that_a_wrong_clock_has_dated_is_a_problem() -> None:
    assert Changelog.parse(PLAIN.replace("2025-10-01", "1970-01-01")).check(today=DAY) == [
        "line 9: [0.1.0] has the date 1970-01-01: the clock was wrong"
    ]


CONFLICT = "<<<<<<< HEAD\n- A thing\n=======\n- Another thing\n>>>>>>> feature"


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        (
            lambda text: text.replace("- A thing", CONFLICT),
            ["line 7: the conflict marker <<<<<<< of an unfinished merge", "line 11: the conflict marker >>>>>>> of"],
        ),
        (
            lambda text: text.replace("- First", CONFLICT.replace("\n", "\r\n")),
            ["line 11: the conflict marker <<<<<<<", "line 15: the conflict marker >>>>>>>"],
        ),
        (
            lambda text: text.replace("## [0.1.0] - 20", "##[0.1.0] - 20"),
            ["line 9: '##[0.1.0] - 2025-10-01' is no hea"],
        ),
        (
            lambda text: text.replace("## [0.1.0] - 20", "##\u00a0[0.1.0] - 20"),
            ["line 9: '##\u00a0[0.1.0] - 2025-10-01'"],
        ),
        (
            lambda text: text.replace("## [0.1.0] - 2025-10-01", "[0.1.0] - 2025-10-01\n---"),
            ["line 9: '[0.1.0] - 2025-10-01' is underlined, so it begins no section; write '## [0.1.0] - 2025-10-01'"],
        ),
        (
            lambda text: text.replace("## [0.1.0] - 20", "### [0.1.0] - 20"),
            ["line 9: '### [0.1.0] - 2025-10-01' is of level 3, so it begins no section; write '## [0.1.0] - 2025-10"],
        ),
        (
            lambda text: text.replace("## [0.1.0]", "<div>\n## [0.1.0]"),
            ["line 10: '## [0.1.0] - 2025-10-01' is no heading: write an empty line above it"],
        ),
        (
            lambda text: text.replace("## [0.1.0]", "<details>\n<summary>Older</summary>\n\n## [0.1.0]"),
            ["line 9: <details> is not closed in [Unreleased]"],
        ),
        (
            lambda text: text.replace("- A thing", "- A thing\n\n</details>"),
            ["line 9: </details> closes what is not op"],
        ),
    ],
    ids=[
        "a conflict",
        "below",
        "no space",
        "a hard space",
        "underlined",
        "another level",
        "HTML",
        "open details",
        "closed",
    ],
)
def test_what_would_be_published_wrong_is_refused_with_its_lines(
    change: Callable[[str], str], problems: list[str]
) -> None:
    changelog = Changelog.parse(change(PLAIN))

    for refused in (
        lambda: changelog.rotate(V020, DAY, repository_url=None),
        lambda: changelog.refuse_wrong(Version.parse("0.2.0-rc.1"), today=DAY),
    ):
        with pytest.raises(ChangelogError, match="would be published wrong") as caught:
            refused()
        assert len(caught.value.message.splitlines()) == 1 + len(problems)
        assert all(problem in caught.value.message for problem in problems)
    shown = changelog.check(today=DAY)
    assert all(any(line.startswith(problem) for line in shown) for problem in problems)


@pytest.mark.parametrize(
    "body",
    [
        "```\n <<<<<<< HEAD\n```",
        "- item\n\n  ### [0.1.0] - 2025-10-01",
        "<details>\n<summary>More</summary>\n\n- x\n\n</details>",
        "```\n<details>\n```",
        "<!-- ## [0.1.0] - 2025-10-01 <details> -->\n- x",
        "### 3.12 support",
        "##3.12.0 wheels",
        "=======",
    ],
)
def test_what_is_published_right_is_not_refused(body: str) -> None:
    Changelog.parse(PLAIN.replace("- A thing", f"- A thing\n\n{body}")).rotate(V020, DAY, repository_url=None)


def test_a_problem_of_an_older_section_does_not_stop_a_release() -> None:
    text = PLAIN.replace("- First", "- First\n\n### [0.0.9] - 2025-09-01\n\n- Before")

    assert "## [0.2.0]" in rotated(text)
    assert len(Changelog.parse(text).check(today=DAY)) == 1


@pytest.mark.parametrize(
    ("heading", "problem"),
    [
        ("## Version 0.1.0 (2025-10-01)", "line 9: '## Version 0.1.0 (2025-10-01)' is not read as a version"),
        ("## **0.1.0** - 2025-10-01", "line 9: '## **0.1.0** - 2025-10-01' is not read as a version"),
        ("## 0.1.0 / 2025-10-01", "line 9: '## 0.1.0 / 2025-10-01' is not read as a version"),
        ('## <a id="x"></a>0.1.0', None),
        ("## 3.10.2 support", None),
    ],
)
def test_a_heading_that_is_about_a_version_and_not_read_as_one_is_shown(heading: str, problem: str | None) -> None:
    shown = Changelog.parse(PLAIN.replace("## [0.1.0] - 2025-10-01", heading)).check(today=DAY)

    assert shown == ([f"{problem}; write '## [X.Y.Z] - YYYY-MM-DD'"] if problem else [])


def test_a_second_definition_of_a_label_is_shown_and_the_first_is_changed() -> None:
    text = PLAIN + f"[Unreleased]: {URL}/compare/v0.0.1...HEAD\n"

    assert Changelog.parse(text).check(today=DAY) == [
        "line 15: a second definition of [Unreleased]; the one on line 13 counts"
    ]
    assert f"[unreleased]: {URL}/compare/v0.2.0...HEAD\n" in rotated(text)
    assert f"[Unreleased]: {URL}/compare/v0.0.1...HEAD\n" in rotated(text)


def test_links_that_go_on_with_the_last_entry_are_shown() -> None:
    assert Changelog.parse(PLAIN.replace("- First\n\n", "- First\n")).check(today=DAY) == [
        "line 3: [Unreleased] has no compare link at the end of the file: "
        "line 12 goes on with the text above it; write an empty line between them",
        "line 9: [0.1.0] has no compare link at the end of the file: "
        "line 13 goes on with the text above it; write an empty line between them",
    ]
