from __future__ import annotations

import dataclasses

import pytest

from live_vlm_webui.errors import HostRefusedError, SettingsError
from live_vlm_webui.settings import Settings


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]  # what the test is about


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.8.9.10", "127.8.9.10"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("localhost", "127.0.0.1"),
        ("LocalHost", "127.0.0.1"),
    ],
)
def test_loopback_hosts_are_taken(host, address):
    assert str(Settings(host=host).address) == address


@pytest.mark.parametrize(
    "host",
    [
        "",
        "0.0.0.0",
        "::",
        "192.168.1.20",
        "128.0.0.1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::1%lo",
        "camera.example",
        "localhost.example",
        "127.0.0.1.example",
        "127.1",
        "2130706433",
    ],
)
def test_every_other_host_is_refused(host):
    with pytest.raises(HostRefusedError, match="no login"):
        Settings(host=host)


def test_the_remedy_for_a_refused_host_names_the_default_port_where_any_port_was_asked_for():
    with pytest.raises(HostRefusedError) as refused:
        Settings(host="0.0.0.0", port=0)
    assert "ssh -L 8090:127.0.0.1:8090" in refused.value.remedy


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range_is_refused(port):
    with pytest.raises(SettingsError, match=f"{port} is not a port"):
        Settings(port=port)


def test_an_unknown_log_level_is_refused_and_the_known_ones_are_named():
    with pytest.raises(SettingsError, match="debug, info, warning, error"):
        Settings(log_level="loud")
