from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import ClientSession
from openai_server import OpenAIServer

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.models.catalog import Catalog
from live_vlm_webui.models.connections import open_client
from live_vlm_webui.sessions.registry import Sessions


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer(text="This is {digest}, as far as I see.", keep=5000) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with open_client() as client:
        yield client


@pytest.fixture
def encoders() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2, "encoder") as executor:
        yield executor


@pytest.fixture
async def sessions(server, http, encoders) -> AsyncIterator[Sessions]:
    """Sessions that ask the test server's model unless they are told otherwise."""

    def no_describer():
        raise AssertionError("nobody chose the describer")

    catalog = Catalog(Settings(api_base=server.api_base, model="test-vlm"), http, no_describer, ports=())
    catalog.start()
    all_sessions = Sessions(catalog=catalog, encoders=encoders)
    yield all_sessions
    await all_sessions.close()
    await catalog.close()
