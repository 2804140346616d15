"""The definitions of links and footnotes that a part of a text needs, and that stand elsewhere in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from releaser.changelog.markdown import PARSER, Line, Scan, with_line_feeds

_FOOTNOTE = re.compile(r"\[\^([^]\s]{1,100})\](?!:)")


class _Asked(dict[str, Any]):
    """Definitions that note which of them were asked for."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        super().__init__(definitions)
        self.used: dict[str, None] = {}

    def get(self, label: str, default: Any = None) -> Any:
        """Return a definition, as the parser asks for it."""
        if label not in self:
            return default
        return self[label]

    def __getitem__(self, label: str) -> Any:
        self.used[label] = None
        return super().__getitem__(label)


def definitions_for(part: str, first: int, last: int, whole: str, scan: Scan) -> Iterator[str]:
    """Yield the definitions that the lines from `first` to `last` need and do not hold, as the text writes them.

    Args:
        part: The text of these lines.
        first: The number of the first of them, counted from 1.
        last: The number of the last of them.
        whole: The whole text.
        scan: What it holds.
    """
    asked = _Asked(scan.references)
    PARSER.parse(with_line_feeds(part), {"references": asked})
    editable = {definition.id: definition for definition in scan.definitions.values()}
    for label in asked.used:
        reference = scan.references.get(label)
        if reference is None or label.startswith("^") or first <= reference["map"][0] + 1 <= last:
            continue
        if found := editable.get(label):
            yield whole[found.first.start : found.last.end].strip()
        else:  # in a list item or a quotation, from which it has to be taken out
            title = f' "{reference["title"]}"' if reference["title"] else ""
            yield f"[{label}]: <{reference['href']}>{title}"
    outside = [line for line in scan.lines if not first <= line.number <= last]
    for label in dict.fromkeys(_FOOTNOTE.findall(part)):
        yield from _footnote(label, outside, whole)


def _footnote(label: str, lines: list[Line], whole: str) -> Iterator[str]:
    """Yield GitHub's footnote of a label with the lines that go on it; CommonMark knows none."""
    mark = f"[^{label}]:"
    found = iter(lines)
    begins = next(
        (line for line in found if line.kind in ("text", "definition") and line.content.startswith(mark)), None
    )
    if begins is None:
        return
    yield begins.content
    for line in found:
        if line.kind == "blank" or not whole.startswith((" ", "\t"), line.start):
            return
        yield whole[line.start : line.end].rstrip()
