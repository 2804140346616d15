"""``GET /api/sessions/ID/preview``: the session's camera as MJPEG, for people."""

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
"""Open at a time, in all sessions together."""
BOUNDARY = b"--picture\r\n"


async def preview(request: web.Request) -> web.StreamResponse:
    """Send the camera's newest pictures until it ends or is replaced."""
    session = session_of(request)
    if session.camera is None:
        raise ConflictError("The session has no camera", "Connect a camera, then open its preview.")
    if request.app[PREVIEWERS].locked():
        raise LimitError(f"{MOST_PREVIEWS} previews are open, which is the limit", "Close a page that is not needed.")
    async with request.app[PREVIEWERS]:
        pictures = request.app[PREVIEWS].pictures(session.camera)
        return await send_pieces(
            request, parts(pictures), {"Content-Type": "multipart/x-mixed-replace;boundary=picture"}
        )


async def parts(pictures: AsyncGenerator[Picture, None]) -> AsyncGenerator[bytes, None]:
    """Yield the pictures as parts, each followed by its boundary: browsers show a part only when it has ended."""
    yield BOUNDARY
    async with aclosing(pictures):
        async for picture in pictures:
            head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture.jpeg)
            yield b"".join((head, picture.jpeg, b"\r\n", BOUNDARY))


ROUTES = (web.get("/api/sessions/{session}/preview", preview, allow_head=False),)
