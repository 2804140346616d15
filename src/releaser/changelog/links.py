"""The compare links at the end of a changelog, in the form of Keep a Changelog 1.1.

::

    [unreleased]: https://forge.example/owner/name/compare/v0.2.0...HEAD
    [0.2.0]: https://forge.example/owner/name/compare/v0.1.0...v0.2.0
    [0.1.0]: https://forge.example/owner/name/releases/tag/v0.1.0
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from releaser.changelog.markdown import Definition, Line, label_key
from releaser.versions.version import Version

_COMPARE = "/compare/"
_TAG = "/releases/tag/"


@dataclass(frozen=True)
class Edit:
    """Replace ``text[start:end]`` by ``new``."""

    start: int
    end: int
    new: str


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with the edits made. They must not overlap; those at one place are made in the order given."""
    parts, position = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        parts += [text[position : edit.start], edit.new]
        position = edit.end
    return "".join([*parts, text[position:]])


@dataclass(frozen=True)
class Target:
    """A section's heading, and the version that it links to.

    Attributes:
        label: The label that the heading uses: ``Unreleased``, ``0.2.0`` or ``v0.2.0``.
        version: None for [Unreleased].
    """

    label: str
    version: Version | None


class Urls:
    """The addresses of compare links.

    Args:
        base: The repository's address, without a slash at its end.
        newest: The version that is being released.
        older: The other versions in the changelog, in any order.
        tag_pattern: How tags are named.
    """

    def __init__(self, base: str, newest: Version, older: Iterable[Version], tag_pattern: str) -> None:
        self._base = base
        self._newest = newest
        self._tag_pattern = tag_pattern
        self._before = {above: below for below, above in pairwise(sorted({newest, *older}))}

    def of(self, version: Version) -> str:
        """Return the address of a version's changes: since the next lower one, or its tag if there is none."""
        before = self._before.get(version)
        tag = version.tag(self._tag_pattern)
        if before is None:
            return f"{self._base}{_TAG}{tag}"
        return f"{self._base}{_COMPARE}{before.tag(self._tag_pattern)}...{tag}"

    def of_unreleased(self, former: str = "") -> str:
        """Return the address of the changes since the newest version.

        Args:
            former: The former address; the branch that it names is kept. Without one, it is HEAD.
        """
        head = former.partition("...")[2] if _COMPARE in former else ""
        return f"{self._base}{_COMPARE}{self._newest.tag(self._tag_pattern)}...{head or 'HEAD'}"


def base_url(definitions: Mapping[str, Definition], labels: Iterable[str]) -> str | None:
    """Return the repository's address from the first of these labels that has a compare link; None if none has one."""
    for label in labels:
        definition = definitions.get(label_key(label))
        for separator in (_COMPARE, _TAG):
            base, found, _ = definition.url.partition(separator) if definition else ("", "", "")
            if found:
                return base
    return None


def link_edits(
    lines: Sequence[Line], definitions: Mapping[str, Definition], targets: Iterable[Target], urls: Urls
) -> list[Edit]:
    """Return the edits after which every target has its link, and that of [Unreleased] begins at the new version.

    Existing definitions stay as they are, except that of [Unreleased].

    Args:
        lines: The text's lines.
        definitions: The text's definitions, by `label_key`.
        targets: The headings that need a definition, in the order of the definitions: [Unreleased], the version that
            is being released, then the older ones.
        urls: The addresses.
    """
    edits: list[Edit] = []
    first: Definition | None = None
    missing_above: list[str] = []  # to go above the first existing definition
    missing_below: dict[int, list[str]] = {}  # to go below an existing one, by the number of its last line
    add = missing_above.append
    for label, target in {label_key(target.label): target for target in targets}.items():
        found = definitions.get(label)
        if found is not None:
            first = first or found
            add = missing_below.setdefault(found.last.number, []).append
            if target.version is None:
                edits.append(Edit(found.url_start, found.url_start + len(found.url), urls.of_unreleased(found.url)))
        elif target.version is None:
            add(f"[{label}]: {urls.of_unreleased()}")
        else:
            add(f"[{target.label}]: {urls.of(target.version)}")
    edits += [_insert_below(lines, number, written) for number, written in missing_below.items() if written]
    if missing_above:
        edits.append(_insert_above(lines, first.first, missing_above) if first else _append(lines, missing_above))
    return edits


def newline_near(lines: Sequence[Line], number: int) -> str:
    r"""Return the end of the line with this number, or of the nearest one above that has one, or else ``\n``."""
    return next((lines[index].newline for index in range(number - 1, -1, -1) if lines[index].newline), "\n")


def _insert_below(lines: Sequence[Line], number: int, written: list[str]) -> Edit:
    line, newline = lines[number - 1], newline_near(lines, number)
    new = "".join(f"{text}{newline}" if line.newline else f"{newline}{text}" for text in written)
    return Edit(line.end, line.end, new)


def _insert_above(lines: Sequence[Line], line: Line, written: list[str]) -> Edit:
    newline = newline_near(lines, line.number)
    return Edit(line.start, line.start, "".join(f"{text}{newline}" for text in written))


def _append(lines: Sequence[Line], written: list[str]) -> Edit:
    last, newline = lines[-1], newline_near(lines, len(lines))
    gap = "" if last.kind in ("blank", "definition") else newline
    block = newline.join(written)
    new = f"{gap}{block}{newline}" if last.newline else f"{newline}{gap}{block}"
    return Edit(last.end, last.end, new)
