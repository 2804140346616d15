from __future__ import annotations

import pytest

from releaser.adapters.connections import is_loopback
from releaser.adapters.registry.http import RegistryHttp


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1", "127.1.2.3:5000", "[::1]:5000"])
def test_this_machine_is_spoken_to_without_encryption(host: str) -> None:
    assert is_loopback(host)
    assert RegistryHttp(host, "owner/name").url == f"http://{host}/v2/owner/name/"


@pytest.mark.parametrize(
    "host",
    ["registry.example", "127.evil.example", "127.0.0.1.evil.example:5000", "localhost.evil.example", "10.0.0.1", ""],
)
def test_every_other_machine_is_spoken_to_over_encryption_alone_whatever_its_name_begins_with(host: str) -> None:
    assert not is_loopback(host)
    assert RegistryHttp(host, "owner/name").url == f"https://{host}/v2/owner/name/"
