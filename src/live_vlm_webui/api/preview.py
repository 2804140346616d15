"""``GET /api/sessions/ID/preview``: what the session's camera shows, for people who look."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from aiohttp import web

from live_vlm_webui.api.keys import PREVIEWERS, PREVIEWS, session_of
from live_vlm_webui.errors import ConflictError, LimitError
from live_vlm_webui.http.streams import send_pieces

if TYPE_CHECKING:
    from live_vlm_webui.media.picture import Picture

MOST_PREVIEWS = 64
"""That are looked at at a time, of all sessions together."""
BOUNDARY = b"--picture\r\n"


async def preview(request: web.Request) -> web.StreamResponse:
    """The camera's newest pictures, one replacing the other, until the camera ends or another takes its place."""
    session = session_of(request)
    if session.camera is None:
        raise ConflictError("The session has no camera.", "Connect one, then look at its preview.")
    if request.app[PREVIEWERS].locked():
        raise LimitError(f"{MOST_PREVIEWS} previews are being looked at already.", "Close a page that is not needed.")
    async with request.app[PREVIEWERS]:
        pictures = request.app[PREVIEWS].pictures(session.camera)
        return await send_pieces(
            request, parts(pictures), {"Content-Type": "multipart/x-mixed-replace;boundary=picture"}
        )


async def parts(pictures: AsyncGenerator[Picture, None]) -> AsyncGenerator[bytes, None]:
    """The pictures as parts; each is followed by a boundary at once, without which browsers would not show it yet."""
    yield BOUNDARY
    async with aclosing(pictures):
        async for picture in pictures:
            head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture.jpeg)
            yield b"".join((head, picture.jpeg, b"\r\n", BOUNDARY))


ROUTES = (web.get("/api/sessions/{session}/preview", preview, allow_head=False),)
