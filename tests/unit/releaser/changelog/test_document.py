from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from releaser.changelog.document import Changelog
from releaser.changelog.markdown import scan
from releaser.errors import ChangelogError
from releaser.versions.version import Version

DAY = dt.date(2025, 11, 8)
V020 = Version.parse("0.2.0")
URL = "https://forge.example/owner/name"

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")

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

ODD = """\
# Changelog

Text with trailing spaces   \t
## [Unreleased]

### Added

- Quotes a changelog:

  ```markdown
  ## [7.0.0] - 2020-01-01
  ```

~~~~
## [6.0.0] - 2020-01-01
```
~~~
~~~~

<!-- a comment

## [5.0.0] - 2020-01-01
-->

- Mentions ([#12])

[#12]: https://forge.example/issues/12

---

## [0.1.1] - 2025-10-02 [YANKED]

Setext
------

- Broken

---

## [0.1.0] - 2025-10-01

- First

---

## Project Information

- Not an entry

[Unreleased]: <https://forge.example/owner/name/compare/v0.1.1...main> "What is next"
[0.1.1]: https://forge.example/owner/name/compare/v0.1.0...v0.1.1
[0.1.0]: https://forge.example/owner/name/releases/tag/v0.1.0"""


def rotated(text: str, version: Version = V020, url: str | None = None) -> str:
    return Changelog.parse(text).rotate(version, DAY, repository_url=url)


def names(text: str) -> list[str]:
    return [section.name for section in Changelog.parse(text).sections]


def lines_put_in(before: str, after: str) -> list[str]:
    """The lines that ``after`` has more than ``before``; fails if any other byte changed."""
    old = _LINE.findall(before)
    put_in = []
    for line in _LINE.findall(after):
        is_last_and_went_on = len(old) == 1 and old[0][-1] not in "\r\n" and line.rstrip("\r\n") == old[0]
        if old and (line == old[0] or is_last_and_went_on):
            old.pop(0)
        else:
            put_in.append(line.rstrip("\r\n"))
    assert old == []
    return put_in


def test_entries_move_below_the_versions_heading_and_the_links_follow() -> None:
    assert (
        rotated(PLAIN)
        == """\
# Changelog

## [Unreleased]

## [0.2.0] - 2025-11-08

### Added

- A thing

## [0.1.0] - 2025-10-01

- First

[unreleased]: https://forge.example/owner/name/compare/v0.2.0...HEAD
[0.2.0]: https://forge.example/owner/name/compare/v0.1.0...v0.2.0
[0.1.0]: https://forge.example/owner/name/releases/tag/v0.1.0
"""
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text + "\n",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r\n", 40),
        lambda text: text.replace("thing", "thing\u2028\x0b\x85 with odd spaces"),
        lambda text: text.removeprefix("# Changelog\n\n"),
    ],
    ids=["lf", "final newline", "crlf", "cr", "bom", "bom and crlf", "mixed", "odd spaces", "heading first"],
)
def test_an_odd_file_changes_in_three_places_and_nowhere_else(change: Callable[[str], str]) -> None:
    before = change(ODD)
    newline = "\r\n" if "\r\n" in before else "\r" if "\r" in before else "\n"
    heading = f"## [Unreleased]{newline}"
    head, _, rest = before.partition(heading)
    body, middle, foot = rest.partition("compare/v0.1.1...main")
    link, foot_of_old = foot.split("[0.1.1]: ")
    foot_newline = link[-2:] if link.endswith("\r\n") else link[-1]

    expected = (
        f"{head}{heading}{newline}---{newline}{newline}## [0.2.0] - 2025-11-08{newline}"
        f"{body}{middle.replace('0.1.1', '0.2.0')}{link}"
        f"[0.2.0]: {URL}/compare/v0.1.1...v0.2.0{foot_newline}[0.1.1]: {foot_of_old}"
    )
    assert rotated(before).encode() == expected.encode()


def test_headings_in_code_comments_and_list_items_are_no_sections() -> None:
    assert names(ODD) == ["Unreleased", "0.1.1", "0.1.0"]


@pytest.mark.parametrize(
    "hidden",
    [
        "```\n{}\n```\n",
        "   ```text\n{}\n  ````  \n",
        "~~~ a `b`\n{}\n```\n{}\n~~~\n",
        "`````\n{}\n````\n{}\n``````\n",
        "```\n{}\n    ```\n{}\n```\n",
        "<!--\n{}\n-->\n",
        "  <!-- one\n\n{}\n\n--> two\n",
        "<pre>\n{}\n</pre>\n",
        "<pre>\n\n{}\n</pre>\n",
        "<details>\n{}\n</details>\n",
        "<summary>x</summary>\n{}\n",
        "<b>\n{}\n",
        "<?php\n\n{}\n?>\n",
        "- item\n\n  {}\n",
        "- ```\n  {}\n  ```\n",
        "1. item\n   ~~~\n   {}\n\n   {}\n   ~~~\n",
        "- - nested\n    ```\n    {}\n    ```\n",
        "-     code in an item\n  {}\n",
        "    {}\n",
        "\t{}\n",
        "> {}\n",
        "> - {}\n",
        "- > {}\n",
        "- > ```\n  > {}\n  > ```\n",
        "1. one\n\n   - two\n\n     {}\n",
        "Text {}\n",
        "#{}\n",
    ],
)
def test_what_looks_like_a_section_but_is_none_stays_in_the_entries(hidden: str) -> None:
    shown = hidden.replace("{}", "## [9.9.9] - 2020-01-01")
    text = f"## [Unreleased]\n\nA\n\n{shown}\n- b\n\n## [0.1.0] - 2025-10-01\n"

    assert names(text) == ["Unreleased", "0.1.0"]
    assert Changelog.parse(text).unreleased.body == f"\nA\n\n{shown}\n- b\n\n"


@pytest.mark.parametrize(
    "above",
    [
        "```\ncode\n```\n",
        "`inline` ``` `\n",
        "- ```\n  never closed, but its list item ends\n",
        "<!-- one line -->\n",
        "    ```\n",
        "text <!-- not at the beginning of a line\n",
        "- item\n",
        "1. item\n\n   more\n",
        "\\```\n",
        "``` no `fence`\n",
        "***\n",
        "> quoted\n",
        "> ```\n",
        "<details>\n\n",
        "<b>bold</b> words\n",
        "</unknown \n",
        "Underlined\n===\n",
        "Underlined\n---\n",
        "[#1]: https://x.example\n",
        "[#1]: x '\n",
    ],
)
def test_a_section_below_any_other_text_is_found(above: str) -> None:
    assert names(f"## [Unreleased]\n{above}## [0.1.0] - 2025-10-01\n") == ["Unreleased", "0.1.0"]


@pytest.mark.parametrize(
    ("heading", "name", "date", "yanked"),
    [
        ("## [0.2.0] - 2025-11-08", "0.2.0", "2025-11-08", False),
        ("## [0.2.0] - 2025-11-08 [YANKED]", "0.2.0", "2025-11-08", True),
        ("## [0.2.0] \u2013 2025-11-08", "0.2.0", "2025-11-08", False),
        ("   ##   [0.2.0]   -   2025-11-08   ##  ", "0.2.0", "2025-11-08", False),
        ("## 0.2.0 (2025-11-08)", "0.2.0", "2025-11-08", False),
        ("## 0.2.0", "0.2.0", None, False),
        ("## [0.2.0]", "0.2.0", None, False),
        ("## [0.2.0](https://forge.example/x) (2025-11-08)", "0.2.0", "2025-11-08", False),
        ("## [v0.2.0] - 2025-11-08", "v0.2.0", "2025-11-08", False),
        ("## [0.2.0] - soon", "0.2.0", "soon", False),
        ("## [0.2.0-rc.1] - 2025-11-08", "0.2.0-rc.1", "2025-11-08", False),
        ("## Unreleased", "Unreleased", None, False),
        ("## [UNRELEASED]", "Unreleased", None, False),
    ],
)
def test_sections_are_known_by_every_heading_in_use(heading: str, name: str, date: str | None, yanked: bool) -> None:
    (section,) = Changelog.parse(f"# Changelog\n\n{heading}\n\n- x\n").sections

    assert (section.name, section.date, section.yanked, section.body) == (name, date, yanked, "\n- x\n")
    assert section.version == (None if name == "Unreleased" else Version.parse(name.removeprefix("v")))


@pytest.mark.parametrize(
    "heading",
    [
        "## Project Information",
        "## 2025",
        "## 3.10 support",
        "## [Links]",
        "# [0.2.0]",
        "### [0.2.0]",
        "##[0.2.0]",
        "##",
    ],
)
def test_other_headings_are_no_sections(heading: str) -> None:
    assert names(f"{heading}\n\n- x\n") == []


@pytest.mark.parametrize("underline", ["-", "---", "===", "   ------"])
def test_a_setext_heading_is_no_section(underline: str) -> None:
    assert names(f"[0.2.0] - 2025-11-08\n{underline}\n\n- x\n") == []


def test_a_sections_body_ends_before_separator_links_and_other_headings() -> None:
    changelog = Changelog.parse(ODD)

    assert changelog.unreleased.body.endswith("[#12]: https://forge.example/issues/12\n\n")
    assert [section.body for section in changelog.sections[1:]] == ["\nSetext\n------\n\n- Broken\n\n", "\n- First\n\n"]
    for section in changelog.sections:
        assert ODD[section.start : section.end].endswith(section.body)
        assert ODD[section.start :].startswith("## [")


def test_the_underline_of_a_setext_heading_is_no_separator() -> None:
    changelog = Changelog.parse("## [Unreleased]\n\n- x\n\nText\n---\n\n## [0.1.0]\n")

    assert changelog.unreleased.body == "\n- x\n\nText\n---\n\n"


def test_a_break_right_below_an_entry_is_a_separator() -> None:
    changelog = Changelog.parse("## [Unreleased]\n\n- x\n---\n\n## [0.1.0]\n")

    assert (changelog.unreleased.body, changelog.unreleased.separator) == ("\n- x\n", "---")


def test_the_first_release_links_to_its_tag() -> None:
    text = "# Changelog\n\n## [Unreleased]\n\n- First\n"

    assert rotated(text, Version.parse("0.1.0"), f"{URL}.git/") == (
        "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2025-11-08\n\n- First\n\n"
        f"[unreleased]: {URL}/compare/v0.1.0...HEAD\n[0.1.0]: {URL}/releases/tag/v0.1.0\n"
    )


def test_links_are_put_at_the_very_end_of_a_file_without_final_newline() -> None:
    text = "## [Unreleased]\r\n- First\r\n## Project Information\r\nx"

    assert rotated(text, url=URL).removeprefix("## [Unreleased]\r\n\r\n## [0.2.0] - 2025-11-08\r\n") == (
        "- First\r\n## Project Information\r\nx\r\n\r\n"
        f"[unreleased]: {URL}/compare/v0.2.0...HEAD\r\n[0.2.0]: {URL}/releases/tag/v0.2.0"
    )


def test_missing_links_are_added_in_their_places() -> None:
    sections = "".join(f"## [{name}] - 2025-10-01\n\n- x\n\n" for name in ("0.1.3", "0.1.2", "0.1.1", "0.1.0"))
    text = f"## [Unreleased]\n\n- x\n\n{sections}[0.1.2]: {URL}/compare/v0.1.1...v0.1.2\n[other]: https://x.example\n"

    assert rotated(text).partition("[unreleased]")[2] == (
        f": {URL}/compare/v0.2.0...HEAD\n"
        f"[0.2.0]: {URL}/compare/v0.1.3...v0.2.0\n"
        f"[0.1.3]: {URL}/compare/v0.1.2...v0.1.3\n"
        f"[0.1.2]: {URL}/compare/v0.1.1...v0.1.2\n"
        f"[0.1.1]: {URL}/compare/v0.1.0...v0.1.1\n"
        f"[0.1.0]: {URL}/releases/tag/v0.1.0\n"
        "[other]: https://x.example\n"
    )


def test_a_link_that_is_missing_below_the_files_last_line_is_added_there() -> None:
    text = PLAIN.partition("[0.1.0]: ")[0].rstrip("\n")

    assert rotated(text).endswith(
        f"[unreleased]: {URL}/compare/v0.2.0...HEAD\n"
        f"[0.2.0]: {URL}/compare/v0.1.0...v0.2.0\n"
        f"[0.1.0]: {URL}/releases/tag/v0.1.0"
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_link_on_several_lines_is_changed_in_its_address_alone(newline: str) -> None:
    text = f"""\
## [Unreleased]

- x

## [0.1.0] - 2025-10-01

- y

[0.1.0]: {URL}/releases/tag/v0.1.0
[Unreleased]:
   <{URL}/compare/v0.1.0...main>
   "What is
   next"
- last
""".replace("\n", newline)

    after = rotated(text)

    assert lines_put_in(text.replace("/v0.1.0...main", "/v0.2.0...main"), after) == [
        "## [0.2.0] - 2025-11-08",
        "",
        f"[0.2.0]: {URL}/compare/v0.1.0...v0.2.0",
    ]
    assert f'   next"{newline}[0.2.0]: ' in after
    assert Changelog.parse(after).check(today=DAY) == []


@pytest.mark.parametrize("before", ["Text\n", "- item\n", "> quoted\n"])
def test_what_goes_on_a_paragraph_is_no_link(before: str) -> None:
    text = f"## [Unreleased]\n\n- x\n\n{before}[unreleased]: {URL}/compare/v0.1.0...HEAD\n"

    assert rotated(text, url=URL).endswith(
        f"\n\n[unreleased]: {URL}/compare/v0.2.0...HEAD\n[0.2.0]: {URL}/releases/tag/v0.2.0\n"
    )


def test_the_files_own_address_labels_and_branch_win_over_the_configured_ones() -> None:
    text = PLAIN.replace("[unreleased]:", "[UnReleased]:").replace("...HEAD", "...develop")

    after = rotated(text, url="https://elsewhere.example/fork")

    assert f"[UnReleased]: {URL}/compare/v0.2.0...develop\n[0.2.0]: {URL}/compare" in after
    assert "elsewhere" not in after


def test_links_follow_the_tag_pattern() -> None:
    after = Changelog.parse(PLAIN).rotate(V020, DAY, repository_url=None, tag_pattern="app-{version}")

    assert f"[unreleased]: {URL}/compare/app-0.2.0...HEAD\n[0.2.0]: {URL}/compare/app-0.1.0...app-0.2.0\n" in after


@pytest.mark.parametrize("url", [None, ""])
def test_without_any_address_links_are_left_alone(url: str | None) -> None:
    text = "## [Unreleased]\n\n- x\n\n## [0.1.0] - 2025-10-01\n\n- y\n"

    assert lines_put_in(text, rotated(text, url=url)) == ["## [0.2.0] - 2025-11-08", ""]


def test_a_file_without_brackets_gets_neither_brackets_nor_links() -> None:
    text = "## Unreleased\n\n- x\n\n## 0.1.0 (2025-10-01)\n\n- y\n"

    assert lines_put_in(text, rotated(text, url=URL)) == ["## 0.2.0 (2025-11-08)", ""]


def test_a_file_that_writes_v_keeps_writing_it() -> None:
    text = f"## [Unreleased]\n\n- x\n\n## [v0.1.0] - 2025-10-01\n\n- y\n\n[v0.1.0]: {URL}/releases/tag/v0.1.0\n"

    after = rotated(text)

    assert "## [v0.2.0] - 2025-11-08\n" in after
    assert f"[v0.2.0]: {URL}/compare/v0.1.0...v0.2.0\n" in after
    assert Changelog.parse(after).section(V020) is not None


def test_a_patch_of_an_older_line_is_compared_with_the_version_below_it() -> None:
    text = (
        f"## [Unreleased]\n\n- x\n\n## [0.3.0]\n\n- y\n\n## [0.1.0]\n\n- z\n\n[0.3.0]: {URL}/compare/v0.1.0...v0.3.0\n"
    )

    assert f"[0.2.0]: {URL}/compare/v0.1.0...v0.2.0\n" in rotated(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# Changelog\n\n## [0.1.0] - 2025-10-01\n\n- x\n", "no [Unreleased]"),
        ("", "no [Unreleased]"),
        ("## [Unreleased]\n\n## [0.1.0] - 2025-10-01\n\n- x\n", "no entries"),
        ("## [Unreleased]\n\n### Fixed\n-\n* \n\n<!-- nothing\nyet -->\n\n- <!-- x -->\n---\n", "no entries"),
        ("## [Unreleased]", "no entries"),
        ("## [Unreleased]\n\n- x\n\n## [0.2.0] - 2025-10-01\n\n- x\n", "already has a section for 0.2.0, on line 5"),
        ("## [Unreleased]\n\n- x\n\n## Unreleased\n\n- x\n", "on lines 1 and 5"),
        ("## [Unreleased]\n\n- x\n\n```\n\n## [0.1.0]\n", "line 5: the code block is never closed"),
        ("## [Unreleased]\n\n- x\n\n<!-- x\n\n## [0.1.0]\n", "line 5: the comment is never closed"),
        ("## [Unreleased]\n\n- x\n\n<pre>\n\n## [0.1.0]\n", "line 5: the HTML element is never closed"),
        ("## [Unreleased]\n\n- x\n\n~~~ x\n\u2028\n", "line 5: the code block is never closed"),
        ("## [Unreleased]\n\n- x\n- ```\n  y\n      ```", "line 4: the code block is never closed"),
        (f"## [Unreleased]\n\n{'- ' * 60}x\n\n## [0.1.0]\n", "line 3: the list items and quotations are more than 50"),
        (f"## [Unreleased]\n\n- x\n\n{'>' * 200}x\n\n## [0.1.0]\n", "line 5: the list items and quotations are"),
    ],
)
def test_a_changelog_that_cannot_be_rotated_says_why(text: str, reason: str) -> None:
    with pytest.raises(ChangelogError) as caught:
        rotated(text, url=URL)

    assert reason in caught.value.message
    assert caught.value.remedy


def test_a_prerelease_leaves_the_changelog_in_place() -> None:
    with pytest.raises(ChangelogError, match="is a pre-release"):
        rotated(PLAIN, Version.parse("0.2.0-rc.1"))


def test_a_prerelease_publishes_unreleased_unless_it_has_its_own_section() -> None:
    candidate = Version.parse("0.2.0-rc.1")
    with_own = PLAIN.replace("## [0.1.0]", "## [0.2.0-rc.1] - 2025-11-01\n\n- Its own\n\n## [0.1.0]")

    assert Changelog.parse(PLAIN).notes(candidate) == "### Added\n\n- A thing"
    assert Changelog.parse(with_own).notes(candidate) == "- Its own"


def test_notes_are_the_sections_text_word_for_word() -> None:
    text = "## [Unreleased]\r\n\r\n \t\r\n  - odd  indent  \r\n\n\n- b  \r\n\r\n---\r\n\r\n## [0.1.0]\r\n"

    assert Changelog.parse(text).notes(Version.parse("0.2.0-rc.1")) == "  - odd  indent  \r\n\n\n- b  "
    assert Changelog.parse(rotated(text)).notes(V020) == "  - odd  indent  \r\n\n\n- b  "


def test_notes_of_a_final_version_without_section_or_entries_are_refused() -> None:
    with pytest.raises(ChangelogError, match=r"no section for 0\.2\.0"):
        Changelog.parse(PLAIN).notes(V020)
    with pytest.raises(ChangelogError, match="no entries"):
        Changelog.parse("## [0.2.0] - 2025-11-08\n\n### Added\n").notes(V020)


@pytest.mark.parametrize(
    ("body", "lead"),
    [
        ("Faster cameras.\n\n### Added\n\n- x\n", "Faster cameras"),
        ("Faster\ncameras...\n- x\n", "Faster cameras..."),
        ("### Added\n\n- **RTSP** `cam_era` support ([#1](https://x))\n- y\n", "RTSP cam_era support (#1)"),
        ("### Added\n\n* _Wrapped_ over\n  two lines\n  - nested\n", "Wrapped over two lines"),
        ("<!-- note -->\n\n```\ncode\n```\n\n1. [x] a some_snake_name, *stars*\n", "a some_snake_name, stars"),
        ("- Escaped \\*stars\\* and `` a`b ``\n", "Escaped *stars* and a`b"),
        ("- 2 * 3 * 4 is `**24**`, __init__ [is][1] [this]\n\n[1]: x\n", "2 * 3 * 4 is **24**, init is [this]"),
        ("- https://a.example/x_y_z and <https://b.example>\n", "https://a.example/x_y_z and https://b.example"),
        ("- ![badge](x.png)\n", "badge"),
        ("- " + "word " * 30 + "\n", "word " * 13 + "word\u2026"),
        ("- " + "w" * 90 + "\n", "w" * 69 + "\u2026"),
        ("- " + "w" * 60 + " and, " + "w" * 20 + "\n", "w" * 60 + " and\u2026"),
        ("- " + "w" * 70 + "\n", "w" * 70),
        ("> quote\n\n| a | b |\n\n- x\n", "x"),
        ("```\nonly code\n```\n", None),
    ],
)
def test_the_lead_line_is_the_first_thing_said_in_plain_words(body: str, lead: str | None) -> None:
    found = Changelog.parse(f"## [0.2.0] - 2025-11-08\n\n{body}").lead_line(V020)

    assert found == lead
    assert len(found or "") <= 70


def test_a_file_is_read_as_it_is_and_written_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "CHANGELOG.md"
    path.write_bytes(b"\xef\xbb\xbf## [Unreleased]\r\n\n- caf\xc3\xa9\r")

    changelog = Changelog.read(path)

    assert changelog.text.encode() == path.read_bytes()
    assert changelog.unreleased.start == 0


def test_a_file_that_is_missing_unreadable_or_not_utf8_is_refused(tmp_path: Path) -> None:
    latin = tmp_path / "CHANGELOG.md"
    latin.write_bytes(b"# Changelog\n\n- caf\xe9\n")

    with pytest.raises(ChangelogError, match=r"line 3 has the byte 0xe9"):
        Changelog.read(latin)
    with pytest.raises(ChangelogError, match="does not exist"):
        Changelog.read(tmp_path / "HISTORY.md")
    with pytest.raises(ChangelogError, match="cannot be read"):
        Changelog.read(tmp_path)


@pytest.mark.parametrize(
    ("heading", "date", "needs_definition"),
    [
        ("## [0.2.0][the tag] - 2025-11-08", "2025-11-08", False),
        ("## [0.2.0](https://forge.example/a_(b)) - 2025-11-08", "2025-11-08", False),
        ("## [0.2.0 - 2025-11-08](https://forge.example/x)", "2025-11-08", False),
        ("## [0.2.0 (2025-11-08)](https://forge.example/x)", "2025-11-08", False),
        ("## [[0.2.0]](https://forge.example/x) - 2025-11-08", "2025-11-08", False),
        (r"## \[0.2.0\] - 2025-11-08", "2025-11-08", True),
        ("##\t[0.2.0] - 2025-11-08", "2025-11-08", True),
    ],
)
def test_headings_that_are_links_are_sections(heading: str, date: str, needs_definition: bool) -> None:
    (section,) = Changelog.parse(f"{heading}\n\n- x\n").sections

    assert (section.name, section.date, section.needs_definition) == ("0.2.0", date, needs_definition)


prose = ["", "  ", "- entry", "  continued", "1. one", "text", "text  ", "### Added", "## Other", "> quote", "\u2028"]
marks = ["```", "~~~", "    code", "- ```", "  ```", "<!-- x -->", "---", "***", "## [9.9.9", "[#1]: https://x.example"]
lines = st.sampled_from([*prose, *marks])
newlines = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def changelogs(draw: st.DrawFn) -> str:
    def block() -> list[str]:
        return draw(st.lists(lines, max_size=6))

    parts = [
        "\ufeff" if draw(st.booleans()) else "",
        *block(),
        draw(st.sampled_from(["## [Unreleased]", "## Unreleased"])),
    ]
    parts += [*block(), "- kept", *block()]
    for name in draw(st.sampled_from([[], ["0.1.0"], ["0.1.1", "0.1.0"]])):
        parts += [draw(st.sampled_from([f"## [{name}] - 2025-01-01", f"## {name} (2025-01-01)"])), *block()]
    if draw(st.booleans()):
        parts += [
            " ",  # and not nothing, which would make one line end of two
            f"[unreleased]: {URL}/compare/v0.1.0...HEAD",
            f"[0.1.0]: {URL}/releases/tag/v0.1.0",
            "",
            "<!-- end -->",
        ]
    ended = [part + draw(newlines) for part in parts[1:]]
    text = parts[0] + "".join(ended)
    return text if draw(st.booleans()) else text.rstrip("\r\n")


@given(changelogs(), st.sampled_from([None, URL]))
def test_rotating_puts_in_and_takes_nothing_out(text: str, url: str | None) -> None:
    before = Changelog.parse(text)
    try:
        after = before.rotate(V020, DAY, repository_url=url)
    except ChangelogError:
        return
    old, new = before.unreleased, Changelog.parse(after)
    moved = new.section(V020)

    assert new.unreleased.is_empty
    assert moved is not None
    # the last body in the file may gain the blank line above new links
    assert moved.body.rstrip("\r\n") == old.body.rstrip("\r\n")
    assert [section.body.rstrip("\r\n") for section in new.sections[2:]] == [
        section.body.rstrip("\r\n") for section in before.sections if not section.is_unreleased
    ]
    put_in = lines_put_in(text.replace("/compare/v0.1.0...HEAD", "/compare/v0.2.0...HEAD"), after)
    assert sum("0.2.0" in line and line.startswith("## ") for line in put_in) == 1
    assert all(line in ("", "---", "***") or line.startswith(("## ", "[0.", "[unreleased]: ")) for line in put_in)
    assert len(put_in) <= 4 + 1 + 4  # heading with separator, a blank line, and a link for each section


html = ["<details>", "</details>", "<b>", "<pre>", "</pre>", "<!--", "-->", "> ```", "[x]:", "===", "\t", "## [1.2.3]"]


@given(st.lists(st.sampled_from([*prose, *marks, *html, "## [1.2.3] - 2025-01-01", "# x", "> - ## x"]), max_size=25))
def test_headings_are_those_of_the_parser_on_their_lines(lines: list[str]) -> None:
    text = "\n".join(lines)

    scanned = scan(text)
    found = [(line.number, line.level, line.title) for line in scanned.lines if line.kind == "heading"]

    tokens = MarkdownIt("commonmark").parse(text)
    headings = [
        (token.map[0] + 1, int(token.tag[1]), inside.content, token.markup[0])
        for token, inside in pairwise(tokens)
        if token.type == "heading_open" and token.map and token.level == 0
    ]
    assert found == [(number, level, title) for number, level, title, mark in headings if mark == "#"]
    assert list(scanned.underlined) == [(number, title) for number, _, title, mark in headings if mark != "#"]


@given(st.text(alphabet="#[]0.1Unrelsd -\n\r\t`~<!>:/*", max_size=200))
def test_any_text_can_be_read_and_checked(text: str) -> None:
    changelog = Changelog.parse(text)

    changelog.check(today=DAY)
    positions = [position for section in changelog.sections for position in (section.start, section.end)]
    assert all(one <= other for one, other in pairwise([0, *positions, len(text)]))


def test_five_thousand_entries_take_time_in_proportion() -> None:
    entries = "".join(f"- Entry {number} with **some** `code`\n" for number in range(5000))
    older = "".join(f"## [0.1.{number}] - 2025-01-01\n\n- x\n\n" for number in range(300, -1, -1))

    assert _seconds(lambda: rotated(f"## [Unreleased]\n\n{entries}\n{older}", url=URL)) < 1


@pytest.mark.alone
@pytest.mark.parametrize(
    "piece", [" ", "\t", "#", " #", "[", "]", "`", "~", "- ", "* ", "<!--", "*", "_a", "![", "(", "[a]("]
)
def test_hostile_lines_take_time_in_proportion(piece: str) -> None:
    long = piece * (20_000 // len(piece))
    text = f"## [Unreleased]\n\n- {long}\n\nx {long}\n\n## {long}x\n\n## [0.1.0]{long}x\n{long}x\n"

    def work() -> None:
        changelog = Changelog.parse(text)
        changelog.check(today=DAY)
        changelog.lead_line(Version.parse("0.2.0-rc.1"))

    assert _seconds(work) < 2


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
