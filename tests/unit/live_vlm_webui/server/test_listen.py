from __future__ import annotations

import errno
import socket

import pytest

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.errors import ListenError, PortTakenError
from live_vlm_webui.server.listen import open_listener


@pytest.fixture
def operating_system_says(monkeypatch):
    """Make every attempt to listen fail with one errno; returns the list of ports that were tried."""

    def says(number: int) -> list[int]:
        tried: list[int] = []

        def create_server(address, **_):
            tried.append(address[1])
            raise OSError(number, "whatever the operating system says")

        monkeypatch.setattr(socket, "create_server", create_server)
        return tried

    return says


def test_a_taken_port_is_tried_once_and_told_with_both_ways_out(operating_system_says):
    tried = operating_system_says(errno.EADDRINUSE)
    with pytest.raises(PortTakenError, match=r"Port 8090 on 127\.0\.0\.1 is in use") as taken:
        open_listener(Settings())
    assert tried == [8090]
    assert "--port" in taken.value.remedy
    assert "--auto-port" in taken.value.remedy


def test_auto_port_gives_up_after_a_hundred_ports(operating_system_says):
    tried = operating_system_says(errno.EADDRINUSE)
    with pytest.raises(PortTakenError, match=r"Ports 8090 to 8189 on 127\.0\.0\.1 are all in use"):
        open_listener(Settings(auto_port=True))
    assert tried == list(range(8090, 8190))


def test_auto_port_ends_at_the_last_port_there_is(operating_system_says):
    tried = operating_system_says(errno.EADDRINUSE)
    with pytest.raises(PortTakenError, match="Ports 65534 to 65535"):
        open_listener(Settings(port=65534, auto_port=True))
    assert tried == [65534, 65535]


def test_a_privileged_port_is_explained_and_not_skipped(operating_system_says):
    tried = operating_system_says(errno.EACCES)
    with pytest.raises(ListenError, match=r"Cannot listen on port 80 of 127\.0\.0\.1: Permission denied") as refused:
        open_listener(Settings(port=80, auto_port=True))
    assert tried == [80]
    assert "above 1023" in refused.value.remedy


def test_an_address_that_the_machine_lacks_points_at_host(operating_system_says):
    operating_system_says(errno.EADDRNOTAVAIL)
    with pytest.raises(ListenError, match="Cannot listen on port 8090 of ::1") as refused:
        open_listener(Settings(host="::1"))
    assert "--host" in refused.value.remedy


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_address_of_all_addresses_takes_connections_of_both_families(address):
    with open_listener(Settings(host="::", port=0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection((address, port), timeout=60) as client:
            taken, _ = listener.accept()
            taken.close()
            assert client.getpeername()[1] == port
