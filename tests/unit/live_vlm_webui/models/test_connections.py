from __future__ import annotations

import pytest
from aiohttp import DummyCookieJar

from live_vlm_webui.models.connections import GuardedResolver, open_client


class FakeDNS:
    async def resolve(self, host, port=0, family=0):
        address = {"inside.example": "169.254.169.254", "box.example": "10.0.0.1"}[host]
        return [{"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": 0}]


@pytest.fixture
async def resolver():
    resolver = GuardedResolver()
    resolver._resolver = FakeDNS()
    return resolver


async def test_a_name_that_stands_for_a_clouds_credentials_is_not_looked_up(resolver):
    with pytest.raises(OSError, match="credentials"):
        await resolver.resolve("inside.example", 80)


async def test_other_names_are(resolver):
    assert (await resolver.resolve("box.example", 80))[0]["host"] == "10.0.0.1"


async def test_the_client_keeps_no_cookies_and_takes_no_proxies():
    async with open_client() as client:
        assert isinstance(client.cookie_jar, DummyCookieJar)
        assert not client.trust_env
        assert not client.auto_decompress
