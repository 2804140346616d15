"""Servers of models on this machine, at the ports that they usually listen on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from live_vlm_webui.errors import ModelError
from live_vlm_webui.models.endpoint import Endpoint, Keyring
from live_vlm_webui.models.listing import Lister, Listing

USUAL_PORTS = (11434, 8000, 30000, 8080)
"""Of Ollama, vLLM and NIM, SGLang, llama.cpp."""
HOST = "127.0.0.1"


class Discovery:
    """Asks the usual ports, all at once.

    Args:
        lister: Asks one server.
        keyring: The keys that were given at the start; a server found gets the one for its address, or none.
        ports: Where to look.
    """

    def __init__(self, lister: Lister, keyring: Keyring, ports: Sequence[int] = USUAL_PORTS) -> None:
        self._lister = lister
        self._keyring = keyring
        self._endpoints = tuple(Endpoint(f"http://{HOST}:{port}/v1") for port in ports)

    @property
    def addresses(self) -> frozenset[str]:
        """Where it looks."""
        return frozenset(endpoint.api_base for endpoint in self._endpoints)

    async def find(self, last: Mapping[str, Listing], besides: Iterable[Endpoint] = ()) -> dict[str, Listing]:
        """Look, and return what is there now, by address.

        Args:
            last: What was found the last time. A server that is too busy to answer in time still counts as there.
            besides: What is asked elsewhere: not asked a second time, under whatever name of this machine.
        """
        elsewhere = {_place(endpoint) for endpoint in besides}
        endpoints = [endpoint for endpoint in self._endpoints if _place(endpoint) not in elsewhere]
        listings = await asyncio.gather(*(self._ask(endpoint, last) for endpoint in endpoints))
        return {endpoint.api_base: listing for endpoint, listing in zip(endpoints, listings, strict=True) if listing}

    async def _ask(self, endpoint: Endpoint, last: Mapping[str, Listing]) -> Listing | None:
        try:
            return await self._lister.list_models(self._keyring.endpoint(endpoint.api_base))
        except ModelError as error:
            return last.get(endpoint.api_base) if error.code == "timeout" else None


def _place(endpoint: Endpoint) -> tuple[str, int | None, str]:
    """Where an endpoint is, in the same words for all names of this machine."""
    url = endpoint.url("")
    return HOST if endpoint.is_local else endpoint.host, url.port, url.raw_path
