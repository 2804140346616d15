"""Everything that can show a file of a version: an index's JSON, its HTML, its release page, the files' own addresses.

After an upload they change at different times, some behind caches. A file that one of them shows is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urljoin

from pydantic import BaseModel, TypeAdapter

from releaser.adapters.http import Http
from releaser.adapters.index.client import Index
from releaser.adapters.index.files import IndexFile, version_of
from releaser.versions.version import Version

_NO_CACHE = {"Cache-Control": "no-cache", "Pragma": "no-cache"}
_HTML = "application/vnd.pypi.simple.v1+html, text/html;q=0.2"
_OWN_ADDRESS = re.compile(r"(?P<base>.*/)[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/[^/]+")
"""How PyPI's file host names a file: by its BLAKE2b-256, two digits, two digits and the rest."""


class _UrlResponse(BaseModel):
    filename: str


class _PageResponse(BaseModel):
    urls: list[_UrlResponse]


_PAGE = TypeAdapter(_PageResponse)


@dataclass(frozen=True)
class Shown:
    """What was found.

    Attributes:
        files: The names of the files that something shows.
        by: What shows any, in words.
        addresses_known: Whether the files' own addresses could be asked; only they tell without a cache or a lag.
    """

    files: frozenset[str] = frozenset()
    by: tuple[str, ...] = field(default=())
    addresses_known: bool = False


def ask_all(index: Index, distribution: str, version: Version, sent: Mapping[str, str]) -> Shown:
    """Ask every reader of an index for the files of a version.

    Args:
        index: The index.
        distribution: The project.
        version: The version.
        sent: The BLAKE2b-256, in hex, of each file that may have been sent, by name.

    Raises:
        ServiceError: A reader refused, or did not respond, or sent something else.
    """
    http = Http(f"{index.name} at {index.simple_url}", f"simple-url in [tool.releaser.{index.name}]", netrc=True)
    listed = index.all_files(distribution)
    found = {"its JSON": {one.name for one in listed if version_of(one.name) == version}}
    found["its HTML"] = _in_html(http, index, distribution, version)
    found["its release page"] = _on_page(http, index, distribution, version)
    base = _base(listed)
    if base:
        addresses = {name: f"{base}{b2[:2]}/{b2[2:4]}/{b2[4:]}/{quote(name)}" for name, b2 in sent.items()}
        found["the files' own addresses"] = {name for name, url in addresses.items() if _is_served(http, name, url)}
    return Shown(frozenset().union(*found.values()), tuple(who for who, files in found.items() if files), bool(base))


def _in_html(http: Http, index: Index, distribution: str, version: Version) -> set[str]:
    from pypi_simple import ProjectPage

    doing = f"list the files of {distribution} in HTML"
    url = urljoin(index.simple_url, f"{index.normalized(distribution)}/")
    response = http.send("GET", url, doing, headers={"Accept": _HTML, **_NO_CACHE})
    if response.status_code == 404:
        return set()
    if not response.ok:
        raise http.refusal(response, doing)
    page = ProjectPage.from_html(distribution, response.text, base_url=response.url)
    return {one.filename for one in page.packages if version_of(one.filename) == version}


def _on_page(http: Http, index: Index, distribution: str, version: Version) -> set[str]:
    doing = f"show the page of {distribution} {version.pep440}"
    url = urljoin(index.simple_url, f"/pypi/{distribution}/{version.pep440}/json")
    response = http.send("GET", url, doing, headers={"Accept": "application/json", **_NO_CACHE})
    if response.status_code == 404:
        return set()
    if not response.ok:
        raise http.refusal(response, doing)
    return {one.filename for one in http.document(response, _PAGE, doing).urls}


def _base(listed: list[IndexFile]) -> str | None:
    """Return what the own addresses of the project's files begin with; None if no listed file shows it."""
    matches = (_OWN_ADDRESS.fullmatch(one.url.partition("#")[0]) for one in listed)
    return next((match["base"] for match in matches if match), None)


def _is_served(http: Http, name: str, url: str) -> bool:
    doing = f"send {name}"
    response = http.send("HEAD", url, doing, headers=_NO_CACHE)
    if response.status_code in (404, 410):
        return False
    if not response.ok:
        raise http.refusal(response, doing)
    return True
