"""The link definitions that a part of a text needs, and that stand elsewhere in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from releaser.changelog.markdown import PARSER, Scan, with_line_feeds


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
        if reference is None or first <= reference["map"][0] + 1 <= last:
            continue
        if found := editable.get(label):
            yield whole[found.first.start : found.last.end].strip()
        else:  # in a list item or a quotation, from which it has to be taken out
            title = f' "{reference["title"]}"' if reference["title"] else ""
            yield f"[{label}]: <{reference['href']}>{title}"
