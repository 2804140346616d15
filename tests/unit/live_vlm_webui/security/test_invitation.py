from __future__ import annotations

import asyncio
import base64
import urllib.parse
from ipaddress import ip_address

import pytest
import segno
from aiohttp.test_utils import make_mocked_request

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.network import reach
from live_vlm_webui.security.invitation import page_for_others, qr_picture


@pytest.fixture(autouse=True)
def one_address(monkeypatch):
    monkeypatch.setattr(reach, "own_addresses", lambda: (ip_address("192.168.1.20"),))
    monkeypatch.setattr(reach, "own_names", lambda: frozenset())


class Accepted(asyncio.Transport):
    """A connection that the server's port 8090 has accepted."""

    def get_extra_info(self, name, default=None):
        return ("127.0.0.1", 8090) if name == "sockname" else default


@pytest.mark.parametrize(
    ("settings", "headers", "path", "page"),
    [
        ({"host": "0.0.0.0"}, {"Origin": "https://192.168.1.7:8090"}, "/", "https://192.168.1.7:8090/"),
        ({"host": "0.0.0.0"}, {"Origin": "https://localhost:8090"}, "/", "https://192.168.1.20:8090/"),
        ({"host": "0.0.0.0"}, {"Origin": "https://[::1]:8090"}, "/", "https://192.168.1.20:8090/"),
        ({"host": "0.0.0.0"}, {"Host": "workshop.local:8090"}, "/", "https://workshop.local:8090/"),
        ({}, {"Origin": "https://127.0.0.1:8090"}, "/", "https://127.0.0.1:8090/"),
        ({"allow_hosts": ("cam.example",)}, {"Origin": "https://cam.example"}, "/vlm/", "https://cam.example/vlm/"),
        ({"allow_hosts": ("cam.example",)}, {"Origin": "https://127.0.0.1:8090"}, "/", "https://cam.example/"),
    ],
    ids=lambda value: str(value),
)
def test_another_device_gets_the_address_that_it_can_reach(settings, headers, path, page):
    named = {"Host": "127.0.0.1:8090", **headers}
    request = make_mocked_request("POST", "/api/login/code", headers=named, transport=Accepted())
    assert page_for_others(request, Settings(**settings), path, secure=True) == page


def test_the_qr_code_is_a_picture_of_the_link_with_the_margin_that_scanners_need():
    url = "https://192.168.1.20:8090/#code=c0de"
    picture = qr_picture(url)
    kind, _, data = picture.partition(",")
    svg = base64.b64decode(data).decode() if kind.endswith("base64") else urllib.parse.unquote(data)
    side = segno.make(url, error="m", micro=False).symbol_size(border=4)[0]
    assert f'viewBox="0 0 {side} {side}"' in svg.replace("'", '"')
    assert picture == segno.make(url, error="m", micro=False).svg_data_uri(
        border=4, dark="#000", light="#fff", omitsize=True
    )
