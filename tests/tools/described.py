"""What a server's own OpenAPI description says of its answers, held against the answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ADDRESS = "urn:description"


class Description:
    """An OpenAPI 3.1 description."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.described = described
        self._registry = Registry().with_resource(ADDRESS, Resource.from_contents(described, DRAFT202012))
        self._patterns = [
            (
                re.compile(
                    "".join(re.escape(part) if part[:1] != "{" else "[^/]+" for part in re.split(r"(\{\w+\})", path))
                ),
                path,
            )
            for path in sorted(described["paths"], key=lambda path: path.count("{"))
        ]

    def check_schema(self, name: str, value: object) -> None:
        """Assert that ``value`` is what ``components/schemas/NAME`` describes."""
        self._validate(f"{ADDRESS}#/components/schemas/{name}", value)

    def check_answer(self, method: str, path: str, status: int, content_type: str, value: object) -> None:
        """Assert that an answer is described; ``value`` is its JSON, or None if it is something else."""
        template = next((path_ for pattern, path_ in self._patterns if pattern.fullmatch(path)), None)
        assert template is not None, f"{path} is not described"
        operation = self.described["paths"][template].get(method.lower())
        if operation is None:
            assert status in {403, 405}, f"{method} {template} is not described, and answers {status}"
            operation = {"responses": {"default": {"$ref": "#/components/responses/Error"}}}
        responses = operation["responses"]
        if str(status) not in responses:
            assert status >= 400, f"{method} {template}: {status} is not described"
        response = self._resolve(responses.get(str(status), responses.get("default")))
        if status in {204, 304} or method == "HEAD":
            return
        assert content_type in response["content"], f"{method} {template}: {content_type} of {status} is not described"
        schema = response["content"][content_type].get("schema")
        if schema is not None:
            self._validate_schema(schema, value)

    def _resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        return self._registry.resolver(ADDRESS).lookup(ADDRESS + node["$ref"]).contents

    def _validate(self, reference: str, value: object) -> None:
        self._validate_schema({"$ref": reference}, value)

    def _validate_schema(self, schema: dict[str, Any], value: object) -> None:
        absolute = _absolute(schema)
        checker = Draft202012Validator.FORMAT_CHECKER
        Draft202012Validator(absolute, registry=self._registry, format_checker=checker).validate(value)


@dataclass(frozen=True)
class Answer:
    """An answer that was read.

    Attributes:
        status: Of HTTP.
        headers: Likewise.
        body: Its bytes.
        json: What they stand for, if they are JSON.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any


class DescribedClient:
    """Talks to a server, and asserts of each answer that the server's description describes it."""

    def __init__(self, http: ClientSession, url: str, description: Description) -> None:
        self.http = http
        self.url = url.rstrip("/")
        self.description = description

    @classmethod
    async def open(cls, http: ClientSession, url: str) -> DescribedClient:
        async with http.get(f"{url.rstrip('/')}/api/openapi.json") as answer:
            return cls(http, url, Description(await answer.json()))

    async def ask(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        """Send a request; its status, and its JSON or else its bytes."""
        answer = await self.answer(method, path, **options)
        return answer.status, answer.json if answer.json is not None else answer.body

    async def answer(self, method: str, path: str, **options: Any) -> Answer:
        """As ``ask``, for the whole answer."""
        async with self.http.request(method, self.url + path, **options) as response:
            body = await response.read()
            value = await response.json() if response.content_type == "application/json" and body else None
            kind = response.content_type
        self.description.check_answer(method, path.partition("?")[0], response.status, kind, value)
        return Answer(response.status, response.headers, body, value)

    @asynccontextmanager
    async def watch(self, session: str = "") -> AsyncIterator[Events]:
        """The events of a session, of a new one without its id."""
        query = f"?session={session}" if session else ""
        async with self.http.ws_connect(f"{self.url}/ws{query}", max_msg_size=0) as socket:
            yield Events(socket, self.description)


class Events:
    """The events of a WebSocket, each of which is asserted to be described."""

    def __init__(self, socket: ClientWebSocketResponse, description: Description) -> None:
        self.socket = socket
        self._description = description

    async def next(self, seconds: float = 10.0) -> dict[str, Any]:
        """The next event.

        Raises:
            EOFError: The socket was closed; with the code and the reason.
        """
        message = await self.socket.receive(timeout=seconds)
        if message.type is not WSMsgType.TEXT:
            raise EOFError(message.data, message.extra)
        event: dict[str, Any] = message.json()
        self._description.check_schema("Event", event)
        return event

    async def until(self, *kinds: str, seconds: float = 10.0) -> dict[str, Any]:
        """The next event of one of these types; those before it are passed over.

        Raises:
            TimeoutError: It did not come within ``seconds``.
        """
        return (await self.all_until(*kinds, seconds=seconds))[-1]

    async def all_until(self, *kinds: str, seconds: float = 10.0) -> list[dict[str, Any]]:
        """All events up to the next of one of these types."""
        events: list[dict[str, Any]] = []

        async def read() -> None:
            while not events or events[-1]["type"] not in kinds:
                events.append(await self.next(seconds))

        try:
            await asyncio.wait_for(read(), seconds)
        except asyncio.TimeoutError:
            told = [event["type"] for event in events]
            raise TimeoutError(f"none of {kinds} within {seconds:g} s, but {told[-20:]}") from None
        return events


def _absolute(node: Any) -> Any:
    """``node`` with its references made absolute, as it is looked at apart from the description."""
    if isinstance(node, dict):
        return {
            name: ADDRESS + value if name == "$ref" and value.startswith("#") else _absolute(value)
            for name, value in node.items()
        }
    return [_absolute(one) for one in node] if isinstance(node, list) else node
