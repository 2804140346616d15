"""What every HTTP client of ours shares."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests


def is_loopback(host: str) -> bool:
    """Whether a registry's host, with or without a port, is this machine: only then is plain HTTP spoken."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False  # a name, which may begin with 127 as well as any other


class _Authorization:
    """Sets one header, and keeps requests from looking into ~/.netrc for another."""

    def __init__(self, header: str | None) -> None:
        self.header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.header:
            request.headers["Authorization"] = self.header
        return request
