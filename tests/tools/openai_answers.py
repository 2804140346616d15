"""Answers of the test server, correct ones and others, as streams and whole."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
import json
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from aiohttp import web
from openai_failures import FAILURES

if TYPE_CHECKING:
    from openai_server import Received

ANSWER = "A person sits at a desk with a laptop."
ENDLESS_PIECE = "and so on "
FAULTS = {
    "stall": "takes the request and says nothing, for ever",
    "stall-headers": "says 200, then nothing",
    "stall-mid": "two pieces, then nothing",
    "drop": "closes the connection without a word",
    "drop-headers": "says 200, then closes the connection",
    "drop-mid": "two pieces, then closes the connection",
    "redirect": "307 to the address in `location`",
    "html": "a web page with status 200",
    "garbage": "random bytes as the stream",
    "invalid-json": "a line that is no JSON amid the pieces",
    "wrong-shape": "JSON of other shapes amid the pieces",
    "not-utf8": "a piece that is not UTF-8",
    "long-line": "a line of 16 MiB",
    "endless": "pieces without end, as fast as they are read",
    "endless-line": "one line without end",
    "endless-error": "status 500 and a text without end",
    "bytes": "a correct stream, byte by byte",
    "crlf": "a correct stream with CRLF",
    "comments": "a correct stream with comments, event, id and retry fields",
    "multi-line": "a correct stream whose JSON spans several data lines",
    "no-done": "a correct stream without [DONE]",
    "error-mid": "two pieces, then an error as an event",
    "empty": "a correct stream without any text",
    "ignores-stream": "one JSON answer although a stream was asked for",
}


@dataclasses.dataclass
class Behaviour:
    """How one question is answered; times in seconds."""

    text: str = ANSWER
    """{number}, {digest} (of the first picture, SHA-256, 8 digits), {pictures} and {prompt} are replaced."""
    first_token: float = 0.0
    per_token: float = 0.0
    total: float = 0.0
    """The whole answer, spread evenly over its pieces; instead of the other two."""
    fail: str = ""
    fault: str = ""
    retry_after: str = ""
    location: str = ""
    rejects: str = ""
    """Names of parameters and roles, joined by +, that are answered with 400: max_tokens+stream_options."""
    reasoning: str = ""
    """Sent as reasoning_content before the answer, of whose longest length each word takes one token."""
    quiet: str = ""
    """The name of the parameter that, given, stops the reasoning."""
    usage: bool = True
    held_at: int = -1
    """The piece before which the answer waits until the server's ``release()``; at 0 not even its head is sent."""

    def changed(self, changes: dict[str, Any]) -> Behaviour:
        types = {field.name: type(field.default) for field in dataclasses.fields(self)}
        unknown = changes.keys() - types.keys()
        if unknown:
            raise ValueError(f"no such behaviour: {', '.join(sorted(unknown))}")
        values = {
            name: value not in {False, "false", "0"} if types[name] is bool else types[name](value)
            for name, value in changes.items()
        }
        behaviour = dataclasses.replace(self, **values)
        if behaviour.fail and behaviour.fail not in FAILURES:
            raise ValueError(f"no such failure: {behaviour.fail}")
        if behaviour.fault and behaviour.fault not in FAULTS:
            raise ValueError(f"no such fault: {behaviour.fault}")
        return behaviour


def read_question(body: dict[str, Any]) -> tuple[str, list[bytes]]:
    prompt, pictures = [], []
    for message in body["messages"]:
        parts = message["content"]
        for part in [{"type": "text", "text": parts}] if isinstance(parts, str) else parts:
            if part["type"] == "text":
                prompt.append(part["text"])
            else:
                head, _, data = part["image_url"]["url"].partition(",")
                assert head.startswith("data:image/") and head.endswith(";base64"), head
                pictures.append(base64.b64decode(data, validate=True))
                part["image_url"]["url"] = f"{head},({len(pictures)})"  # kept once
    return "\n".join(prompt), pictures


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


async def answer(
    request: web.Request, received: Received, behaviour: Behaviour, number: int, released: asyncio.Event
) -> web.StreamResponse:
    started = time.monotonic()
    received.held = behaviour.held_at >= 0
    body = received.body
    digest = hashlib.sha256(received.pictures[0]).hexdigest()[:8] if received.pictures else ""
    text = behaviour.text
    facts = {"number": number, "digest": digest, "pictures": len(received.pictures), "prompt": received.prompt}
    for fact, value in facts.items():
        text = text.replace(f"{{{fact}}}", str(value))
    limit = body.get("max_tokens", body.get("max_completion_tokens", 1 << 20))
    words = text.split(" ")
    if behaviour.quiet in body:
        behaviour = dataclasses.replace(behaviour, reasoning="")
    limit = max(0, limit - len(behaviour.reasoning.split()))
    pieces = [word if at == 0 else f" {word}" for at, word in enumerate(words)][:limit]
    fault = behaviour.fault
    if fault == "stall":
        await asyncio.Event().wait()
    if fault == "drop":
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
    if fault == "redirect":
        return web.Response(status=307, headers={"Location": behaviour.location})
    if fault == "html":
        return web.Response(text="<!doctype html><title>Welcome</title>", content_type="text/html")
    if behaviour.held_at == 0:
        await released.wait()
    wait = behaviour.total / max(1, len(pieces)) if behaviour.total else behaviour.per_token
    usage = {"prompt_tokens": 300, "completion_tokens": len(pieces), "total_tokens": 300 + len(pieces)}
    if not body.get("stream") or fault == "ignores-stream":
        await _until(started + (behaviour.total or behaviour.first_token + wait * (len(pieces) - 1)))
        message = {"role": "assistant", "content": "".join(pieces)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        whole = {"id": "chatcmpl-1", "object": "chat.completion", "model": body["model"], "choices": [choice]}
        return web.json_response({**whole, "usage": usage} if behaviour.usage else whole)
    wants_usage = behaviour.usage and bool((body.get("stream_options") or {}).get("include_usage"))
    response = web.StreamResponse(status=500 if fault == "endless-error" else 200)
    response.content_type = "text/event-stream"
    if not fault.startswith(("stall-headers", "drop-headers")):
        await _until(started + (wait if behaviour.total else behaviour.first_token))
    await response.prepare(request)
    try:
        async for data in _stream(request, behaviour, pieces, wait, usage if wants_usage else None, released):
            await response.write(data)
        await response.write_eof()
    except (ConnectionError, OSError):
        received.outcome = "disconnected"
    return response


async def _stream(
    request: web.Request,
    behaviour: Behaviour,
    pieces: list[str],
    wait: float,
    usage: Any,
    released: asyncio.Event,
) -> AsyncIterator[bytes]:
    fault = behaviour.fault
    if fault in ODD_STREAMS:
        async for data in ODD_STREAMS[fault](request):
            yield data
        return
    events: list[bytes] = [_event({"role": "assistant", "content": ""})]
    if behaviour.reasoning:
        events.append(_event({"reasoning_content": behaviour.reasoning}))
    for data in events:
        yield _dressed(data, fault)
    first = time.monotonic()
    for at, piece in enumerate(pieces):
        if at:
            await _until(first + at * wait)
        if at == behaviour.held_at:
            await released.wait()
        if at == 2 and fault == "stall-mid":
            await asyncio.Event().wait()
        if at == 2 and fault == "drop-mid":
            request.transport.abort()  # type: ignore[union-attr]  # it is connected
            return
        if at == 2 and fault in MIDDLES:
            yield MIDDLES[fault]
            if fault == "error-mid":
                return
        if fault != "empty":
            data = _dressed(_event({"content": piece}), fault)
            if fault == "bytes":
                for byte in data:
                    yield bytes([byte])
                    await asyncio.sleep(0)
            else:
                yield data
    yield _dressed(_event({}, "stop" if pieces else "length"), fault)
    if usage:
        yield _dressed(_event(None, usage=usage), fault)
    if fault != "no-done":
        yield _dressed(b"data: [DONE]\n\n", fault)


def _event(delta: dict[str, Any] | None, finish: str | None = None, usage: Any = None) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    chunk: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": choices}
    if usage:
        chunk["usage"] = usage
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def _dressed(event: bytes, fault: str) -> bytes:
    """The same event in another form that the rules for event streams allow."""
    if fault == "crlf":
        return event.replace(b"\n", b"\r\n")
    if fault == "comments":
        return b": OPENROUTER PROCESSING\n\nevent: message\nid: 7\nretry: 10\n:\n" + event.replace(b"data: ", b"data:")
    if fault == "multi-line" and b"[DONE]" not in event:
        return event.replace(b', "object"', b',\ndata: "object"').replace(b', "choices"', b',\ndata: "choices"')
    return event


MIDDLES = {
    "invalid-json": b"data: {half of it\n\n",
    "wrong-shape": b'data: []\n\ndata: 7\n\ndata: null\n\ndata: {"choices": 3}\n\ndata: {"choices": [null]}\n\n'
    b'data: {"choices": [{"delta": "x"}]}\n\n'
    b'data: {"choices": [{"delta": {"content": 5}}]}\n\ndata: {"usage": "y"}\n\n',
    "not-utf8": b'data: {"choices": [{"index": 0, "delta": {"content": " caf\xe9"}}]}\n\n',
    "long-line": b'data: {"choices": [{"index": 0, "delta": {"content": "' + b"x" * (16 << 20) + b'"}}]}\n\n',
    "error-mid": b'data: {"error": {"message": "CUDA out of memory", "type": "InternalServerError", "code": 500}}\n\n',
}


async def _silence(_request: web.Request) -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def _abort(request: web.Request) -> AsyncIterator[bytes]:
    request.transport.abort()  # type: ignore[union-attr]  # it is connected
    yield b""


async def _garbage(_request: web.Request) -> AsyncIterator[bytes]:
    for seed in range(64):
        yield hashlib.shake_128(bytes([seed])).digest(4096)


async def _endless(_request: web.Request) -> AsyncIterator[bytes]:
    while True:
        yield _event({"content": ENDLESS_PIECE}) * 100


async def _endless_line(_request: web.Request) -> AsyncIterator[bytes]:
    yield b"data: "
    while True:
        yield b"x" * 65536


ODD_STREAMS = {
    "stall-headers": _silence,
    "drop-headers": _abort,
    "garbage": _garbage,
    "endless": _endless,
    "endless-line": _endless_line,
    "endless-error": _endless_line,
}
