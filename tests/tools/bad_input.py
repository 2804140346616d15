"""Generates what no careful client sends: wrong types, huge, binary, cut off, nested, escaped, misaddressed."""

from __future__ import annotations

import json
import random
import string
from dataclasses import dataclass, field
from typing import Any

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW")
CONTENT_TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "image/jpeg",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "",
    "a" * 300,
)
PATHS = (
    "/offer",
    "/ws",
    "/metrics",
    "/api/sessions",
    "/api/sessions/{id}",
    "/api/sessions/{id}/camera",
    "/api/sessions/{id}/picture",
    "/api/sessions/{id}/preview/{id}",
    "/api/sessions/{id}/answers",
    "/api/sessions/{id}/answers?format={id}",
    "/api/sessions/{id}/answers/{id}/frame.jpg",
    "/api/models",
    "/api/models?refresh={id}",
    "/api/system",
    "/api/login",
    "/api/openapi.json",
    "/api/{id}",
)
IDS = (
    "nosuch",
    "..",
    "%00",
    "%ff%fe",
    "%ED%A0%80",
    "0",
    "-1",
    "9" * 40,
    "a" * 3000,
    "%2e%2e%2f",
    "é",
    "' OR 1=1",
    "{}",
    "%",
)
NAMES = (
    *("api_base", "api_key", "model", "prompt", "max_tokens", "sampling", "max_frame_age", "frames_per_question"),
    *("frame_spacing", "long_side", "paused", "session", "sdp", "type", "address", "interval", "token", "code", "mode"),
    *("every", "threshold", "__proto__", "", "a" * 500, "\0", "\ud800"),
)
STRINGS = (
    *("", " ", "\0", "\ud800", "😀", "a" * 20_000, "offer", "settings", "free", "frames", "seconds", "change", "NaN"),
    *(
        "file:///etc/passwd",
        "rtsp://",
        "rtsp://127.0.0.1:1/x",
        "rtsp://[::1",
        "http://127.0.0.1:9/v1",
        "http://169.254.169.254",
    ),
    *("concat:/etc/passwd|x", "tcp://127.0.0.1:1", "/etc/passwd", "built-in", "javascript:alert(1)", "../../x", "%s%n"),
)
NUMBERS = (0, -1, 1, 2, 1e308, -1e308, 1e-308, 2**31, 2**63, 10**18, 0.5, True, False, None)


@dataclass(frozen=True)
class Request:
    """A request over HTTP."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class BadInput:
    """An endless supply, the same for the same seed.

    Args:
        seed: Of the random numbers.
        session: A session's id, which some of it is addressed to.
        offer: A correct offer in SDP, which is broken in many ways.
        jpeg: A picture, likewise.
    """

    def __init__(self, seed: int, session: str, offer: str, jpeg: bytes) -> None:
        self._random = random.Random(seed)
        self._session = session
        self._offer = offer
        self._jpeg = jpeg

    def request(self) -> Request:
        """The next for HTTP."""
        pick = self._random
        if pick.random() < 0.2:
            return self._broken_offer()
        path = pick.choice(PATHS)
        while "{id}" in path:
            path = path.replace("{id}", self._session if pick.random() < 0.5 else pick.choice(IDS), 1)
        method = pick.choice(METHODS)
        if method == "DELETE" and path == f"/api/sessions/{self._session}":
            method = "PATCH"  # it is still needed
        headers = {"Content-Type": pick.choice(CONTENT_TYPES) if pick.random() < 0.4 else "application/json"}
        if pick.random() < 0.1:
            headers |= pick.choice(
                ({"Content-Encoding": "gzip"}, {"Content-Encoding": "x"}, {"Accept": "\xff"}, {"Range": "bytes=0-1"})
            )
        return Request(method, path, headers, b"" if method in {"GET", "HEAD"} else self.bytes())

    def message(self) -> bytes | str:
        """The next for a WebSocket."""
        pick = self._random
        if pick.random() < 0.3:
            return pick.choice((self._broken(self._jpeg), pick.randbytes(pick.randrange(2000)), b""))
        if pick.random() < 0.5:
            fields = {pick.choice(NAMES): self.value() for _ in range(pick.randrange(4))}
            return json.dumps({"type": pick.choice(("settings", "settings", "camera", None)), **fields})
        return self.bytes().decode("utf-8", "replace")

    def raw(self) -> bytes:
        """The next for a socket: not even HTTP, or cut off in the middle."""
        pick = self._random
        whole = (
            f"POST {pick.choice(PATHS)} HTTP/1.{pick.choice('019')}\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/json\r\nContent-Length: {pick.choice((0, 5, 99999, -1, '1e3', 10**30))}\r\n"
            f"{pick.choice(('', 'Transfer-Encoding: chunked', 'X: ' + 'y' * 20_000, ': :'))}\r\n\r\n"
        ).encode() + self.bytes()[:2000]
        return pick.choice((self._broken(whole), whole[: pick.randrange(len(whole))], pick.randbytes(300)))

    def bytes(self) -> bytes:
        """The next body."""
        pick = self._random
        text = json.dumps(self.value() if pick.random() < 0.2 else self._object(3)).encode()
        kinds = (
            lambda: text,
            lambda: text[: pick.randrange(len(text) + 1)],
            lambda: self._broken(text),
            lambda: pick.randbytes(pick.randrange(3000)),
            lambda: b"[" * pick.choice((20, 5000, 60_000)),
            lambda: b'{"a":' * pick.choice((20, 5000)) + b"1" + b"}" * 20,
            lambda: b'{"prompt": "' + b"x" * pick.choice((100, 70_000, 300_000)) + b'"}',
            lambda: (
                b'{"max_tokens": ' + pick.choice((b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"0x10", b"01")) + b"}"
            ),
            lambda: b'{"prompt": "a", "prompt": "b"}',
            lambda: self._broken(self._jpeg),
            lambda: b"",
        )
        return pick.choice((kinds[0], kinds[0], *kinds))()

    def value(self, depth: int = 3) -> Any:
        """The next JSON value."""
        pick = self._random
        kind = pick.randrange(6 if depth else 4)
        if kind == 0:
            return pick.choice(NUMBERS)
        if kind <= 2:
            return pick.choice(STRINGS)
        if kind == 3:
            return "".join(pick.choices(string.printable, k=pick.randrange(50)))
        if kind == 4:
            return [self.value(depth - 1) for _ in range(pick.randrange(4))]
        return self._object(depth - 1)

    def _object(self, depth: int) -> dict[str, Any]:
        return {self._random.choice(NAMES): self.value(depth) for _ in range(self._random.randrange(1, 5))}

    def _broken_offer(self) -> Request:
        pick = self._random
        lines = self._offer.splitlines(keepends=True)
        at = pick.randrange(len(lines))
        sdp = pick.choice(
            (
                "".join(lines[:at]),
                "".join(lines[:at] + lines[at + 1 :]),
                "".join(lines[:at] + [lines[at]] * 50 + lines[at:]),
                "".join(pick.sample(lines, len(lines))),
                self._broken(self._offer.encode()).decode("latin-1"),
                self._offer.replace("a=", "a=" + "z" * pick.choice((10, 3000)), pick.randrange(1, 5)),
                self._offer.replace("sendonly", pick.choice(("recvonly", "inactive", "bogus"))),
                self._offer * 4,
                "",
            )
        )
        session = self._session if pick.random() < 0.8 else pick.choice(IDS)
        body = {"session": session, "sdp": sdp, "type": "offer" if pick.random() < 0.9 else self.value()}
        return Request("POST", "/offer", {"Content-Type": "application/json"}, json.dumps(body).encode())

    def _broken(self, data: bytes) -> bytes:
        pick = self._random
        changed = bytearray(data or b"\0")
        for _ in range(pick.randrange(1, 8)):
            changed[pick.randrange(len(changed))] = pick.randrange(256)
        return bytes(changed)
