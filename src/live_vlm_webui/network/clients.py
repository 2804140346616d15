"""The client of a request: the address for rate limits, and whether a proxy forwarded the request."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

from aiohttp import web

from live_vlm_webui.config.settings import Settings, is_loopback

FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")
"""Headers that proxies add to forwarded requests."""
SUBSCRIBER_BITS = 64
"""The prefix of an IPv6 address that identifies a subscriber, who chooses the rest."""


def is_forwarded(request: web.Request) -> bool:
    """Return whether a proxy marked ``request`` as forwarded."""
    return any(name in request.headers for name in FORWARDED)


def client_of(request: web.Request, settings: Settings) -> str:
    """Return the address of the client of ``request``; for IPv6 the subscriber's network.

    ``X-Forwarded-For`` is used only from a proxy on this machine and only with ``--allow-host``; of its entries only
    the last one, which the proxy added itself.
    """
    address = request.remote or ""
    if settings.allow_hosts and is_on_loopback(address):
        told = request.headers.getall("X-Forwarded-For", [])
        return (network_of(_without_port(told[-1].rpartition(",")[2])) if told else "") or network_of(address)
    return network_of(address)


def _without_port(entry: str) -> str:
    """Return the address in an entry of ``X-Forwarded-For``, to which some proxies add the port."""
    entry = entry.strip().strip('"')
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


def is_on_loopback(address: str) -> bool:
    """Return whether ``address``, as reported by a socket, is a loopback address."""
    try:
        read = ip_address(address)
    except ValueError:
        return False
    mapped = read.ipv4_mapped if isinstance(read, IPv6Address) else None  # reported by dual-stack sockets
    return is_loopback(mapped or read)


def network_of(address: str) -> str:
    """Return the address or, for IPv6, the subscriber's network; empty if ``address`` is not an IP address."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(read, IPv6Address):
        if read.ipv4_mapped:
            return str(read.ipv4_mapped)
        return str(IPv6Network((read, SUBSCRIBER_BITS), strict=False))
    return str(read)
