"""Notes that stand by themselves: the definitions that they need are with them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from releaser.changelog.document import Changelog
from releaser.errors import ChangelogError
from releaser.versions.version import Version

DAY = dt.date(2025, 11, 8)
V020 = Version.parse("0.2.0")


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


FOOT = """\
[guide]:
  <https://docs.example/guide>
  "The guide"
[#12]: https://forge.example/issues/12
[Größe]: https://docs.example/size
[unused]: https://docs.example/unused
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_definitions_that_the_notes_need_follow_them(newline: str) -> None:
    entries = "- See the [guide] and [its report][#12], ![a picture][GRÖSSE], [here](x) and `[unused]`"
    text = (PLAIN.replace("- A thing", entries) + FOOT).replace("\n", newline)

    notes = Changelog.parse(text).notes(Version.parse("0.2.0-rc.1"))

    assert notes == (
        f'### Added\n\n{entries}\n\n[guide]:\n  <https://docs.example/guide>\n  "The guide"\n'
        "[#12]: https://forge.example/issues/12\n[Größe]: https://docs.example/size"
    ).replace("\n", newline)
    assert Changelog.parse(rotated(text)).notes(V020) == notes


def test_definitions_in_the_section_itself_are_not_repeated_and_those_in_a_list_item_are_taken_out() -> None:
    entries = "- The [one] and the [other], since [0.1.0]\n\n[one]: https://one.example"
    text = PLAIN.replace("- A thing", entries).replace("- First", '- First\n\n  [Other]: https://other.example "O"')

    assert Changelog.parse(text).notes(Version.parse("0.2.0-rc.1")) == (
        f'### Added\n\n{entries}\n\n[OTHER]: <https://other.example> "O"\n'
        "[0.1.0]: https://forge.example/owner/name/releases/tag/v0.1.0"
    )


def test_footnotes_that_the_notes_need_follow_them() -> None:
    entries = "- A thing[^1] and another[^note], which[^own] has `code`\n\n[^own]: Here."
    foot = "[^1]: https://example.invalid\n[^note]: In words,\n    on two lines\n[^unused]: x\n"
    text = PLAIN.replace("- A thing", entries) + "\n" + foot

    assert Changelog.parse(text).notes(Version.parse("0.2.0-rc.1")) == (
        f"### Added\n\n{entries}\n\n[^1]: https://example.invalid\n[^note]: In words,\n    on two lines"
    )


defined = ["[a]: https://a.example", "[c]:", "  https://c.example", "[d]: d.png", "> [b]: https://b.example"]


entries = ["", "  ", "- entry", "  continued", "1. one", "text", "text  ", "### Added", "> quote"]


@given(st.lists(st.sampled_from([*entries, "- [a] and [b][c]", "![d]", "> [a]", "  [e]", *defined]), max_size=12))
def test_notes_have_the_links_that_the_whole_file_has(lines: list[str]) -> None:
    foot = "\n".join([*defined, "[e]: <https://e.example>\n  'E'"])
    text = "\n".join(["## [Unreleased]", "", "- x", *lines, "", "## [0.1.0]", "", "- y", "", foot, ""])
    try:
        notes = Changelog.parse(text).notes(Version.parse("0.2.0-rc.1"))
    except ChangelogError:
        return

    def links(markdown: str) -> list[object]:
        inside = (child for token in MarkdownIt("commonmark").parse(markdown) for child in token.children or ())
        return [child.attrs for child in inside if child.attrs]

    assert links(notes) == links(text)
