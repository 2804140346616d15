"""``GET /api/openapi.json``: the description of the API."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from aiohttp import web

from live_vlm_webui import __version__


def read_description() -> dict[str, Any]:
    """Return the OpenAPI 3.1 description, with the version of this package."""
    text = files("live_vlm_webui.api").joinpath("openapi.json").read_text("utf-8")
    description: dict[str, Any] = json.loads(text)
    description["info"]["version"] = __version__
    return description


async def show(_request: web.Request) -> web.Response:
    """Send the description."""
    return web.json_response(read_description(), headers={"Cache-Control": "no-cache"})


ROUTES = (web.get("/api/openapi.json", show),)
