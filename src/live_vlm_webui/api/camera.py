"""``/api/sessions/ID/camera`` and ``/picture``: cameras that the server reads, and single pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from live_vlm_webui.api.keys import CAMERAS, ENCODERS, LOADER, PICTURES, UPLOADS, session_of
from live_vlm_webui.errors import ConflictError, LimitError, MediaTypeError
from live_vlm_webui.http.body import check_names, read_body, read_json, text_of

if TYPE_CHECKING:
    from live_vlm_webui.media.camera import CameraStatus
    from live_vlm_webui.sessions.session import Session

ADDRESS_LENGTH = 2048
PICTURE_BYTES = 16 * 1024 * 1024
PICTURE_SECONDS = 125.0
"""How long one may take to arrive: 16 MiB at 1.1 Mbit/s. The page gives up before, and says so in its own words."""
MOST_PICTURES = 8
MOST_UPLOADS = 16
"""Concurrent uploads, of up to ``PICTURE_BYTES`` each; one more is rejected."""


async def connect(request: web.Request) -> web.Response:
    """Make the camera at an address the session's camera."""
    session = session_of(request)
    body = await read_json(request)
    check_names(body, "address")
    turn = request.query.get("turn")
    session.turns.take(turn)
    await request.app[LOADER].load("av")
    camera = await request.app[CAMERAS].open(text_of(body, "address", ADDRESS_LENGTH))
    try:
        session.turns.check(turn)
        await session.attach(camera)
    except BaseException:
        await camera.close()
        raise
    return web.json_response(camera.status.to_json())


async def disconnect(request: web.Request) -> web.Response:
    """Remove the session's camera."""
    session = session_of(request)
    try:
        session.turns.take(request.query.get("turn"))
    except ConflictError:
        return web.Response(status=204)  # the page has replaced what this was to remove
    await session.attach(None)
    return web.Response(status=204)


async def picture(request: web.Request) -> web.Response:
    """Make one uploaded picture the session's camera."""
    session = session_of(request)
    if not request.content_type.startswith("image/"):
        raise MediaTypeError(
            f"{request.path} accepts only pictures",
            "Send the picture as the body, with its type in the header, such as `Content-Type: image/jpeg`.",
        )
    if request.app[UPLOADS].locked():
        raise LimitError("Too many pictures are being uploaded", "Send the picture again in a moment.", retry_after=1)
    turn = request.query.get("turn")
    session.turns.take(turn)
    async with request.app[UPLOADS]:
        sent = await read_body(request, PICTURE_BYTES, PICTURE_SECONDS)
        status = await _take(session, sent, turn, request.app)
    return web.json_response(status.to_json())


async def _take(session: Session, picture: bytes, turn: str | None, app: web.Application) -> CameraStatus:
    """Decode a picture, when it is its turn, and make it the session's camera."""
    await app[LOADER].load("live_vlm_webui.media.push")
    from live_vlm_webui.media.push import PushCamera

    camera = PushCamera("picture", app[ENCODERS])
    try:
        async with app[PICTURES]:
            await camera.push(picture)
        session.turns.check(turn)
        await session.attach(camera)
    except BaseException:
        await camera.close()
        raise
    return camera.status


ROUTES = (
    web.put("/api/sessions/{session}/camera", connect),
    web.delete("/api/sessions/{session}/camera", disconnect),
    web.post("/api/sessions/{session}/picture", picture),
)
