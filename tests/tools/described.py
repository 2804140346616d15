"""What a server's own OpenAPI description says of its answers, held against the answers."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import ClientResponse, ClientSession
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
        return answer.status, await answer.json() if answer.content_type == "application/json" else await answer.read()

    async def answer(self, method: str, path: str, **options: Any) -> ClientResponse:
        """As ``ask``, for the whole answer, which is read already."""
        async with self.http.request(method, self.url + path, **options) as answer:
            await answer.read()
            value = await answer.json() if answer.content_type == "application/json" else None
        self.description.check_answer(method, path.partition("?")[0], answer.status, answer.content_type, value)
        return answer


def _absolute(node: Any) -> Any:
    """``node`` with its references made absolute, as it is looked at apart from the description."""
    if isinstance(node, dict):
        return {
            name: ADDRESS + value if name == "$ref" and value.startswith("#") else _absolute(value)
            for name, value in node.items()
        }
    return [_absolute(one) for one in node] if isinstance(node, list) else node
