"""Connections that end on time and when the run is stopped, and the `requests` adapter that makes them.

A time limit of `requests` counts from one piece of a response to the next, so a server that sends a byte now and then
holds a client for ever; and a thread that waits for a socket hears of no Ctrl-C. Here a watchdog shuts the socket down.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.response import HTTPResponse

from releaser.core.activity import current
from releaser.errors import InterruptedRunError

if TYPE_CHECKING:
    import requests
    from typing_extensions import Self

_POLL_S = 0.1


def is_loopback(host: str) -> bool:
    """Return whether a host, with or without a port, is this machine: no proxy leads there, and plain HTTP is safe."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False  # a name, which may begin with 127 as well as any other


class Exchange:
    """One request with its response, and the watchdog over its connection.

    Args:
        limit: Seconds that one attempt may take, from connecting to the last byte.
        whole: Whether the response is read whole, so that a body which breaks off is a reason for another attempt.
    """

    def __init__(self, limit: float, *, whole: bool) -> None:
        self.whole = whole
        self._limit = limit
        self._stop = current().cancelled
        self._done = threading.Event()
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None  # outlives the connection, which lets go of it before the last byte
        self._deadline = 0.0
        self._late = False
        self._watchdog = threading.Thread(target=self._watch, name="http watchdog", daemon=True)

    def __enter__(self) -> Self:
        self.begin()
        self._token = _exchange.set(self)
        self._watchdog.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        _exchange.reset(self._token)
        self._watchdog.join()

    def begin(self) -> None:
        """Start the time of another attempt."""
        self._deadline = time.monotonic() + current().at_most(self._limit)
        self._late = False

    @contextlib.contextmanager
    def over(self, connection: HTTPConnection | None = None) -> Iterator[None]:
        """Watch this connection, or the one before, for the length of the block.

        Raises:
            InterruptedRunError: The run was stopped.
            TimeoutError: The time was over.
        """
        self._connection = connection or self._connection
        self._note_socket()
        try:
            yield
        except Exception as error:
            if self._stop.is_set():
                raise InterruptedRunError("stopped while waiting for a response") from error
            if self._late:
                raise TimeoutError(f"not complete after {self._limit:.0f} s") from error
            raise
        self._note_socket()

    def _note_socket(self) -> socket.socket | None:
        if self._connection and isinstance(found := self._connection.sock, socket.socket):
            self._socket = found
        return self._socket

    def _watch(self) -> None:
        while not self._done.wait(_POLL_S):
            self._late = self._late or time.monotonic() > self._deadline
            if (self._late or self._stop.is_set()) and (found := self._note_socket()):
                # Past ssl.SSLSocket.shutdown, which takes the socket away from the thread that reads it.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(found, socket.SHUT_RDWR)


_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


class WatchedAdapter(HTTPAdapter):
    """An adapter whose connections are watched, which reads documents whole, and uses no proxy to this machine."""

    def init_poolmanager(self, *words: Any, **options: Any) -> None:
        """Have the pools make watched connections."""
        super().init_poolmanager(*words, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Return a proxy's manager, whose pools make watched connections as well (those of SOCKS have their own)."""
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request, to this machine past any proxy."""
        here = is_loopback(urlsplit(request.url or "").netloc)
        return super().send(request, stream, timeout, verify, cert, None if here else proxies)

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return the response; a body that was read already is read again from memory."""
        exchange = _exchange.get()
        if exchange and exchange.whole:
            resp = HTTPResponse(
                io.BytesIO(resp.data),
                headers=resp.headers,
                status=resp.status,
                reason=resp.reason,
                preload_content=False,
                decode_content=False,
                request_method=req.method,
            )
        return super().build_response(req, resp)


# --- what urllib3 is made to use --------------------------------------------------------------------------------------


def _over(connection: HTTPConnection) -> contextlib.AbstractContextManager[None]:
    exchange = _exchange.get()
    return exchange.over(connection) if exchange else contextlib.nullcontext()


class _WatchedConnection(HTTPConnection):
    def connect(self) -> None:
        with _over(self):
            super().connect()

    def request(self, *words: Any, **options: Any) -> None:
        with _over(self):
            super().request(*words, **options)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3's own
        with _over(self):
            return super().getresponse()


class _WatchedTlsConnection(_WatchedConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection

    def urlopen(self, *words: Any, **options: Any) -> Any:
        # urllib3 calls this again for each attempt.
        if exchange := _exchange.get():
            exchange.begin()
            options["preload_content"] = exchange.whole
        return super().urlopen(*words, **options)


class _TlsPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}
