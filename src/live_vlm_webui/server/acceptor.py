"""Accept connections: HTTPS, and plain HTTP on the same port, which is redirected to HTTPS.

People type ``localhost:8090``, which browsers open with HTTP. asyncio's own servers accept only one of the two.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import suppress

from aiohttp import web

from live_vlm_webui.network.clients import is_on_loopback, network_of
from live_vlm_webui.network.hosts import Hosts

logger = logging.getLogger(__name__)

TLS_HANDSHAKE = 0x16
"""The first byte of a TLS connection (RFC 8446, 5.1)."""
HELLO_SECONDS = 10.0
"""Time limit for the first byte of a connection, and again for its handshake."""
MOST_ARRIVING = 128
"""Connections that have not sent a first byte yet; those from this machine are counted separately."""
MOST_ARRIVING_OF_ONE = 32
"""Of these, from one address, so that silent connections from it cannot block all others."""
MOST_CONNECTIONS = 768
"""Below the 1024 open files that a process may have on most machines."""
MOST_OF_ONE = 256
"""Connections from one address; those from this machine are not limited."""
PAUSE_SECONDS = 0.2
HEAD_BYTES = 8192
CUT_ROUNDS = 40
CUT_SECONDS = 0.005
BACKLOG_ERRORS = (ConnectionAbortedError, ConnectionResetError)


class Acceptor:
    """Accepts connections from a listening socket until it is closed.

    Args:
        listener: The listening socket.
        server: Handles the accepted connections.
        context: The TLS context; None serves HTTP.
        hosts: The names that this server answers to.
    """

    def __init__(
        self, listener: socket.socket, server: web.Server, context: ssl.SSLContext | None, hosts: Hosts
    ) -> None:
        self._listener = listener
        self._server = server
        self._context = context
        self._hosts = hosts
        self._arriving: dict[asyncio.Task[None], str] = {}
        self._inside: dict[socket.socket, str] = {}
        self._accepting: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Start accepting; needs a running event loop."""
        self._listener.setblocking(False)
        self._accepting = asyncio.get_running_loop().create_task(self._accept(), name="acceptor")

    async def close(self) -> None:
        """Stop accepting and close the listener. Accepted connections stay open."""
        tasks = [*self._arriving, *((self._accepting,) if self._accepting else ())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()

    async def break_off(self) -> None:
        """Shut down the connections that are still open: TLS connections wait for the peer to close."""
        for _ in range(CUT_ROUNDS):
            for connection in self._still_inside():
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            if not self._inside:
                break
            await asyncio.sleep(CUT_SECONDS)

    async def _accept(self) -> None:
        while True:
            try:
                await self._accept_one()
            except BACKLOG_ERRORS:
                continue
            except OSError as error:
                logger.warning("cannot accept connections: %s", error.strerror or error)
                await asyncio.sleep(PAUSE_SECONDS)
            except Exception:  # must not end the loop
                logger.exception("accepting a connection failed")
                await asyncio.sleep(PAUSE_SECONDS)

    async def _accept_one(self) -> None:
        loop = asyncio.get_running_loop()
        connection, _ = await loop.sock_accept(self._listener)
        address = _address_of(connection)
        if self._is_pending_full(address) or self._is_full(address):
            connection.close()
            return
        task = loop.create_task(self._receive(connection, address))
        self._arriving[task] = address
        task.add_done_callback(self._arriving.pop)

    def _still_inside(self) -> tuple[socket.socket, ...]:
        """Return the accepted connections that are open: a transport closes its socket when it is done."""
        for connection in [one for one in self._inside if one.fileno() < 0]:
            del self._inside[connection]
        return tuple(self._inside)

    def _is_pending_full(self, address: str) -> bool:
        """Return whether too many connections are pending: from this machine, from others, or from one network."""
        if is_on_loopback(address):
            return sum(map(is_on_loopback, self._arriving.values())) >= MOST_ARRIVING
        others = [network_of(one) for one in self._arriving.values() if not is_on_loopback(one)]
        return len(others) >= MOST_ARRIVING or others.count(network_of(address)) >= MOST_ARRIVING_OF_ONE

    def _is_full(self, address: str) -> bool:
        inside = len(self._still_inside())
        if inside >= MOST_CONNECTIONS:
            logger.warning("refused a connection: %d are open", inside)
            return True
        if not address or is_on_loopback(address):
            return False
        network = network_of(address)
        return sum(network_of(one) == network for one in self._inside.values()) >= MOST_OF_ONE

    async def _receive(self, connection: socket.socket, address: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            first = await asyncio.wait_for(_peek(connection), HELLO_SECONDS)
            if self._context is None:
                if first:
                    self._inside[connection] = address
                    await loop.connect_accepted_socket(self._server, connection)
            elif first[:1] == bytes((TLS_HANDSHAKE,)):
                self._inside[connection] = address
                await loop.connect_accepted_socket(
                    self._server, connection, ssl=self._context, ssl_handshake_timeout=HELLO_SECONDS
                )
            elif first:
                await asyncio.wait_for(self._point_to_https(connection), HELLO_SECONDS)
        except (
            OSError,
            asyncio.TimeoutError,
        ) as error:  # browsers close the connection when they reject the certificate
            logger.debug("a connection was closed during the handshake: %s", type(error).__name__)
        except Exception:
            logger.exception("accepting a connection failed")
        finally:
            if connection not in self._inside:
                connection.close()

    async def _point_to_https(self, connection: socket.socket) -> None:
        """Redirect plain HTTP to the same address with HTTPS."""
        loop = asyncio.get_running_loop()
        head = b""
        while b"\r\n\r\n" not in head and len(head) < HEAD_BYTES:
            part = await loop.sock_recv(connection, HEAD_BYTES - len(head))
            if not part:
                break
            head += part
        await loop.sock_sendall(connection, self._redirection(head))
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)

    def _redirection(self, head: bytes) -> bytes:
        lines = head.decode("latin-1").split("\r\n")
        method, target, *_ = [*lines[0].split(" "), "", ""]
        host = next((line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith("host:")), "")
        text = "This port serves HTTPS: use https:// instead of http://.\n"
        if (
            method in {"GET", "HEAD"}
            and target.startswith("/")
            and target.isprintable()
            and self._hosts.answers_to(host)
        ):
            status, location = "307 Temporary Redirect", f"Location: https://{host}{target}\r\n"
        else:
            status, location = "400 Bad Request", ""
        return (
            f"HTTP/1.1 {status}\r\n{location}Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"
            f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n{'' if method == 'HEAD' else text}"
        ).encode("latin-1")


async def _peek(connection: socket.socket) -> bytes:
    """Return the first byte that arrives without consuming it; empty at the end of the connection."""
    loop = asyncio.get_running_loop()
    readable = loop.create_future()

    def wake() -> None:
        if not readable.done():
            readable.set_result(None)

    loop.add_reader(connection, wake)
    try:
        await readable
    finally:
        loop.remove_reader(connection)
    return connection.recv(1, socket.MSG_PEEK)


def _address_of(connection: socket.socket) -> str:
    try:
        return str(connection.getpeername()[0])
    except OSError:  # closed already
        return ""
