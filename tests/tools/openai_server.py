"""A small server that speaks OpenAI's chat completions, and misbehaves on request.

As a process of its own; prints its API's address as one line when it is ready, ends at SIGTERM or Ctrl-C::

    python tests/tools/openai_server.py --port 0 --play ollama --model llava:7b --text-model llama3:8b --total 0.3

In a test's event loop::

    async with OpenAIServer(play="vllm") as server:
        server.behave(fail="vllm-not-vision", times=1)
        ...  # ask server.api_base
        assert server.requests[-1].pictures == [jpeg]

How a question is answered is said, the strongest first, in the model's name (``any-name;total=0.3;fault=drop-mid``),
by ``behave`` (over HTTP: ``POST /control/behave`` with ``{"fail": ..., "times": 1}``), or at the start. ``Behaviour``
lists what can be said, ``FAILURES`` and ``FAULTS`` how it can fail. ``GET /control/requests`` tells what was received
(pictures in base64), ``GET /control/state`` the numbers, ``POST /control/reset`` forgets both, and
``POST /control/release`` lets go on what ``held_at`` keeps.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import collections
import contextvars
import dataclasses
import functools
import signal
import sys
import time
from typing import Any

from aiohttp import web
from openai_answers import Behaviour, answer, read_question
from openai_failures import FAILURES, failed, rejected
from openai_plays import OTHER_ROUTES


@dataclasses.dataclass
class Received:
    """A request, as it came."""

    number: int
    at: float
    """``time.time()`` when its head had come."""
    method: str
    path: str
    headers: dict[str, str]
    body: Any = None
    prompt: str = ""
    pictures: list[bytes] = dataclasses.field(default_factory=list)
    connection: int = 0
    """The port that it came from."""
    outcome: str = "open"
    """open, done, or disconnected: the client went before the end."""
    held: bool = False
    """Whether its answer waits, at ``Behaviour.held_at``, to be released."""

    @property
    def key(self) -> str | None:
        """The API key that came with it."""
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        return key if scheme == "Bearer" else None

    def to_json(self) -> dict[str, Any]:
        described = dataclasses.asdict(self)
        return {**described, "pictures": [base64.b64encode(picture).decode() for picture in self.pictures]}


RECEIVED: contextvars.ContextVar[Received] = contextvars.ContextVar("RECEIVED")
"""The request that is being answered."""


class OpenAIServer:
    """The server; an asynchronous context manager that serves on loopback.

    Args:
        play: ``openai``, ``ollama``, ``vllm``, ``sglang``, ``llamacpp`` or ``nim``: whose other routes it has.
        models: Names of those that see.
        text_models: Names of those that do not.
        api_key: The key that every request must bring; none if empty.
        strict: Whether models that are not among the two lists are missing (404) rather than answered.
        port: TCP port; 0 takes a free one.
        keep: How many requests are remembered.
        behaviour: How questions are answered, fields of ``Behaviour``.
    """

    def __init__(
        self,
        *,
        play: str = "openai",
        models: tuple[str, ...] = ("test-vlm",),
        text_models: tuple[str, ...] = (),
        api_key: str = "",
        strict: bool = False,
        port: int = 0,
        keep: int = 500,
        **behaviour: Any,
    ) -> None:
        self.play = play
        self.models = models
        self.text_models = text_models
        self.api_key = api_key
        self.strict = strict
        self.port = port
        self.usual = Behaviour().changed(behaviour)
        self.requests: collections.deque[Received] = collections.deque(maxlen=keep)
        self.count = self.questions = self.under_way = self.most_at_once = 0
        self.list_delay = 0.0
        """Seconds before models are listed."""
        self.list_body: bytes | None = None
        """Sent instead of the list."""
        self.list_location = ""
        """Where who asks for the list is sent to."""
        self._next: collections.deque[Behaviour] = collections.deque()
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Condition()
        self._released = asyncio.Event()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_base(self) -> str:
        return f"{self.origin}/v1"

    def behave(self, *, times: int = 0, **changes: Any) -> None:
        """From now on, or for the next ``times`` questions only, answer like this."""
        behaviour = self.usual.changed(changes)
        if times:
            self._next.extend([behaviour] * times)
        else:
            self.usual = behaviour
            self._next.clear()

    def reset(self) -> None:
        self.requests.clear()
        self.count = self.questions = self.most_at_once = 0
        self.behave(**{field.name: field.default for field in dataclasses.fields(Behaviour)})

    def release(self) -> None:
        """Let the answers that are held go on, and hold no more."""
        self.behave(held_at=-1)
        self._released.set()
        self._released = asyncio.Event()

    @property
    def asked(self) -> list[Received]:
        """The questions among what was received."""
        return [received for received in self.requests if received.path.endswith("/chat/completions")]

    async def seen(self, *, questions: int, seconds: float = 60.0) -> None:
        """Wait until that many questions have come."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: self.questions >= questions), seconds)

    async def ended(self, received: Received, seconds: float = 60.0) -> str:
        """Wait until this request has ended, and return its outcome."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: received.outcome != "open"), seconds)
        return received.outcome

    async def __aenter__(self) -> OpenAIServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application(middlewares=[self._record], client_max_size=64 << 20)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._list)
        for path, handler in OTHER_ROUTES[self.play].items():
            app.router.add_route("*", path, functools.partial(handler, self))
        app.router.add_route("*", "/control/{action}", self._control)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop; ``start`` afterwards takes the same port again."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _record(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/control/"):
            return await handler(request)
        self.count += 1
        received = Received(self.count, time.time(), request.method, request.path_qs, dict(request.headers))
        received.connection = (request.get_extra_info("peername") or ("", 0))[1]
        self.requests.append(received)
        RECEIVED.set(received)
        question = request.path.endswith("/chat/completions")
        self.under_way += question
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            if self.api_key and received.key != self.api_key and request.path != "/":
                await request.read()
                failure = f"{self.play}-401" if f"{self.play}-401" in FAILURES else "openai-401"
                return failed(failure, "")
            return await handler(request)
        except asyncio.CancelledError:
            received.outcome = "disconnected"
            raise
        finally:
            self.under_way -= question
            if received.outcome == "open":
                received.outcome = "disconnected" if request.transport is None else "done"
            async with self._changed:
                self._changed.notify_all()

    async def _list(self, _request: web.Request) -> web.Response:
        await asyncio.sleep(self.list_delay)
        if self.list_location:
            return web.Response(status=302, headers={"Location": self.list_location})
        if self.list_body is not None:
            return web.Response(body=self.list_body, content_type="application/json")
        owner = {"ollama": "library", "nim": "system", "openai": "system"}.get(self.play, self.play)
        cards = [
            {"id": name, "object": "model", "created": 1700000000, "owned_by": owner}
            for name in (*self.models, *self.text_models)
        ]
        listed: dict[str, Any] = {"object": "list", "data": cards}
        if self.play == "llamacpp":
            listed["models"] = [
                {"name": name, "capabilities": ["completion", *(["multimodal"] if name in self.models else [])]}
                for name in (*self.models, *self.text_models)
            ]
        return web.json_response(listed)

    async def _control(self, request: web.Request) -> web.Response:
        action = request.match_info["action"]
        if action == "behave":
            changes = await request.json()
            try:
                self.behave(**changes)
            except (TypeError, ValueError) as error:
                return web.json_response({"error": str(error)}, status=400)
        elif action == "reset":
            self.reset()
        elif action == "release":
            self.release()
        elif action == "requests":
            return web.json_response([received.to_json() for received in self.requests])
        elif action != "state":
            raise web.HTTPNotFound
        counts = ("count", "questions", "under_way", "most_at_once")
        return web.json_response({name: getattr(self, name) for name in counts})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        received = RECEIVED.get()
        received.body = body = await request.json()
        received.prompt, received.pictures = read_question(body)
        self.questions += 1
        async with self._changed:
            self._changed.notify_all()
        name, *spoken = str(body["model"]).split(";")
        behaviour = self._next.popleft() if self._next else self.usual
        if spoken:
            behaviour = behaviour.changed(dict(item.split("=", 1) for item in spoken))
        if self.strict and name not in (*self.models, *self.text_models):
            return failed(f"{self.play}-404" if f"{self.play}-404" in FAILURES else "openai-404", name)
        if name in self.text_models and received.pictures:
            return failed(
                f"{self.play}-not-vision" if f"{self.play}-not-vision" in FAILURES else "openai-not-vision", name
            )
        for parameter in filter(None, behaviour.rejects.split("+")):
            if parameter in body or parameter in {message["role"] for message in body["messages"]}:
                return rejected(parameter)
        if behaviour.fail:
            await asyncio.sleep(behaviour.first_token)
            return failed(behaviour.fail, name, behaviour.retry_after)
        return await answer(request, received, behaviour, self.questions, self._released)


def main() -> None:
    parser = argparse.ArgumentParser(description="A small OpenAI-compatible server for tests.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--play", choices=sorted(OTHER_ROUTES), default="openai")
    parser.add_argument("--model", action="append", dest="models", help="the name of one that sees; may be repeated")
    parser.add_argument("--text-model", action="append", default=[], dest="text_models")
    parser.add_argument("--api-key", default="")
    parser.add_argument("--strict", action="store_true", help="models that are not named are missing")
    parser.add_argument("--keep", type=int, default=500, help="how many requests are remembered")
    for field in dataclasses.fields(Behaviour):
        parser.add_argument(f"--{field.name.replace('_', '-')}", default=argparse.SUPPRESS, dest=field.name)
    options = vars(parser.parse_args())
    models = tuple(options.pop("models") or ("test-vlm",))
    text_models = tuple(options.pop("text_models"))

    async def run() -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        async with OpenAIServer(models=models, text_models=text_models, **options) as server:
            sys.stdout.write(f"{server.api_base}\n")
            sys.stdout.flush()
            await stopped.wait()

    asyncio.run(run())


if __name__ == "__main__":
    main()
