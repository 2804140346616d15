"""The addresses under which browsers reach this server."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address

from live_vlm_webui.config.settings import Settings, is_loopback
from live_vlm_webui.network.hosts import is_address, read_authority
from live_vlm_webui.network.local_names import own_addresses, own_names

MOST_URLS = 8
PROBES = {4: (socket.AF_INET, "192.0.2.1"), 6: (socket.AF_INET6, "2001:db8::1")}
"""Addresses for documentation (RFC 5737, RFC 3849); nothing is sent to them."""
DISCARD_PORT = 9


def url_of(settings: Settings, port: int, name: str) -> str:
    """Return the page's URL for a name or address of this machine."""
    scheme = "https" if settings.ssl else "http"
    host = f"[{name}]" if ":" in name else name
    return f"{scheme}://{host}:{port}/"


def reachable_urls(settings: Settings, port: int) -> tuple[str, ...]:
    """Return the page's URLs for browsers on other machines, the likeliest first."""
    urls = [f"{_proxy_url(host)}{settings.root_path}/" for host in settings.allow_hosts]
    if not settings.on_loopback:
        address = settings.address
        addresses = _addresses(address) if address.is_unspecified else (address,)
        urls += [url_of(settings, port, str(one)) for one in addresses]
        names = (name for name in own_names() if name.endswith(".local") and name != "localhost.local")
        urls += [url_of(settings, port, name) for name in names]
    return tuple(dict.fromkeys(urls))[:MOST_URLS]


def _proxy_url(host: str) -> str:
    name, port = read_authority(host) or (host, None)
    shown = f"[{name}]" if is_address(name) and ":" in name else name
    return f"https://{shown}:{port}" if port else f"https://{shown}"


def _addresses(unspecified: IPv4Address | IPv6Address) -> tuple[IPv4Address | IPv6Address, ...]:
    """Return this machine's addresses that others can reach; first those of its default routes."""
    versions = (4,) if unspecified.version == 4 else (4, 6)
    outward = [_outward(version) for version in versions]
    found = [one for one in own_addresses() if one.version in versions and not is_loopback(one)]
    return tuple(sorted(found, key=lambda one: str(one) not in outward))


def _outward(version: int) -> str:
    """Return the source address for connections to other networks; empty if there is no route."""
    family, probe = PROBES[version]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as unsent:
            unsent.connect((probe, DISCARD_PORT))
            return str(unsent.getsockname()[0])
    except OSError:
        return ""
