"""Find model servers on this machine at their usual ports."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from live_vlm_webui.errors import ModelError
from live_vlm_webui.models.endpoint import Endpoint, Keyring
from live_vlm_webui.models.listing import Lister, Listing

USUAL_PORTS = (11434, 8000, 30000, 8080)
"""The default ports of Ollama, vLLM and NIM, SGLang, llama.cpp."""
HOST = "127.0.0.1"


class Discovery:
    """Queries the usual ports concurrently.

    Args:
        lister: Lists the models of a server.
        keyring: The server's keys; a server found gets the key for its address, or none.
        ports: The ports to query.
    """

    def __init__(self, lister: Lister, keyring: Keyring, ports: Sequence[int] = USUAL_PORTS) -> None:
        self._lister = lister
        self._keyring = keyring
        self._endpoints = tuple(Endpoint(f"http://{HOST}:{port}/v1") for port in ports)

    @property
    def addresses(self) -> frozenset[str]:
        """The addresses that are queried."""
        return frozenset(endpoint.api_base for endpoint in self._endpoints)

    async def find(self, last: Mapping[str, Listing], others: Iterable[Endpoint] = ()) -> dict[str, Listing]:
        """Return the servers found, by address.

        Args:
            last: The servers found the last time; one that is too busy to answer in time is kept.
            others: Endpoints that are queried elsewhere and are skipped here, whatever their host name.
        """
        elsewhere = {_place(endpoint) for endpoint in others}
        endpoints = [endpoint for endpoint in self._endpoints if _place(endpoint) not in elsewhere]
        listings = await asyncio.gather(*(self._ask(endpoint, last) for endpoint in endpoints))
        return {endpoint.api_base: listing for endpoint, listing in zip(endpoints, listings, strict=True) if listing}

    async def _ask(self, endpoint: Endpoint, last: Mapping[str, Listing]) -> Listing | None:
        try:
            return await self._lister.list_models(self._keyring.endpoint(endpoint.api_base))
        except ModelError as error:
            return last.get(endpoint.api_base) if error.code == "timeout" else None


def _place(endpoint: Endpoint) -> tuple[str, int | None, str]:
    """Return host, port and path of an endpoint, with the same host for all names of this machine."""
    url = endpoint.url("")
    return HOST if endpoint.is_local else endpoint.host, url.port, url.raw_path
