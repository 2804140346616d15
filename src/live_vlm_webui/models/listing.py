"""List the models of a server: the kind of server, its models, and which of them accept pictures."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from live_vlm_webui.errors import ModelError
from live_vlm_webui.models.causes import bad_answer, cause_of_exception, cause_of_status
from live_vlm_webui.models.connections import HEADERS
from live_vlm_webui.models.deadline import Deadline, DeadlineError
from live_vlm_webui.models.endpoint import Endpoint
from live_vlm_webui.models.failure_text import read_failure
from live_vlm_webui.models.model import ModelLabel
from live_vlm_webui.models.offer import Offer, best_first
from live_vlm_webui.models.vision import answers_questions, sees_by_card, sees_by_name, sees_by_ollama

LONGEST_LIST = 4 << 20
LONGEST_NAME = 256
MOST_MODELS = 500
MOST_SHOWN = 64
MOST_REMEMBERED = 64
SHOWN_AT_ONCE = 4
OLLAMA, LLAMA_CPP, SGLANG, VLLM, NIM = "Ollama", "llama.cpp", "SGLang", "vLLM", "NIM"
OWNERS = {"library": OLLAMA, "llamacpp": LLAMA_CPP, "sglang": SGLANG, "vllm": VLLM}
"""Servers by the ``owned_by`` of their models. NIM uses ``system``, like others, or ``vllm``."""
NIM_ROUTES = ("/metadata", "/health/ready")
HOSTS = {"api.openai.com": "OpenAI", "integrate.api.nvidia.com": "NVIDIA API Catalog"}

Card: TypeAlias = dict[str, Any]
Sight: TypeAlias = dict[str, bool | None]
"""Whether models accept pictures, by name."""


@dataclass(frozen=True)
class Listing:
    """The models of a server.

    Attributes:
        server: The kind of server; empty if unknown.
        offers: Its models, best first.
    """

    server: str
    offers: tuple[Offer, ...]


class Lister:
    """Lists the models of servers.

    Args:
        http: A client from ``connections.open_client``, closed by the caller.
        seconds: How long a server may take to list its models, and again for details about them.
    """

    def __init__(self, http: ClientSession, seconds: float) -> None:
        self._http = http
        self._seconds = seconds
        self._told: OrderedDict[str, tuple[object, str, Sight]] = OrderedDict()

    async def list_models(self, endpoint: Endpoint) -> Listing:
        """Return the models of a server, without those for other purposes, such as embedding.

        Raises:
            ModelError: It does not list its models.
        """
        cards = await self._cards(endpoint)
        server = _server_of(endpoint, cards)
        sight: Sight = {}
        with suppress(DeadlineError, ModelError), Deadline(self._seconds):  # without details, the names decide
            server, sight = await self._ask_more(endpoint, server, cards)
        offers = []
        for card in cards:
            name = card["id"]
            told = (sees_by_card(card), sight.get(name), sees_by_name(name, str(card.get("root") or "")))
            vision = next((sees for sees in told if sees is not None), None)
            offers.append(Offer(ModelLabel(endpoint.api_base, name, server), vision))
        return Listing(server, best_first(offers))

    async def _cards(self, endpoint: Endpoint) -> list[Card]:
        """Return the entries of the list of models, with the details that llama.cpp lists separately."""
        listed = await self._fetch(endpoint, endpoint.url("/models"))
        data = listed.get("data") if isinstance(listed, dict) else listed  # Together's has no envelope
        if not isinstance(data, list):
            raise bad_answer(endpoint, "did not return a list of models")
        cards = [card for card in data[:MOST_MODELS] if isinstance(card, dict) and _is_name(card.get("id"))]
        details = listed.get("models") if isinstance(listed, dict) else None
        for detail in details[:MOST_MODELS] if isinstance(details, list) else ():
            for card in cards:
                if isinstance(detail, dict) and detail.get("name") == card["id"]:
                    card.setdefault("capabilities", detail.get("capabilities"))
        return [card for card in cards if answers_questions(card["id"])]

    async def _ask_more(self, endpoint: Endpoint, server: str, cards: list[Card]) -> tuple[str, Sight]:
        """Return the kind of server and which models accept pictures, from server-specific routes."""
        if server == LLAMA_CPP and len(cards) == 1:
            return server, {cards[0]["id"]: sees_by_card(await self._try(endpoint, endpoint.native_url("/props")))}
        if server == SGLANG:
            for route in ("/model_info", "/get_model_info"):
                sees = (await self._try(endpoint, endpoint.native_url(route))).get("has_image_understanding")
                if isinstance(sees, bool):
                    return server, {card["id"]: sees for card in cards}
        if server not in {"", OLLAMA, VLLM}:
            return server, {}
        # Only if the list has changed: some servers log each request.
        mark = [(card["id"], None if server == VLLM else card.get("created")) for card in cards]
        told = self._told.get(endpoint.api_base)
        if told is None or told[0] != mark:
            told = self._told[endpoint.api_base] = (mark, *await self._recognise(endpoint, server, cards))
            if len(self._told) > MOST_REMEMBERED:
                self._told.popitem(last=False)
        return told[1], told[2]

    async def _recognise(self, endpoint: Endpoint, server: str, cards: list[Card]) -> tuple[str, Sight]:
        if server == VLLM or any(card.get("owned_by") == "system" for card in cards):
            for route in NIM_ROUTES:
                if await self._try(endpoint, endpoint.url(route)):
                    return NIM, {}
            return server, {}
        version = await self._try(endpoint, endpoint.native_url("/api/version"))
        return (OLLAMA, await self._show(endpoint, cards)) if "version" in version else (server, {})

    async def _show(self, endpoint: Endpoint, cards: list[Card]) -> Sight:
        slots = asyncio.Semaphore(SHOWN_AT_ONCE)

        async def show(name: str) -> tuple[str, bool | None]:
            async with slots:
                return name, sees_by_ollama(
                    await self._try(endpoint, endpoint.native_url("/api/show"), {"model": name})
                )

        return dict(await asyncio.gather(*(show(card["id"]) for card in cards[:MOST_SHOWN])))

    async def _try(self, endpoint: Endpoint, url: URL, body: object = None) -> Card:
        """Return the JSON object at an optional route; empty if the server does not have it.

        Raises:
            ModelError: The server did not respond.
        """
        try:
            found = await self._fetch(endpoint, url, body)
        except ModelError as error:
            if error.code in {"timeout", "unreachable", "rate-limited"}:
                raise
            return {}
        return found if isinstance(found, dict) else {}

    async def _fetch(self, endpoint: Endpoint, url: URL, body: object = None) -> Any:
        try:
            with Deadline(self._seconds):
                response = await self._http.request(
                    "GET" if body is None else "POST",
                    url,
                    data=None if body is None else json.dumps(body).encode(),
                    headers={**HEADERS, **endpoint.headers, "Content-Type": "application/json"},
                    allow_redirects=False,
                    timeout=ClientTimeout(total=None, sock_connect=self._seconds),
                )
                if response.status >= 300:
                    failure = await read_failure(response)
                    raise cause_of_status(response.status, response.headers, failure, endpoint=endpoint, model="")
                return json.loads(await _read(response, endpoint))
        except DeadlineError:
            raise ModelError(
                "timeout",
                f"{endpoint.api_base} took longer than {self._seconds:g} s to list its models",
                "Try again; if this continues, check the log of the model server.",
            ) from None
        except (ClientError, OSError) as error:
            raise cause_of_exception(error, endpoint, answering=False) from None
        except (ValueError, RecursionError):
            raise bad_answer(endpoint, "did not return JSON") from None


async def _read(response: ClientResponse, endpoint: Endpoint) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := await response.content.readany():
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST_LIST:
                raise bad_answer(endpoint, f"sent a list of models of more than {LONGEST_LIST} bytes")
    finally:
        response.close()
    return b"".join(pieces)


def _server_of(endpoint: Endpoint, cards: list[Card]) -> str:
    for host, server in HOSTS.items():
        if endpoint.host == host:
            return server
    owners = {OWNERS.get(str(card.get("owned_by")), "") for card in cards}
    return next((server for server in OWNERS.values() if server in owners), "")


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and name.isprintable()
