"""The addresses that a page leads to, and whether they answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from releaser.adapters.http import Http
from releaser.errors import ReleaserError

_ADDRESS = re.compile(r'(?:href|src)="(https?://[^"#]+)')
_MOST = 60


@dataclass(frozen=True)
class Link:
    """A link and what became of it."""

    name: str
    address: str
    answers: bool
    says: str


def links_of(project_urls: Mapping[str, str], html: str) -> dict[str, str]:
    """Return the name of each address that a page leads to; pictures too."""
    found = {address: name for name, address in project_urls.items() if address.startswith("http")}
    for address in _ADDRESS.findall(html):
        found.setdefault(address.replace("&amp;", "&"), "in the description")
    return dict(list(found.items())[:_MOST])


def follow(name: str, address: str) -> Link:
    """Ask for an address, without what it leads to where the server lets us."""
    http = Http(address, "the address")
    try:
        for method in ("HEAD", "GET"):
            status = http.send(method, address, "show itself", allow_redirects=True, stream=False).status_code
            if status < 400 or status == 429:
                return Link(name, address, True, f"HTTP {status}")
        return Link(name, address, False, f"HTTP {status}")
    except ReleaserError as error:
        return Link(name, address, False, error.message)
    finally:
        http.close()
