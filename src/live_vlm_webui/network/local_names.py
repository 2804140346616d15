"""This machine's names and addresses. None is resolved, since that may take seconds."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import psutil

from live_vlm_webui.config.settings import NAME_PATTERN, is_loopback

MDNS = ".local"
LONGEST = 253


def own_names() -> tuple[str, ...]:
    """Return ``localhost``, the host name, its first label, and that with ``.local``; in lower case."""
    full = socket.gethostname().lower().rstrip(".")
    short = full.partition(".")[0]
    names = dict.fromkeys(("localhost", full, short, f"{short}{MDNS}"))
    return tuple(name for name in names if NAME_PATTERN.fullmatch(name) and name != MDNS and len(name) <= LONGEST)


def own_addresses() -> tuple[IPv4Address | IPv6Address, ...]:
    """Return the addresses of all interfaces, loopback first, without link-local IPv6 addresses."""
    found = []
    for interface in psutil.net_if_addrs().values():
        for address in interface:
            if address.family in {socket.AF_INET, socket.AF_INET6}:
                read = ip_address(address.address.partition("%")[0])
                if read.version == 4 or not read.is_link_local:
                    found.append(read)
    return tuple(dict.fromkeys(sorted(found, key=lambda one: (not is_loopback(one), one.version, int(one)))))
