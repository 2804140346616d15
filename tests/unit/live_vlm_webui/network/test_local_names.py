from __future__ import annotations

import socket
from collections import namedtuple
from ipaddress import ip_address

import psutil
import pytest

from live_vlm_webui.network.local_names import own_addresses, own_names

Address = namedtuple("Address", "family address")


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("Workshop", ("localhost", "workshop", "workshop.local")),
        ("workshop.lan", ("localhost", "workshop.lan", "workshop", "workshop.local")),
        ("workshop.local", ("localhost", "workshop.local", "workshop")),
        ("localhost", ("localhost", "localhost.local")),
        ("", ("localhost",)),
        ("Bob's laptop", ("localhost",)),
        ("x" * 300, ("localhost",)),
    ],
)
def test_names_come_from_the_machine_and_only_those_that_can_be_in_a_url(monkeypatch, name, names):
    monkeypatch.setattr(socket, "gethostname", lambda: name)
    assert own_names() == names


def test_addresses_are_those_of_all_interfaces_that_a_browser_can_open(monkeypatch):
    interfaces = {
        "eth0": [
            Address(socket.AF_INET, "192.168.1.20"),
            Address(socket.AF_INET6, "2001:db8::7"),
            Address(socket.AF_INET6, "fe80::1%eth0"),
            Address(psutil.AF_LINK, "00:11:22:33:44:55"),
        ],
        "lo": [Address(socket.AF_INET, "127.0.0.1"), Address(socket.AF_INET6, "::1")],
        "docker0": [Address(socket.AF_INET, "172.17.0.1"), Address(socket.AF_INET, "192.168.1.20")],
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: interfaces)
    expected = ("127.0.0.1", "::1", "172.17.0.1", "192.168.1.20", "2001:db8::7")
    assert own_addresses() == tuple(map(ip_address, expected))
