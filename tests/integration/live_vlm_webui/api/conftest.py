from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from described import DescribedClient

from live_vlm_webui.app import create_app
from live_vlm_webui.config.settings import Settings

Serve = Callable[..., Awaitable[DescribedClient]]


@pytest.fixture
async def serve(tmp_path) -> AsyncIterator[Serve]:
    """Start servers with the given settings; clients of them, which check every answer against its description."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(ClientSession())

        async def start(**settings: Any) -> DescribedClient:
            app = create_app(Settings(data_dir=tmp_path, **settings))
            server = await stack.enter_async_context(TestServer(app))
            return await DescribedClient.open(http, str(server.make_url("/")))

        yield start


@pytest.fixture
async def api(serve) -> DescribedClient:
    return await serve()
