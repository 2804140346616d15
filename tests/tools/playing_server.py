"""A loopback server that plays, byte for byte, what services, proxies and networks do to a client."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Part = Callable[[socket.socket], None]


@dataclass
class PlayingServer:
    """Plays one part for each connection, the last for all others; notes the first line of each request.

    A hasty one reads no request.
    """

    parts: list[Part] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    hasty: bool = False
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/thing"

    def plays(self, *parts: bytes | Part) -> None:
        self.parts = [sending(part) if isinstance(part, bytes) else part for part in parts]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listen, on a free port."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self.serve, args=(listener,))
            thread.start()
            try:
                yield
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            part = self.parts.pop(0) if len(self.parts) > 1 else self.parts[0]
            threading.Thread(target=self.attend, args=(connection, part), daemon=True).start()

    def attend(self, connection: socket.socket, part: Part) -> None:
        with connection:
            if self.hasty:
                part(connection)
                return
            head, _, body = read_head(connection).partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")
            length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
            while len(body) < length:
                body += connection.recv(65536)
            self.asked.append(lines[0])
            self.bodies.append(body)
            part(connection)


def read_head(connection: socket.socket) -> bytes:
    read = b""
    while b"\r\n\r\n" not in read and (piece := connection.recv(65536)):
        read += piece
    return read


def sending(content: bytes) -> Part:
    return lambda connection: connection.sendall(content)


def answer(status: int, *headers: str, body: bytes = b"{}") -> bytes:
    lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def drop(connection: socket.socket) -> None:
    """Reset the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hold(connection: socket.socket) -> None:
    """Send nothing until the client has gone."""
    connection.recv(1)


def trickle(connection: socket.socket) -> None:
    """Send a response that does not end, a byte now and then."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    with suppress(OSError):
        while True:
            connection.sendall(b" ")
            time.sleep(0.05)


class Noting:
    """A connection that notes what it reads."""

    def __init__(self, connection: socket.socket, heads: list[bytes]) -> None:
        self.connection = connection
        self.heads = heads

    def recv(self, size: int) -> bytes:
        self.heads.append(self.connection.recv(size))
        return self.heads[-1]

    def __enter__(self) -> Noting:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def sendall(self, content: bytes) -> None:
        self.connection.sendall(content)
