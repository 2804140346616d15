"""``GET /ws``: a browser's connection to a session: events out, settings and camera JPEGs in."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from live_vlm_webui.api.keys import ENCODERS, LOADER, METRICS, SESSIONS, VIEWERS
from live_vlm_webui.errors import ConflictError, InputError, LimitError, RequestError, TooLargeError, WebUIError
from live_vlm_webui.http.body import JSON_BYTES, kind_of, parse_object
from live_vlm_webui.http.explain import BUG, error_json
from live_vlm_webui.logs import shown_id
from live_vlm_webui.sessions.events import TOO_SLOW, to_json

if TYPE_CHECKING:
    from live_vlm_webui.media.push import PushCamera
    from live_vlm_webui.sessions.events import Subscription
    from live_vlm_webui.sessions.session import Session

MESSAGE_BYTES = 5 * 1024 * 1024
"""The largest message; a larger one closes the connection with 1009."""
HEARTBEAT_SECONDS = 20.0
MOST_VIEWERS = 512
"""In all sessions together."""
CLOSE_SECONDS = 1.0
"""How long the browser may take to complete the closing handshake."""
REFUSED = 4000
"""Added to an HTTP status: the close code of a rejected connection."""

REASON_BYTES = 123
ON_ITS_WAY_SECONDS = 1.0

logger = logging.getLogger(__name__)


async def watch(request: web.Request) -> web.WebSocketResponse:
    """Connect a browser to the session named in the query, or to a new one."""
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_SECONDS, timeout=CLOSE_SECONDS, max_msg_size=MESSAGE_BYTES, compress=False
    )
    if not socket.can_prepare(request):
        raise InputError(
            "/ws accepts only WebSocket connections", "Connect with a WebSocket client, or use `GET /api/sessions/ID`."
        )
    await socket.prepare(request)
    viewers = request.app[VIEWERS]
    try:
        if len(viewers) >= MOST_VIEWERS:
            raise LimitError(
                f"{MOST_VIEWERS} browsers are connected, which is the limit", "Close a page that is not needed."
            )
        sessions = request.app[SESSIONS]
        wanted = request.query.get("session")
        session = sessions.create() if wanted is None else sessions.get(wanted)
        viewers.add(socket)
        if await Connection(request.app, socket, session).serve() == TOO_SLOW:
            request.app[METRICS].dropped.inc()
    except RequestError as error:  # browsers do not show responses other than 101 to the page
        await socket.send_str(to_json("error", {"error": error_json(error)}))
        await socket.close(code=REFUSED + error.status, message=_reason(error.message))
    finally:
        viewers.discard(socket)
    return socket


class Connection:
    """A browser's socket, and the camera that it may send through it."""

    def __init__(self, app: web.Application, socket: web.WebSocketResponse, session: Session) -> None:
        self._app = app
        self._socket = socket
        self._session = session
        self._camera: PushCamera | None = None
        self._replaced_at = 0.0
        self._fault = ""

    async def serve(self) -> str:
        """Send events and receive messages until the browser leaves or the session ends.

        Returns:
            Why it ended; empty if the browser left.
        """
        with self._session.subscribe() as subscription:
            sender = asyncio.create_task(self._send_events(subscription))
            try:
                async for message in self._socket:
                    await self._receive(message)
                if subscription.reason:
                    await sender  # it is closing the socket
            except OSError:
                pass  # the browser is gone
            finally:
                sender.cancel()
                # Shielded: a handler whose browser is gone may be cancelled again during this cleanup.
                await asyncio.shield(asyncio.gather(sender, self._detach(), return_exceptions=True))
        return subscription.reason

    async def _send_events(self, subscription: Subscription) -> None:
        try:
            async for text in subscription:
                await self._socket.send_str(text)
        except OSError:
            return  # the browser is gone; receiving ends as well
        except Exception:  # a page without further events must not look alive
            logger.exception("sending events of session %s to a browser failed", shown_id(self._session.id))
            await self._socket.close(code=WSCloseCode.INTERNAL_ERROR, message=_reason(BUG.message))
            return
        await self._socket.close(code=WSCloseCode.GOING_AWAY, message=_reason(subscription.reason))

    async def _receive(self, message: WSMessage) -> None:
        """Process one message; errors are reported to the browser and do not end the connection."""
        try:
            if message.type is WSMsgType.BINARY:
                await self._take_picture(message.data)
                self._fault = ""
            elif message.type is WSMsgType.TEXT:
                await self._take_settings(message.data)
        except Exception as caught:
            if not isinstance(caught, WebUIError):
                logger.exception("a message to session %s failed", shown_id(self._session.id))
            error = caught if isinstance(caught, WebUIError) else BUG
            again = message.type is WSMsgType.BINARY and error.message == self._fault
            if message.type is WSMsgType.BINARY:
                self._fault = error.message
            if not again:  # pictures arrive 30 times a second
                await self._socket.send_str(to_json("error", {"error": error_json(error)}))

    async def _take_settings(self, text: str) -> None:
        if len(text) > JSON_BYTES:
            raise TooLargeError("The message is too large", f"Send at most {JSON_BYTES // 1024} KiB of JSON.")
        message = parse_object(text)
        kind = message.pop("type", None)
        if kind == "settings":
            await self._session.change(message)
        else:
            what = repr(kind[:20]) if isinstance(kind, str) else kind_of(kind)
            raise InputError(f"Unknown message type {what}", "Send a message of type 'settings', or a JPEG.")

    async def _take_picture(self, jpeg: bytes) -> None:
        """Take a picture of the browser's camera; the first one makes it the session's camera."""
        if self._camera is not None and self._session.camera is self._camera:
            await self._camera.push(jpeg)
            return
        if self._camera is not None:
            other = self._session.camera
            if other is not None and other.kind == "websocket":
                # The two browsers would replace each other's camera again and again.
                raise ConflictError(
                    "Another browser is sending its camera to this session",
                    "Stop the camera there, or reload this page.",
                )
            # Pictures sent just before the camera was removed or replaced must not bring it back; a browser that keeps
            # sending may.
            self._replaced_at = self._replaced_at or time.monotonic()
            if time.monotonic() - self._replaced_at < ON_ITS_WAY_SECONDS:
                return
        await self._app[LOADER].load("live_vlm_webui.media.push")
        from live_vlm_webui.media.push import PushCamera

        camera = PushCamera("websocket", self._app[ENCODERS])
        try:
            await camera.push(jpeg)
            await self._session.attach(camera)
        except BaseException:
            await camera.close()
            raise
        self._camera, self._replaced_at = camera, 0.0

    async def _detach(self) -> None:
        """Remove this browser's camera, if it is the session's."""
        if self._camera is not None and self._session.camera is self._camera:
            await self._session.attach(None)


def _reason(text: str) -> bytes:
    """Return as much of ``text`` as fits in a close frame, in whole characters."""
    return text.encode()[:REASON_BYTES].decode("utf-8", "ignore").encode()


async def options(_request: web.Request) -> web.Response:
    """Send nothing: the request passed the checks of a WebSocket, whose errors browsers hide from the page."""
    return web.Response(status=204, headers={"Allow": "GET, OPTIONS", "Cache-Control": "no-store"})


ROUTES = (web.get("/ws", watch), web.options("/ws", options))
