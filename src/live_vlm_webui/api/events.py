"""``GET /ws``: a browser's connection to a session: events out; settings and the JPEGs of its camera in."""

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
"""Of a JPEG; a longer message ends the connection with 1009."""
HEARTBEAT_SECONDS = 20.0
MOST_VIEWERS = 512
"""Of all sessions together."""
CLOSE_SECONDS = 1.0
"""How long the other side may take to say goodbye."""
REFUSED = 4000
"""Plus an HTTP status: why the socket was closed at once."""

REASON_BYTES = 123
ON_ITS_WAY_SECONDS = 1.0

logger = logging.getLogger(__name__)


async def watch(request: web.Request) -> web.WebSocketResponse:
    """Connect a browser to the session that the query names, or to a new one."""
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_SECONDS, timeout=CLOSE_SECONDS, max_msg_size=MESSAGE_BYTES, compress=False
    )
    if not socket.can_prepare(request):
        raise InputError(
            "/ws takes WebSockets alone.", "Connect a client of WebSockets; GET /api/sessions/ID tells the state once."
        )
    await socket.prepare(request)
    viewers = request.app[VIEWERS]
    try:
        if len(viewers) >= MOST_VIEWERS:
            raise LimitError(f"{MOST_VIEWERS} browsers watch already.", "Close a page that is not needed.")
        sessions = request.app[SESSIONS]
        wanted = request.query.get("session")
        session = sessions.create() if wanted is None else sessions.get(wanted)
        viewers.add(socket)
        if await Connection(request.app, socket, session).serve() == TOO_SLOW:
            request.app[METRICS].dropped.inc()
    except RequestError as error:  # a browser is told nothing of an answer that is not 101
        await socket.send_str(to_json("error", {"error": error_json(error)}))
        await socket.close(code=REFUSED + error.status, message=_reason(error.message))
    finally:
        viewers.discard(socket)
    return socket


class Connection:
    """One browser's socket, and the camera that it may send through it."""

    def __init__(self, app: web.Application, socket: web.WebSocketResponse, session: Session) -> None:
        self._app = app
        self._socket = socket
        self._session = session
        self._camera: PushCamera | None = None
        self._replaced_at = 0.0
        self._fault = ""

    async def serve(self) -> str:
        """Tell and take, until the browser leaves or the session ends.

        Returns:
            Why it ended, if not because the browser left.
        """
        with self._session.subscribe() as subscription:
            teller = asyncio.create_task(self._tell(subscription))
            try:
                async for message in self._socket:
                    await self._take(message)
                if subscription.reason:
                    await teller  # is saying goodbye
            except OSError:
                pass  # it is gone
            finally:
                teller.cancel()
                # Shielded: a handler whose browser is gone may be cancelled again while it tidies up.
                await asyncio.shield(asyncio.gather(teller, self._let_go(), return_exceptions=True))
        return subscription.reason

    async def _tell(self, subscription: Subscription) -> None:
        try:
            async for text in subscription:
                await self._socket.send_str(text)
        except OSError:
            return  # it is gone, and who receives from it is told so too
        except Exception:  # a page that is told nothing more must not look alive
            logger.exception("session %s could not be told to a browser", shown_id(self._session.id))
            await self._socket.close(code=WSCloseCode.INTERNAL_ERROR, message=_reason(BUG.message))
            return
        await self._socket.close(code=WSCloseCode.GOING_AWAY, message=_reason(subscription.reason))

    async def _take(self, message: WSMessage) -> None:
        """Carry one message out; what is wrong with it is told, and does not end the connection."""
        try:
            if message.type is WSMsgType.BINARY:
                await self._show(message.data)
                self._fault = ""
            elif message.type is WSMsgType.TEXT:
                await self._obey(message.data)
        except Exception as caught:
            if not isinstance(caught, WebUIError):
                logger.exception("a message to session %s failed", shown_id(self._session.id))
            error = caught if isinstance(caught, WebUIError) else BUG
            again = message.type is WSMsgType.BINARY and error.message == self._fault
            if message.type is WSMsgType.BINARY:
                self._fault = error.message
            if not again:  # pictures come 30 times a second
                await self._socket.send_str(to_json("error", {"error": error_json(error)}))

    async def _obey(self, text: str) -> None:
        if len(text) > JSON_BYTES:
            raise TooLargeError("This message is too large.", f"Send at most {JSON_BYTES // 1024} KiB of JSON.")
        message = parse_object(text)
        kind = message.pop("type", None)
        if kind == "settings":
            await self._session.change(message)
        else:
            what = repr(kind[:20]) if isinstance(kind, str) else kind_of(kind)
            raise InputError(f"There is no message of type {what}.", "Send type settings, or a JPEG.")

    async def _show(self, jpeg: bytes) -> None:
        """Take a picture of the browser's camera; the first makes that the session's."""
        if self._camera is not None and self._session.camera is self._camera:
            await self._camera.push(jpeg)
            return
        if self._camera is not None:
            other = self._session.camera
            if other is not None and other.kind == "websocket":
                # The two would take the session from each other again and again.
                raise ConflictError(
                    "Another browser sends its camera to this session.", "Stop it there, or reload this page."
                )
            # What was on its way when the camera was taken away, or another chosen, takes nothing back; who goes on
            # sending means it.
            self._replaced_at = self._replaced_at or time.monotonic()
            if time.monotonic() - self._replaced_at < ON_ITS_WAY_SECONDS:
                return
        await self._app[LOADER].load("av")
        from live_vlm_webui.media.push import PushCamera

        camera = PushCamera("websocket", self._app[ENCODERS])
        try:
            await camera.push(jpeg)
            await self._session.attach(camera)
        except BaseException:
            await camera.close()
            raise
        self._camera, self._replaced_at = camera, 0.0

    async def _let_go(self) -> None:
        """Take this browser's camera away, if it is the session's."""
        if self._camera is not None and self._session.camera is self._camera:
            await self._session.attach(None)


def _reason(text: str) -> bytes:
    """As much of ``text`` as a close frame holds, in whole characters."""
    return text.encode()[:REASON_BYTES].decode("utf-8", "ignore").encode()


ROUTES = (web.get("/ws", watch),)
