"""``/api/sessions``: create, read, change and end sessions."""

from __future__ import annotations

from aiohttp import web

from live_vlm_webui.api.keys import SESSIONS, session_of
from live_vlm_webui.http.body import read_json


async def create(request: web.Request) -> web.Response:
    """Create a session, with the settings in the body if there is one."""
    patch = await read_json(request) if request.body_exists else {}
    session = request.app[SESSIONS].create(for_program=True)
    try:
        await session.change(patch)
    except BaseException:
        await session.close()
        raise
    return web.json_response(session.state(), status=201, headers={"Location": f"/api/sessions/{session.id}"})


async def show(request: web.Request) -> web.Response:
    """Send the state of a session."""
    return web.json_response(session_of(request).state(), headers={"Cache-Control": "no-store"})


async def change(request: web.Request) -> web.Response:
    """Change the settings in the body; they apply from the next question."""
    session = session_of(request)
    await session.change(await read_json(request))
    return web.json_response({"settings": session.settings.to_json()})


async def end(request: web.Request) -> web.Response:
    """End a session for all its browsers."""
    await session_of(request).close()
    return web.Response(status=204)


ROUTES = (
    web.post("/api/sessions", create),
    web.get("/api/sessions/{session}", show),
    web.patch("/api/sessions/{session}", change),
    web.delete("/api/sessions/{session}", end),
)
