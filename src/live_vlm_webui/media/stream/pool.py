"""Cameras that the server reads itself: one decode for each address, whoever and however many look."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from live_vlm_webui.errors import ConflictError, LimitError
from live_vlm_webui.media.camera import Camera
from live_vlm_webui.media.stream.address import Address, parse_address
from live_vlm_webui.media.stream.camera import StreamCamera

LIMIT = 16


class CameraPool:
    """Opens cameras by their address; those of one address share a connection and a thread.

    Args:
        directories: The only ones whose video files may be read.
        limit: How many addresses may be read at once.
    """

    def __init__(self, directories: Sequence[Path] = (), limit: int = LIMIT) -> None:
        self._directories = tuple(directories)
        self._limit = limit
        self._streams: dict[Address, StreamCamera] = {}
        self._shares: dict[Address, int] = {}
        self._leaving: set[StreamCamera] = set()
        self._closed = False

    async def open(self, address: str) -> Camera:
        """Get a share in the camera of an address. It connects by itself: its status tells how it fares.

        Args:
            address: ``rtsp://`` or ``rtsps://``, or a file in one of the directories.

        Raises:
            InputError: It is no address that is read.
            ForbiddenError: The file may not be read.
            LimitError: Too many others are being read.
            ConflictError: The pool is closed.
        """
        where = await asyncio.to_thread(parse_address, address, self._directories)
        if self._closed:
            raise ConflictError("The server is stopping.", "Open the camera again when it has started.")
        stream = self._streams.get(where)
        if stream is None:
            self._leaving = {one for one in self._leaving if one.is_running}
            if len(self._streams) + len(self._leaving) >= self._limit:
                raise LimitError(
                    f"{self._limit} cameras are being read, which is all that this server reads at once.",
                    "Disconnect one that is not needed, or wait a few seconds.",
                )
            stream = self._streams[where] = StreamCamera(where)
            self._shares[where] = 0
        self._shares[where] += 1
        return Share(self, where, stream)

    async def give_back(self, address: Address) -> None:
        """End a share; the last one ends the camera."""
        if self._closed:
            return
        self._shares[address] -= 1
        if self._shares[address] == 0:
            del self._shares[address]
            await self._stop(self._streams.pop(address))

    async def close(self) -> None:
        """End all cameras, in well under a second."""
        self._closed = True
        streams = list(self._streams.values())
        self._streams.clear()
        await asyncio.gather(*(self._stop(stream) for stream in streams))

    async def _stop(self, stream: StreamCamera) -> None:
        self._leaving.add(stream)
        await stream.close()
        if not stream.is_running:
            self._leaving.discard(stream)


class Share(Camera):
    """One session's part in a camera of the pool: the same frames and status, a close of its own."""

    kind = "stream"

    def __init__(self, pool: CameraPool, address: Address, stream: StreamCamera) -> None:
        super().__init__(address.name)
        self.slot = stream.slot
        self._become(stream.status)
        self._leave = stream.watch(self._become)
        self._pool = pool
        self._address: Address | None = address

    async def close(self) -> None:
        """Give the share back."""
        address, self._address = self._address, None
        if address is not None:
            self._leave()
            self._end()
            await self._pool.give_back(address)
