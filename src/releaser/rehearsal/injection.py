"""One fault at one request, for every stand-in that speaks HTTP: `METHOD:PATH:NTH:WHEN:WHAT`.

``POST:/legacy/:2:after:drop`` strikes the second upload: the index stores the file, and the connection is closed before
the response. ``NTH`` counts the requests of this method whose path contains ``PATH`` (``$`` at its end: ends with it)
and may be ``N+``, which strikes that one and each later one. ``WHEN`` is ``before`` or ``after`` the service acted.
One that strikes once leaves a marker in ``DIR/faults``, so that the same command again meets a healthy service.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Literal

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

# What can happen to a request, and the value that it needs.
WHAT = {
    "drop": "",  # the connection is closed without a response
    "half": "",  # and in the middle of a response
    "empty": "",  # the response has no body
    "garbage": "",  # it is a page for people, as a proxy or a login page sends it
    "status": "STATUS",  # it is this status
    "limit": "STATUS",  # it is this status, with "Retry-After: 1"
    "slow": "SECONDS",  # it comes so much later
    "stale": "",  # it is the first that this address gave, as a cache sends it
    "hang": "",  # it never comes
    "clock": "SECONDS",  # its Date is so much later (negative: earlier) than this machine's clock
}
FORM = "METHOD:PATH:NTH:before|after:WHAT[=VALUE]"
_PAGE = (
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Sign in to the network</form></body></html>"
)
_LOOK_SECONDS = 0.05
_LATER = {hdrs.RETRY_AFTER: "1", "X-RateLimit-Remaining": "0"}


@dataclass(frozen=True)
class RequestFault:
    """One declared fault.

    Attributes:
        method: The request's method.
        path: What its path contains; with ``$`` at its end, what it ends with.
        nth: Which of these requests is struck, from 1.
        lasting: Whether each later one is struck too.
        when: Before the service acted, or after.
        what: A key of WHAT.
        value: The status or the seconds; 0 where none is needed.
    """

    method: str
    path: str
    nth: int
    when: Literal["before", "after"]
    what: str
    value: float = 0
    lasting: bool = False

    @classmethod
    def parse(cls, text: str) -> RequestFault:
        """Read the text form.

        Raises:
            ArgumentTypeError: It is none, as argparse wants it.
        """
        method, _, rest = text.partition(":")
        path, nth, when, end = (*rest.rsplit(":", 3), "", "", "")[:4]
        what, equals, value = end.partition("=")
        number = nth.removesuffix("+")
        if not (method.isupper() and path and number.isdigit() and int(number) and when in ("before", "after")):
            raise ArgumentTypeError(f"{text!r} is not {FORM}")
        if what not in WHAT:
            raise ArgumentTypeError(f"there is no fault {what!r}; there are: {', '.join(WHAT)}")
        if bool(WHAT[what]) != bool(equals) or (equals and not _is_number(value)):
            wanted = f"needs ={WHAT[what]}" if WHAT[what] else "takes no value"
            raise ArgumentTypeError(f"fault {what!r} {wanted}")
        return cls(
            method,
            path,
            int(number),
            "before" if when == "before" else "after",
            what,
            float(value or 0),
            nth.endswith("+"),
        )

    def __str__(self) -> str:
        value = f"={self.value:g}" if WHAT[self.what] else ""
        return f"{self.method}:{self.path}:{self.nth}{'+' * self.lasting}:{self.when}:{self.what}{value}"

    def concerns(self, request: web.Request) -> bool:
        """Return whether this request is counted."""
        path = self.path.removesuffix("$")
        matches = request.path.endswith(path) if self.path.endswith("$") else path in request.path
        return request.method == self.method and matches


@dataclass
class Injection:
    """A fault in front of a stand-in.

    Attributes:
        fault: What happens, and where.
        world: The stand-in's directory, where a marker says that it happened.
        on_strike: Called at each strike, in the stand-in's event loop, when the service has acted if it is to.
        struck: How often it happened.
    """

    fault: RequestFault
    world: Path
    on_strike: Callable[[], None] = lambda: None
    struck: int = 0
    _seen: int = 0
    _first: dict[str, web.Response] = field(default_factory=dict)

    @property
    def middleware(self) -> Middleware:
        """What to put in front of an application's other middlewares."""

        @web.middleware
        async def inject(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self._strikes(request):
                return self._remembered(request, await handler(request))
            if (self.fault.when, self.fault.what) == ("before", "drop"):
                await request.content.readany()  # some of the body, not all
                self._struck()
                return _cut(request)
            if self.fault.when == "after" or self.fault.what in ("slow", "clock"):
                return await self._with_action(request, handler)
            await request.read()
            self._struck()
            return await self._answered(request, None)

        return inject

    async def _with_action(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if (self.fault.when, self.fault.what) == ("before", "slow"):
            await asyncio.sleep(self.fault.value)
        try:
            answer = await handler(request)
        except web.HTTPException as raised:  # a redirect is a response too
            answer = raised
        self._struck()
        if self.fault.what == "slow":
            await asyncio.sleep(self.fault.value if self.fault.when == "after" else 0)
            return answer
        if self.fault.what == "clock":
            answer.headers[hdrs.DATE] = formatdate(time.time() + self.fault.value, usegmt=True)
            return answer
        return await self._answered(request, answer)

    def _struck(self) -> None:
        self.struck += 1
        self.on_strike()

    async def _answered(self, request: web.Request, answer: web.StreamResponse | None) -> web.StreamResponse:
        """Return what is sent in place of the service's answer, which is None where it did not act."""
        match self.fault.what:
            case "drop":
                return _cut(request)
            case "half":
                return await _halved(request, answer)
            case "empty":
                return web.Response(status=answer.status if answer else 200)
            case "garbage":
                return web.Response(body=_PAGE, content_type="text/html")
            case "status" | "limit":
                headers = _LATER if self.fault.what == "limit" else None
                return web.json_response({"message": "Rehearsed fault"}, status=int(self.fault.value), headers=headers)
            case "stale":
                old = self._first.get(request.path_qs)
                return web.Response(status=404) if old is None else _copied(old)
        # Hang until the client leaves, for which aiohttp has no event.
        while request.transport and not request.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        return web.Response()

    def _strikes(self, request: web.Request) -> bool:
        if not self.fault.concerns(request):
            return False
        self._seen += 1
        if self.fault.lasting:
            return self._seen >= self.fault.nth
        marker = self.world / "faults" / hashlib.sha256(str(self.fault).encode()).hexdigest()[:8]
        if self._seen != self.fault.nth or marker.exists():
            return False
        marker.parent.mkdir(exist_ok=True)
        marker.touch()
        return True

    def _remembered(self, request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        if self.fault.what == "stale" and request.method == "GET" and isinstance(answer, web.Response):
            self._first.setdefault(request.path_qs, _copied(answer))
        return answer


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()


def _cut(request: web.Request) -> web.Response:
    """Close the connection at once; the response returned goes nowhere."""
    if request.transport:
        request.transport.abort()
    return web.Response()


async def _halved(request: web.Request, answer: web.StreamResponse | None) -> web.StreamResponse:
    """Send half of a response, then close the connection."""
    body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else _PAGE
    body = body or _PAGE
    part = web.StreamResponse(status=answer.status if answer else 200)
    part.content_type = "application/json"
    part.content_length = len(body)
    await part.prepare(request)
    await part.write(body[: len(body) // 2])
    if request.transport:
        request.transport.close()  # not abort(): the half that was written is to arrive
    return part


def _copied(answer: web.Response) -> web.Response:
    headers = {name: value for name, value in answer.headers.items() if name not in (hdrs.CONTENT_LENGTH,)}
    return web.Response(status=answer.status, body=answer.body, headers=headers)
