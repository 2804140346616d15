"""What the routes of the rehearsal's GitHub share: their store, whose request it is, errors, and lists in pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web

from releaser.rehearsal.forge.shapes import Record, Shapes
from releaser.rehearsal.forge.store import ForgeStore
from releaser.rehearsal.forge.tokens import Caller

# aiohttp before 3.14 has plain names only, and since then warns of them.
CALLER: Any = web.RequestKey("caller", Caller) if hasattr(web, "RequestKey") else "caller"


class Handlers:
    """Handlers around a store.

    Args:
        repository: ``OWNER/NAME``.
        store: What there is.
    """

    def __init__(self, repository: str, store: ForgeStore) -> None:
        self._repository = repository
        self._store = store

    def _shapes(self, request: web.Request) -> Shapes:
        return Shapes(str(request.url.origin()), self._repository)


def caller_of(request: web.Request) -> Caller:
    """Who sent a request, as the guard found out."""
    caller: Caller = request[CALLER]
    return caller


def problem(status: int, message: str, errors: Iterable[Mapping[str, str]] = ()) -> web.Response:
    """Return an error as GitHub words it."""
    data: Record = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    details = [dict(error) for error in errors]
    return web.json_response({**data, "errors": details} if details else data, status=status)


def page_of(request: web.Request, elements: Sequence[Any]) -> tuple[Sequence[Any], dict[str, str]]:
    """Return the part of a list that a request asks for, and the header that names the other pages."""
    size = max(1, min(100, _number(request, "per_page", 30)))
    page = max(1, _number(request, "page", 1))
    last = max(1, -(-len(elements) // size))
    others = {"prev": page - 1, "first": 1} if page > 1 else {}
    if page < last:
        others = {**others, "next": page + 1, "last": last}
    links = ", ".join(f'<{request.url.update_query(page=number)}>; rel="{kind}"' for kind, number in others.items())
    return elements[(page - 1) * size : page * size], {"Link": links} if links else {}


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isdecimal() else default
