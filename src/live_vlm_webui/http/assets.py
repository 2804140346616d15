"""The page's files, read from the package once at start."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePath

from aiohttp import web

CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """A file of the page.

    Attributes:
        body: The file's content, UTF-8 text.
        content_type: Its media type, without a charset.
        etag: A hash of the body.
    """

    body: bytes
    content_type: str
    etag: str


def load_assets() -> dict[str, Asset]:
    """Return all files of the page, by path below ``static/``; reads one level of folders."""
    root = files("live_vlm_webui").joinpath("static")
    folders = {"": root, **{f"{entry.name}/": entry for entry in root.iterdir() if entry.is_dir()}}
    return {
        f"{prefix}{entry.name}": make_asset(entry.name, entry.read_bytes())
        for prefix, folder in folders.items()
        for entry in folder.iterdir()
        if PurePath(entry.name).suffix in CONTENT_TYPES
    }


def asset_response(request: web.Request, asset: Asset) -> web.Response:
    """Return ``asset``, or 304 if the browser has it already."""
    if request.if_none_match and asset.etag in {held.value for held in request.if_none_match}:
        response = web.Response(status=304)
    else:
        response = web.Response(body=asset.body, content_type=asset.content_type, charset="utf-8")
    response.etag = asset.etag
    response.headers["Cache-Control"] = "no-cache"
    return response


def make_asset(name: str, body: bytes) -> Asset:
    """Return the asset of a file called ``name``."""
    return Asset(body, CONTENT_TYPES[PurePath(name).suffix], hashlib.sha256(body).hexdigest()[:16])
