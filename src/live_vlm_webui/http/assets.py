"""The page's files, read from the package once at start."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePath

from aiohttp import web

CONTENT_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}

COMMENT = re.compile(r"^[ ]*(?://[^\n]*|/\*.*?\*/)[ ]*$", re.MULTILINE | re.DOTALL)
"""A comment that has its lines for itself."""
AFTER_CODE = re.compile(
    r"""^((?:[^"'`\n]|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\\n]|\\.)*`)*[;,{}(\[])[ ]+//[ ][^\n]*$"""
)
"""A comment of a script after its code; no ``//`` in a string is one."""


@dataclass(frozen=True)
class Asset:
    """A file of the page.

    Attributes:
        body: The file's content; text is UTF-8.
        content_type: Its media type, without a charset.
        etag: A hash of the body.
        compressed: The content by gzip, compressed once for all browsers.
    """

    body: bytes
    content_type: str
    etag: str
    compressed: bytes


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
    """Return ``asset``, compressed if the browser takes that, or 304 if the browser has it already."""
    takes_gzip = any(_takes_gzip(part) for part in request.headers.get("Accept-Encoding", "").split(","))
    etag = f"{asset.etag}-gzip" if takes_gzip else asset.etag  # one content in two forms has two of them
    if request.if_none_match and etag in {held.value for held in request.if_none_match}:
        response = web.Response(status=304)
    else:
        body = asset.compressed if takes_gzip else asset.body
        charset = None if asset.content_type == "image/png" else "utf-8"
        response = web.Response(body=body, content_type=asset.content_type, charset=charset)
        if takes_gzip:
            response.headers["Content-Encoding"] = "gzip"
    response.etag = etag
    response.headers.update({"Cache-Control": "no-cache", "Vary": "Accept-Encoding"})
    return response


def _takes_gzip(part: str) -> bool:
    coding, _, quality = part.partition(";")
    return coding.strip().lower() == "gzip" and quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}


def make_asset(name: str, body: bytes) -> Asset:
    """Return the asset of a file called ``name``."""
    if name.endswith((".js", ".css")):  # comments are a fifth of what the page weighs; line numbers stay
        text = COMMENT.sub(lambda found: "\n" * found[0].count("\n"), body.decode())
        if name.endswith(".js"):
            lines = text.split("\n")
            text = "\n".join(AFTER_CODE.sub(r"\1", line) if " // " in line else line for line in lines)
        body = text.encode()
    etag = hashlib.sha256(body).hexdigest()[:16]
    return Asset(body, CONTENT_TYPES[PurePath(name).suffix], etag, gzip.compress(body, mtime=0))


def compact(text: str) -> str:
    """Return ``text`` without indentation and empty lines; scripts, sheets and documents mean the same without."""
    return "\n".join(stripped for line in text.splitlines() if (stripped := line.strip()))
