"""``/api/models``: the available models."""

from __future__ import annotations

from aiohttp import web

from live_vlm_webui.api.keys import CATALOG, LISTINGS, SESSIONS
from live_vlm_webui.errors import InputError, LimitError
from live_vlm_webui.http.body import check_names, read_json, text_of
from live_vlm_webui.models.endpoint import LONGEST_API_BASE, Keyring
from live_vlm_webui.secret import LONGEST_KEY, Secret

MOST_LISTINGS = 8
"""How many other servers may be listed at a time."""
NO_STORE = {"Cache-Control": "no-store"}


async def found(request: web.Request) -> web.Response:
    """Send the known models, best first; with ``refresh=true`` after a new search."""
    catalog = request.app[CATALOG]
    refresh = request.query.get("refresh", "false")
    if refresh not in {"true", "false"}:
        raise InputError("refresh is neither true nor false", "Send refresh=true, or leave it out.")
    if refresh == "true":
        await catalog.refresh()
    answer = {
        "models": [offer.to_json() for offer in catalog.offers],
        "default": catalog.default().to_json(),
        "trouble": catalog.trouble.to_json() if catalog.trouble else None,
    }
    return web.json_response(answer, headers=NO_STORE)


async def listed(request: web.Request) -> web.Response:
    """Send the models of another server.

    Its key is the one in the body, else the one that the session or this server has for that address.
    """
    catalog = request.app[CATALOG]
    body = await read_json(request)
    check_names(body, "api_base", "api_key", "session")
    api_base = text_of(body, "api_base", LONGEST_API_BASE)
    ring = Keyring(catalog.keyring)
    if "session" in body:
        ring = Keyring(request.app[SESSIONS].get(text_of(body, "session", LONGEST_API_BASE)).keyring)
    if "api_key" in body:
        ring.give(api_base, Secret(text_of(body, "api_key", LONGEST_KEY)))
    if request.app[LISTINGS].locked():
        raise LimitError("Too many servers are being listed", "Wait a moment and try again.", retry_after=1)
    async with request.app[LISTINGS]:
        offers = await catalog.models(ring.endpoint(api_base))
    return web.json_response({"models": [offer.to_json() for offer in offers]}, headers=NO_STORE)


ROUTES = (
    web.get("/api/models", found),
    web.post("/api/models", listed),
)
