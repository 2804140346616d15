from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.network.clients import client_of, is_forwarded

PROXY = Settings(allow_hosts=("cam.example",))


class FromTransport:
    """What aiohttp asks of a transport about its peer."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get_extra_info(self, name: str, default: object = None) -> object:
        return (self.address, 40000) if name == "peername" else default


def request(address: str, **headers: str):
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return make_mocked_request("GET", "/", headers=named, transport=FromTransport(address))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.168.1.20", "192.168.1.20"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.168.1.20", "192.168.1.20"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_a_client_is_an_address_or_of_ipv6_a_subscribers_network(address, client):
    assert client_of(request(address), Settings()) == client


def test_what_a_client_claims_of_itself_is_not_believed():
    claimed = request("192.168.1.20", X_Forwarded_For="203.0.113.9")
    assert client_of(claimed, Settings()) == "192.168.1.20"
    assert client_of(claimed, PROXY) == "192.168.1.20"
    assert client_of(request("127.0.0.1", X_Forwarded_For="203.0.113.9"), Settings()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("1.2.3.4,203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8:1:2::9]:4711", "2001:db8:1:2::/64"),
        ('"[2001:db8:1:2::9]"', "2001:db8:1:2::/64"),
    ],
)
def test_of_what_the_proxy_says_the_last_entry_counts(forwarded, client):
    assert client_of(request("127.0.0.1", X_Forwarded_For=forwarded), PROXY) == client
    assert client_of(request("::1", X_Forwarded_For=forwarded), PROXY) == client
    assert client_of(request("::ffff:127.0.0.1", X_Forwarded_For=forwarded), PROXY) == client


@pytest.mark.parametrize("forwarded", ["", "nonsense", "unknown:1", "[", "1.2.3.4,"])
def test_where_the_proxy_says_no_address_it_is_the_client_itself(forwarded):
    assert client_of(request("127.0.0.1", X_Forwarded_For=forwarded), PROXY) == "127.0.0.1"


def test_without_the_header_the_proxy_itself_is_the_client():
    assert client_of(request("127.0.0.1"), PROXY) == "127.0.0.1"


@pytest.mark.parametrize("header", ["Forwarded", "Via", "X_Forwarded_For", "X_Real_IP", "x_forwarded_proto"])
def test_a_proxy_is_known_by_what_it_adds(header):
    assert is_forwarded(request("127.0.0.1", **{header: ""}))
    assert not is_forwarded(request("127.0.0.1", Origin="x"))
