from __future__ import annotations

import socket

import pytest

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.network.hosts import Hosts


@pytest.fixture(autouse=True)
def named_workshop(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "Workshop.lan")


@pytest.fixture
def on_loopback() -> Hosts:
    return Hosts(Settings())


@pytest.fixture
def everywhere() -> Hosts:
    return Hosts(Settings(host="0.0.0.0"))


@pytest.fixture
def behind_proxy() -> Hosts:
    return Hosts(Settings(allow_hosts=("cam.example", "cam.example:8443", "[2001:db8::1]")))


LOOPBACK = ["localhost", "localhost:8090", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8090", "127.0.1.1:80", "[::1]:8090"]
NOWHERE = [
    "",
    ":8090",
    "evil.example",
    "evil.example:8090",
    "localhost.evil.example",
    "127.0.0.1.evil.example:8090",
    "::1",
    "[::1",
    "[localhost]",
    "localhost:",
    "localhost:80a",
    "localhost:٣",
    "localhost:80:80",
    "localhost:0",
    "localhost:99999",
    "localhost@evil.example",
    "localhost evil.example",
    "localhost\n",
    "[fe80::1%eth0]",
    "127.1",
    "2130706433",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_by_name_or_address_is_answered_everywhere(host, on_loopback, everywhere, behind_proxy):
    assert on_loopback.answers_to(host)
    assert everywhere.answers_to(host)
    assert behind_proxy.answers_to(host)


@pytest.mark.parametrize("host", NOWHERE)
def test_no_foreign_or_broken_name_is_answered_anywhere(host, on_loopback, everywhere, behind_proxy):
    assert not on_loopback.answers_to(host)
    assert not everywhere.answers_to(host)
    assert not behind_proxy.answers_to(host)


@pytest.mark.parametrize("host", ["192.168.1.20:8090", "0.0.0.0:8090", "[::]:8090", "workshop", "workshop.local:8090"])
def test_on_loopback_no_other_address_or_name_is_answered(host, on_loopback):
    assert not on_loopback.answers_to(host)


@pytest.mark.parametrize(
    "host",
    ["192.168.1.20:8090", "[2001:db8::7]", "workshop", "WORKSHOP.lan:1", "workshop.local", "workshop.local:8090"],
)
def test_elsewhere_the_machines_names_and_every_address_are_answered(host, everywhere):
    assert everywhere.answers_to(host)


@pytest.mark.parametrize("host", ["cam.example", "CAM.example:8443", "cam.example:1", "[2001:db8::1]:1"])
def test_behind_a_proxy_its_names_are_answered_with_any_port(host, behind_proxy):
    assert behind_proxy.answers_to(host)


@pytest.mark.parametrize(
    ("origin", "host", "secure"),
    [
        ("http://127.0.0.1:8090", "127.0.0.1:8090", False),
        ("https://127.0.0.1:8090", "127.0.0.1:8090", True),
        ("https://[::1]:8090", "[::1]:8090", True),
        ("https://localhost", "localhost", True),
        ("https://localhost", "localhost:443", True),
        ("http://localhost:80", "localhost", False),
        ("https://localhost", "localhost", False),
    ],
)
def test_the_page_itself_is_its_own(origin, host, secure, on_loopback):
    assert on_loopback.is_own_page(origin, host, secure)


@pytest.mark.parametrize(
    ("origin", "host", "secure"),
    [
        ("https://evil.example", "127.0.0.1:8090", True),
        ("null", "127.0.0.1:8090", True),
        ("", "127.0.0.1:8090", True),
        ("https://localhost:8090", "127.0.0.1:8090", True),
        ("https://127.0.0.1:8091", "127.0.0.1:8090", True),
        ("https://127.0.0.1", "127.0.0.1:8090", True),
        ("http://127.0.0.1:8090", "127.0.0.1:8090", True),
        ("file://", "127.0.0.1:8090", True),
        ("chrome-extension://abc", "127.0.0.1:8090", True),
        ("https://127.0.0.1:8090@evil.example", "127.0.0.1:8090", True),
        ("https://127.0.0.1:8090/evil.example", "127.0.0.1:8090", True),
        ("https://127.0.0.1:8090.evil.example", "127.0.0.1:8090", True),
        ("https://127.0.0.1:8090 ", "127.0.0.1:8090", True),
        ("https://cam.example", "127.0.0.1:8090", True),
    ],
)
def test_every_other_page_is_not(origin, host, secure, on_loopback):
    assert not on_loopback.is_own_page(origin, host, secure)


@pytest.mark.parametrize("origin", ["https://cam.example", "https://cam.example:443", "https://cam.example:8443"])
@pytest.mark.parametrize("host", ["cam.example", "127.0.0.1:8090"])
def test_behind_a_proxy_the_page_is_its_own_whichever_host_the_proxy_sends(origin, host, behind_proxy):
    assert behind_proxy.is_own_page(origin, host, secure=False)


@pytest.mark.parametrize("origin", ["https://cam.example:9999", "https://other.example", "https://sub.cam.example"])
def test_behind_a_proxy_other_ports_and_names_are_not(origin, behind_proxy):
    assert not behind_proxy.is_own_page(origin, "127.0.0.1:8090", secure=False)
