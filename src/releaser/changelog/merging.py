"""A changelog of which two copies went on: one got the section of a version, the other more entries."""

from __future__ import annotations

import difflib

from releaser.changelog.document import Changelog


def with_new_entries(released: str, base: str, moved: str) -> str | None:
    """Return a released changelog with the entries that [Unreleased] got elsewhere since, as its [Unreleased].

    A merge line by line would put them into the section of the version, which does not contain what they are about.

    Args:
        released: The text with the version's section.
        base: The text that both began with.
        moved: The text that went on elsewhere.

    Returns:
        The text; None if more than entries was added there, so that a person has to merge it.
    """
    old, new = Changelog.parse(base).unreleased, Changelog.parse(moved).unreleased
    if _without(base, old.end, old.body) != _without(moved, new.end, new.body):
        return None
    before, after = old.body.splitlines(keepends=True), new.body.splitlines(keepends=True)
    added: list[str] = []
    for kind, start, end, first, last in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind in ("delete", "replace") and any(line.strip() for line in before[start:end]):
            return None
        if kind in ("insert", "replace"):
            added += _under_heading(after, first, last, added)
    if not any(line.strip() for line in added):
        return released
    target = Changelog.parse(released).unreleased.heading.end
    newline = "\r\n" if "\r\n" in released else "\n"
    return released[:target] + newline + "".join(added).strip("\r\n") + newline + released[target:]


def _under_heading(lines: list[str], first: int, last: int, added: list[str]) -> list[str]:
    """Return lines of a section, after the heading that they are under unless the added ones have it already."""
    chosen = lines[first:last]
    if not any(line.strip() for line in chosen):
        return []
    leading = next((line for line in chosen if line.strip()), "")
    heading = next((line for line in reversed(lines[:first]) if line.startswith("### ")), None)
    if heading is None or leading.startswith("### ") or heading in added:
        return chosen
    newline = heading[len(heading.rstrip("\r\n")) :]
    return [*([newline] if added else []), heading, newline, *chosen]


def _without(text: str, end: int, body: str) -> str:
    return text[: end - len(body)] + text[end:]
