"""The web application: its routes, and its answers to what it does not know."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from live_vlm_webui import __version__
from live_vlm_webui.assets import Asset, asset_response, load_assets
from live_vlm_webui.security import add_security_headers, check_host
from live_vlm_webui.settings import Settings

ASSETS = web.AppKey("ASSETS", Mapping[str, Asset])
SETTINGS = web.AppKey("SETTINGS", Settings)

MAX_REQUEST_BYTES = 16 * 1024


def create_app(settings: Settings) -> web.Application:
    """Make the application; all that it knows hangs on it and dies with it."""
    app = web.Application(middlewares=[explain_errors, check_host], client_max_size=MAX_REQUEST_BYTES)
    app[SETTINGS] = settings
    app[ASSETS] = load_assets()
    app.on_response_prepare.append(add_security_headers)
    app.router.add_get("/", page)
    app.router.add_get("/static/{name}", static)
    app.router.add_get("/healthz", healthz)
    return app


async def page(request: web.Request) -> web.Response:
    """``GET /``: the page."""
    return asset_response(request, request.app[ASSETS]["index.html"])


async def static(request: web.Request) -> web.Response:
    """``GET /static/NAME``: a file of the page."""
    asset = request.app[ASSETS].get(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    return asset_response(request, asset)


async def healthz(_request: web.Request) -> web.Response:
    """``GET /healthz``: ``{"status": "ok", "version": "0.1.0"}``."""
    return web.json_response({"status": "ok", "version": __version__}, headers={"Cache-Control": "no-store"})


@web.middleware
async def explain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Say errors in words: as JSON ``{"status": 404, "error": "..."}`` to who accepts that, else as plain text."""
    try:
        return await handler(request)
    except web.HTTPClientError as error:
        message = _explanation(request, error)
        if "application/json" in request.headers.get("Accept", ""):
            response = web.json_response({"status": error.status, "error": message}, status=error.status)
        else:
            response = web.Response(text=f"{message}\n", status=error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response


def _explanation(request: web.Request, error: web.HTTPClientError) -> str:
    if isinstance(error, web.HTTPNotFound):
        return f"There is nothing at {request.path}. The page is at /, the server's health at /healthz."
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"{request.path} does not take {request.method}; it takes {', '.join(sorted(error.allowed_methods))}."
    return error.text or error.reason
