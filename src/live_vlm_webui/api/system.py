"""``/api/system``: the machine and its monitor."""

from __future__ import annotations

from aiohttp import web

from live_vlm_webui.api.keys import MONITOR
from live_vlm_webui.errors import InputError
from live_vlm_webui.http.body import check_names, kind_of, read_json

NO_STORE = {"Cache-Control": "no-store"}


async def show(request: web.Request) -> web.Response:
    """Send the machine, its current figures and those of the last minutes."""
    return web.json_response(request.app[MONITOR].to_json(), headers=NO_STORE)


async def change(request: web.Request) -> web.Response:
    """Set the interval of the monitor, for all browsers."""
    body = await read_json(request)
    check_names(body, "interval")
    interval = body.get("interval")
    if isinstance(interval, bool) or not isinstance(interval, int | float):
        what = kind_of(interval) if "interval" in body else "missing"
        raise InputError(f"interval is {what}", "Send it as a number of seconds.")
    request.app[MONITOR].interval = interval
    return web.json_response(request.app[MONITOR].to_json(), headers=NO_STORE)


ROUTES = (
    web.get("/api/system", show),
    web.patch("/api/system", change),
)
