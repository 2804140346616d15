"""A real registry, a proxy before it that can go wrong, and images made by hand."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from image_layouts import made
from registry_program import RegistryProgram

from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import INDEXES, MANIFESTS
from releaser.rehearsal.registry.program import PROGRAM

ACCEPT = ", ".join((*INDEXES, *MANIFESTS))
_HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "keep-alive", "content-encoding", "date", "server")


class RealRegistry(RegistryProgram):
    """Debian's registry; what it holds is read past our client."""

    def __init__(self, world: Path) -> None:
        super().__init__(world)
        self.host = f"localhost:{self.url.rpartition(':')[2]}"

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}/v2/{path}", headers={"Accept": ACCEPT}, timeout=60)

    def digests(self, name: str) -> dict[str, str]:
        """Every tag, and what it points at."""
        answer = self.get(f"{name}/tags/list")
        tags = answer.json()["tags"] or [] if answer.ok else []
        return {tag: self.get(f"{name}/manifests/{tag}").headers["Docker-Content-Digest"] for tag in tags}

    def put(self, name: str, reference: str, content: bytes, kind: str = INDEXES[0]) -> None:
        answer = requests.put(
            f"{self.url}/v2/{name}/manifests/{reference}", data=content, headers={"Content-Type": kind}, timeout=60
        )
        assert answer.ok, answer.text

    def delete(self, name: str, tag: str) -> None:
        """Deletes a tag. (The program deletes manifests alone; a tag is a directory of its own in what it stores.)"""
        shutil.rmtree(self.world / "docker/registry/v2/repositories" / name / "_manifests/tags" / tag)


@pytest.fixture(scope="session")
def registry(tmp_path_factory) -> Iterator[RealRegistry]:
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"there is no {PROGRAM} program here")
    running = RealRegistry(tmp_path_factory.mktemp("registry") / "world")
    yield running
    running.stop()


Fault = Callable[["Handler"], bool]


@dataclass
class Proxy:
    """Stands before a registry: notes each request, and lets a fault answer in its place.

    Attributes:
        fault: Is asked first; True if it has answered, or ended the connection.
        log: METHOD and path of each request that went on to the registry, with the answer's status.
    """

    target: str
    fault: Fault | None = None
    log: list[tuple[str, str, int]] = field(default_factory=list)
    port: int = 0

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def uploads(self) -> list[str]:
        """The digests of the blobs that arrived, in order."""
        return [
            path.partition("digest=")[2]
            for method, path, status in self.log
            if method == "PUT" and status == 201 and "/blobs/uploads/" in path
        ]

    def fail_at(self, count: int, method: str, part: str, fault: Fault) -> None:
        """Lets the fault strike once: at the COUNT-th request of this kind."""
        seen = 0

        def strike(handler: Handler) -> bool:
            nonlocal seen
            if handler.command != method or part not in handler.path:
                return False
            seen += 1
            return seen == count and fault(handler)

        self.fault = strike


class Handler(BaseHTTPRequestHandler):
    """Sends a request on."""

    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def handle_any(self) -> None:
        self.body = body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.proxy.fault and self.proxy.fault(self):
            return
        # The registry makes its addresses from the Host header, so they lead back here.
        answer = requests.request(
            self.command,
            self.proxy.target + self.path,
            headers={name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"},
            data=body,
            timeout=60,
            allow_redirects=False,
        )
        self.proxy.log.append((self.command, requests.utils.unquote(self.path), answer.status_code))
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
        self.answer(answer.status_code, answer.content, headers, answer.headers.get("Content-Length"))

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815  http.server's names

    def answer(
        self, status: int, content: bytes = b"", headers: dict[str, str] | None = None, length: str | None = None
    ) -> bool:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)) if content or length is None else length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        return True

    def refuse(self, status: int, code: str) -> bool:
        return self.answer(status, json.dumps({"errors": [{"code": code, "message": "as told"}]}).encode())

    def drop(self) -> bool:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
        return True

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""


@pytest.fixture
def proxy(registry: RealRegistry) -> Iterator[Proxy]:
    standing = Proxy(registry.url)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"proxy": standing}))
    server.daemon_threads = True
    standing.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield standing
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def make_layout() -> Callable[..., OciLayout]:
    return made
