"""A browser's camera over WebRTC: received and decoded, never sent back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtp import RtcpByePacket

from live_vlm_webui.errors import ConflictError, InputError
from live_vlm_webui.media.camera import Camera
from live_vlm_webui.media.webrtc.decoder import Decoder
from live_vlm_webui.media.webrtc.offer import Offer, read_offer
from live_vlm_webui.media.webrtc.sdp import REMEDY

logger = logging.getLogger(__name__)

NEGOTIATION_SECONDS = 5.0
CONNECT_SECONDS = 15.0
"""How long a browser may take to connect after the answer."""
CLOSE_SECONDS = 1.0

COMPRESSED_FRAMES = "_RTCRtpReceiver__decoder_queue"
"""The attribute of aiortc 1.14 to 1.16 for the compressed frames of a track, which has no public access."""

STALLED = (
    "The browser's camera has sent no frame for some seconds. Check that it is on and not in use by another program."
)
UNCONNECTED = (
    "The browser's camera did not connect: no packet arrived. Allow UDP between the browser and this server, or let the"
    " page send single pictures instead."
)
LOST = "The connection to the browser's camera was lost. Reload its page, or connect the camera again."
LEFT = "The browser's camera was disconnected."


class WebRtcCamera(Camera):
    """Receives one video of a browser; the last offer counts.

    Args:
        ice_servers: STUN or TURN servers for browsers outside the local network; none by default.
    """

    kind = "webrtc"

    def __init__(self, ice_servers: Sequence[str] = ()) -> None:
        super().__init__()
        self._configuration = RTCConfiguration(iceServers=[RTCIceServer(urls=address) for address in ice_servers])
        self._negotiating = asyncio.Lock()
        self._link: _Link | None = None
        self._hanging_up: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()
        self._watch_for_stalls(STALLED)

    async def accept(self, sdp: str) -> str:
        """Answer an offer of the existing connection, or of a new one that replaces it.

        Args:
            sdp: The offer, including its candidates.

        Returns:
            The answer, which receives one video and declines everything else.

        Raises:
            InputError: It is not an offer, or has no supported video.
            ConflictError: Another offer is being answered, the camera is closed, or the change is not possible.
        """
        offer = read_offer(sdp)
        if self._closed.is_set() or self._negotiating.locked():
            raise ConflictError(
                "The camera is closed, or an earlier offer is still being answered", "Send the offer again in a moment."
            )
        async with self._negotiating:
            if self._link is not None and self._link.offer.identity == offer.identity:
                return await self._renegotiated(self._link, offer)
            link = _Link(self._configuration, offer, self._show, self._changed)
            try:
                answer = await _negotiated(link.connection, offer)
            except BaseException:
                await link.close()
                raise
            if self._closed.is_set():
                await link.close()
                raise ConflictError("The camera was closed while it was connecting", "Connect it again.")
            former, self._link = self._link, link
            self._become(replace(self.status, state="connecting", detail=""))
            link.connect_within(CONNECT_SECONDS)
            if former is not None:
                await former.close()
            return answer

    async def close(self) -> None:
        """Close the connection and free its threads."""
        self._closed.set()
        self._end()
        link, self._link = self._link, None
        if link is not None:
            self._hanging_up = link.hang_up()
        if self._hanging_up is not None:
            await asyncio.shield(self._hanging_up)

    async def _renegotiated(self, link: _Link, offer: Offer) -> str:
        if offer.video.mid != link.offer.video.mid:
            raise ConflictError(
                "A connection cannot change its video section",
                "Replace the track of its sender, or open a new connection.",
            )
        return await _negotiated(link.connection, offer)

    def _changed(self, link: _Link, state: str) -> None:
        """Handle the end of a connection: ``closed`` by the browser, ``failed``, or ``unconnected``."""
        if link is not self._link or self._closed.is_set():
            return
        self._link = None
        self._hanging_up = link.hang_up()
        if state == "closed":
            self._become(replace(self.status, state="ended", detail=LEFT))
        else:
            self._become(replace(self.status, state="lost", detail=LOST if state == "failed" else UNCONNECTED))


async def _negotiated(connection: RTCPeerConnection, offer: Offer) -> str:
    async def negotiate() -> str:
        await connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return str(connection.localDescription.sdp)

    try:
        return offer.answer(await asyncio.wait_for(negotiate(), NEGOTIATION_SECONDS))
    except Exception as error:  # anything that aiortc's parsers and state checks raise
        logger.debug("an offer was rejected", exc_info=True)
        raise InputError("The offer cannot be accepted", REMEDY) from error


class _Link:
    """A peer connection and the thread that decodes its video.

    Args:
        configuration: The configuration of the peer connection.
        offer: The first offer.
        show: Called with decoded frames, in any thread.
        changed: Called when the connection is over: ``closed`` by the browser, ``failed``, or ``unconnected`` in time.
    """

    def __init__(
        self,
        configuration: RTCConfiguration,
        offer: Offer,
        show: Callable[[Any], None],
        changed: Callable[[_Link, str], None],
    ) -> None:
        self.offer = offer
        self.connection = RTCPeerConnection(configuration)
        self._changed = changed
        self._decoder = Decoder(show, self._ask_key_frame)
        self._show = show
        self._loop = asyncio.get_running_loop()
        self._receiver: RTCRtpReceiver | None = None
        self._asking: asyncio.Task[None] | None = None
        self._taking: asyncio.Task[None] | None = None
        self._connected = False
        self._deadline: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None
        self.connection.on("connectionstatechange", self._on_state)
        self.connection.on("track", self._on_track)

    def connect_within(self, seconds: float) -> None:
        """Give up if it is not connected after ``seconds``."""
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._on_deadline)

    def hang_up(self) -> asyncio.Task[None]:
        """Start closing it."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        return self._closing

    async def close(self) -> None:
        """Close it; no frame arrives afterwards."""
        await asyncio.shield(self.hang_up())

    async def _close(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._decoder.close()
        for task in (self._taking, self._asking):
            if task is not None:
                task.cancel()
        try:
            await asyncio.wait_for(self.connection.close(), CLOSE_SECONDS)
        except asyncio.TimeoutError:
            logger.warning("a peer connection did not close within %g s", CLOSE_SECONDS)
        await asyncio.get_running_loop().run_in_executor(None, self._decoder.join, CLOSE_SECONDS)

    def _on_state(self) -> None:
        state = self.connection.connectionState
        if state == "connected":
            self._connected = True
        elif state in ("failed", "closed"):
            # aiortc closes by itself after the browser closed, and also after half a minute without packets.
            over = state if self._ice_state() != "failed" else "failed"
            self._changed(self, over if self._connected else "unconnected")

    def _ice_state(self) -> str:
        return next((one.transport.transport.state for one in self.connection.getReceivers()), "new")

    def _on_deadline(self) -> None:
        if not self._connected:
            self._changed(self, "unconnected")

    def _on_track(self, track: MediaStreamTrack) -> None:
        """Take compressed frames from the receiver before it starts; decoded ones if it keeps them elsewhere."""
        (receiver,) = self.connection.getReceivers()
        if isinstance(getattr(receiver, COMPRESSED_FRAMES, None), queue.Queue):
            setattr(receiver, COMPRESSED_FRAMES, _CompressedFrames(self._decoder))
            self._receiver = receiver
        else:
            logger.warning("this version of aiortc decodes frames itself; sessions use more CPU and may lag")
            self._taking = asyncio.ensure_future(self._take(track))
        handle = receiver._handle_rtcp_packet

        async def handle_unless_bye(packet: Any) -> None:
            # Chromium sends BYE when it switches from camera to screen, and continues; aiortc would stop decoding.
            if not isinstance(packet, RtcpByePacket):
                await handle(packet)

        receiver._handle_rtcp_packet = handle_unless_bye  # type: ignore[method-assign]

    async def _take(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                self._show(await track.recv())

    def _ask_key_frame(self) -> None:
        """Ask the browser for a key frame, from any thread."""
        self._loop.call_soon_threadsafe(self._start_asking)

    def _start_asking(self) -> None:
        if self._closing is None and (self._asking is None or self._asking.done()):
            self._asking = asyncio.ensure_future(self._ask())

    async def _ask(self) -> None:
        if self._receiver is not None:
            for source in self._receiver.getSynchronizationSources():
                await self._receiver._send_rtcp_pli(source.source)


class _CompressedFrames:
    """Replaces aiortc's unbounded queue to its own decoder, whose thread then only waits for its end.

    aiortc's work per frame (a future, a task and a wake-up of the event loop) costs more than a tenth of a session, and
    closing a connection would wait until all frames are decoded.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._end: queue.SimpleQueue[None] = queue.SimpleQueue()

    def put(self, task: tuple[Any, Any] | None) -> None:
        if task is None:
            self._decoder.close()
            self._end.put(None)
        else:
            codec, frame = task
            self._decoder.feed(codec.name, frame.data)

    def get(self) -> None:
        return self._end.get()
