"""The cameras that the server reads: one connection and decoder per address, shared by sessions."""

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
    """Opens cameras by address; cameras with the same address share a connection and a thread.

    Args:
        directories: The only directories whose video files may be read.
        limit: How many addresses may be read at a time.
    """

    def __init__(self, directories: Sequence[Path] = (), limit: int = LIMIT) -> None:
        self._directories = tuple(directories)
        self._limit = limit
        self._streams: dict[Address, StreamCamera] = {}
        self._shares: dict[Address, int] = {}
        self._leaving: set[StreamCamera] = set()
        self._closed = False

    async def open(self, address: str) -> Camera:
        """Return a share of the camera at an address. It connects in the background; see its status.

        Args:
            address: ``rtsp://`` or ``rtsps://``, or a file in one of the directories.

        Raises:
            InputError: The address is invalid or not supported.
            ForbiddenError: The file may not be read.
            LimitError: The limit of cameras is reached.
            ConflictError: The pool is closed.
        """
        where = await asyncio.to_thread(parse_address, address, self._directories)
        if self._closed:
            raise ConflictError("The server is stopping", "Open the camera again when the server has restarted.")
        stream = self._streams.get(where)
        if stream is None:
            self._leaving = {one for one in self._leaving if one.is_running}
            if len(self._streams) + len(self._leaving) >= self._limit:
                raise LimitError(
                    f"The server already reads {self._limit} cameras, which is the limit",
                    "Disconnect a camera that is not needed, or wait a few seconds.",
                )
            stream = self._streams[where] = StreamCamera(where)
            self._shares[where] = 0
        self._shares[where] += 1
        return Share(self, where, stream)

    async def release(self, address: Address) -> None:
        """Release a share; the last one closes the camera."""
        if self._closed:
            return
        self._shares[address] -= 1
        if self._shares[address] == 0:
            del self._shares[address]
            await self._stop(self._streams.pop(address))

    async def close(self) -> None:
        """Close all cameras, in well under a second."""
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
    """A session's share of a camera in the pool: the same frames and status, closed separately."""

    kind = "stream"

    def __init__(self, pool: CameraPool, address: Address, stream: StreamCamera) -> None:
        super().__init__(address.name)
        self.slot = stream.slot
        self._become(stream.status)
        self._leave = stream.watch(self._become)
        self._pool = pool
        self._address: Address | None = address

    async def close(self) -> None:
        """Release the share."""
        address, self._address = self._address, None
        if address is not None:
            self._leave()
            self._end()
            await self._pool.release(address)
