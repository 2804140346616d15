"""``POST /offer``: a browser's camera over WebRTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from live_vlm_webui.api.keys import LOADER, OFFERS, SESSIONS
from live_vlm_webui.errors import InputError
from live_vlm_webui.http.body import check_names, read_json, text_of

if TYPE_CHECKING:
    from live_vlm_webui.sessions.session import Session

ID_LENGTH = 64
SDP_LENGTH = 48 * 1024
TURN_LENGTH = 60
MOST_OFFERS = 8


async def offer(request: web.Request) -> web.Response:
    """Answer a browser's WebRTC offer; its camera becomes the session's."""
    body = await read_json(request)
    check_names(body, "session", "sdp", "type", "turn")
    if body.get("type") != "offer":
        raise InputError("type is not 'offer'", 'Send {"session": ..., "sdp": ..., "type": "offer"}.')
    session = request.app[SESSIONS].get(text_of(body, "session", ID_LENGTH))
    sdp = text_of(body, "sdp", SDP_LENGTH)
    turn = text_of(body, "turn", TURN_LENGTH) if "turn" in body else None
    session.turns.take(turn)
    await request.app[LOADER].load("av")
    await request.app[LOADER].load("live_vlm_webui.media.webrtc.camera")
    async with request.app[OFFERS]:
        answer = await connect(session, sdp, turn)
    return web.json_response({"sdp": answer, "type": "answer"})


async def connect(session: Session, sdp: str, turn: str | None = None) -> str:
    """Make the camera in an SDP offer the session's camera.

    Returns:
        The SDP answer.

    Raises:
        ConflictError: The page that numbered this request ``turn`` has stopped or replaced the camera since.
    """
    from live_vlm_webui.media.webrtc.camera import WebRtcCamera

    camera = WebRtcCamera()
    try:
        answer = await camera.accept(sdp)
        session.turns.check(turn)
        await session.attach(camera)
    except BaseException:
        await camera.close()
        raise
    return answer


ROUTES = (web.post("/offer", offer),)
