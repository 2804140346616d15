from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from live_vlm_webui.models.connections import open_client


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with open_client() as client:
        yield client
