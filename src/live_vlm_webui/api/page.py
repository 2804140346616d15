"""``GET /``, ``/static/PATH``, ``/healthz``: the page, its files, and the health check."""

from __future__ import annotations

from aiohttp import web

from live_vlm_webui import __version__
from live_vlm_webui.api.keys import ASSETS
from live_vlm_webui.http.assets import asset_response


async def page(request: web.Request) -> web.Response:
    """Send the page."""
    return asset_response(request, request.app[ASSETS]["index.html"])


async def static(request: web.Request) -> web.Response:
    """Send a file of the page."""
    asset = request.app[ASSETS].get(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    return asset_response(request, asset)


async def healthz(_request: web.Request) -> web.Response:
    """Send ``{"status": "ok", "version": "0.1.0"}``."""
    return web.json_response({"status": "ok", "version": __version__}, headers={"Cache-Control": "no-store"})


ROUTES = (
    web.get("/", page),
    web.get("/static/{name:.+}", static),
    web.get("/healthz", healthz),
)
