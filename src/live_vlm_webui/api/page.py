"""``GET /``, ``/static/PATH``, ``/healthz``: the page, its files, and the health check."""

from __future__ import annotations

from aiohttp import web

from live_vlm_webui import __version__
from live_vlm_webui.api.keys import ASSETS, CATALOG, DESCRIBER, LOADER, PAGES
from live_vlm_webui.http.assets import asset_response
from live_vlm_webui.http.languages import COOKIE, THEME_COOKIE, chosen
from live_vlm_webui.models.model import BUILT_IN
from live_vlm_webui.security.login import LOGIN
from live_vlm_webui.security.middlewares import policy
from live_vlm_webui.sessions.choice import READY_SECONDS


async def page(request: web.Request) -> web.Response:
    """Send the page, in the language that was chosen in it, else in the browser's; and in the chosen theme."""
    if request.app[LOGIN].is_signed_in(request):
        expect_question(request.app)
    pages = request.app[PAGES]
    language = chosen(request.cookies.get(COOKIE), request.headers.get("Accept-Language", ""), pages.documents)
    response = asset_response(request, pages.get(language, request.cookies.get(THEME_COOKIE, "")))
    response.headers.update(
        {
            "Vary": "Accept-Encoding, Accept-Language, Cookie",
            "Content-Language": language,
            "Content-Security-Policy": policy(pages.style_hash),
        }
    )
    return response


def expect_question(app: web.Application) -> None:
    """Start loading the describer's networks if it is the model that will be asked."""

    async def asks_describer() -> bool:
        await app[LOADER].begun()  # the camera is needed first
        await app[CATALOG].ready(READY_SECONDS)
        return app[CATALOG].default().api_base == BUILT_IN

    app[DESCRIBER].warm_up(asks_describer)


async def static(request: web.Request) -> web.Response:
    """Send a file of the page."""
    asset = request.app[ASSETS].get(request.match_info["name"])
    if asset is None or asset.content_type == "text/html":  # the page without its texts
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
