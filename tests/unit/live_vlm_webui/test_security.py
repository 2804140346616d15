from __future__ import annotations

import pytest

from live_vlm_webui.security import is_loopback_host


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8090",
        "LOCALHOST:1",
        "127.0.0.1",
        "127.0.0.1:8090",
        "127.0.1.1:80",
        "[::1]",
        "[::1]:8090",
    ],
)
def test_this_machine_by_name_or_address_passes(host):
    assert is_loopback_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":8090",
        "evil.example",
        "evil.example:8090",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8090",
        "192.168.1.20:8090",
        "0.0.0.0:8090",
        "[::]:8090",
        "::1",
        "[::1",
        "localhost:",
        "localhost:80a",
        "localhost:٣",
        "localhost:80:80",
        "localhost@evil.example",
        "localhost evil.example",
        "localhost\n",
    ],
)
def test_everything_else_is_turned_away(host):
    assert not is_loopback_host(host)
