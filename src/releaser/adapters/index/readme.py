"""A project's description as PyPI shows it: whether it renders, and which of its addresses lead nowhere there."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

_REPORT = re.compile(r"<string>:(\d*): \(\w+/\d\) (.*)")


@dataclass(frozen=True)
class Relative:
    """A link or picture whose address has no host, and so means a page of the index."""

    kind: str
    address: str
    lines: tuple[int, ...]

    def __str__(self) -> str:
        where = f"line {', '.join(map(str, self.lines))}: " if self.lines else ""
        return f"{where}{self.kind} {self.address}"


@dataclass(frozen=True)
class Rendered:
    """What became of a description.

    Attributes:
        html: The page's part; None if it does not render.
        problem: Why it does not.
        relative: Addresses that lead nowhere on the index.
    """

    html: str | None
    problem: str = ""
    relative: tuple[Relative, ...] = ()


def render(text: str, content_type: str, variant: str = "GFM") -> Rendered:
    """Render a description with the library that PyPI uses.

    Args:
        text: The description.
        content_type: text/markdown, text/x-rst or text/plain.
        variant: Of Markdown: GFM or CommonMark.
    """
    import readme_renderer.markdown
    import readme_renderer.rst
    import readme_renderer.txt

    said = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if content_type == "text/markdown":
            html = readme_renderer.markdown.render(text, variant=variant)
        elif content_type == "text/plain":
            html = readme_renderer.txt.render(text)
        else:
            html = readme_renderer.rst.render(text, stream=said)
    if html is None:
        reports = [f"line {line}: {words}" if line else words for line, words in _REPORT.findall(said.getvalue())]
        return Rendered(None, "; ".join(reports) or f"it is not {content_type}")
    return Rendered(html, relative=tuple(_relative(html, text)))


def _relative(html: str, source: str) -> Iterator[Relative]:
    parser = _Addresses()
    parser.feed(html)
    for kind, address in dict.fromkeys(parser.found):
        spelt = {address, unquote(address)}
        lines = tuple(
            number
            for number, line in enumerate(source.splitlines(), start=1)
            if any(re.search(rf"(?<![\w/.]){re.escape(one)}(?![\w/])", line) for one in spelt)
        )
        yield Relative(kind, address, lines)


class _Addresses(HTMLParser):
    """Collects the relative addresses of a page; those within the page (`#section`) work on the index too."""

    _OF = {"a": ("href", "link"), "img": ("src", "picture"), "source": ("srcset", "picture")}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one element."""
        attribute, kind = self._OF.get(tag, ("", ""))
        address = (dict(attrs).get(attribute) or "").strip()
        if address and not address.startswith("#") and not _has_host(address):
            self.found.append((kind, address))


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return True  # not an address at all
    return bool(parts.scheme or parts.netloc)
