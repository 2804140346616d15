"""Who asks: the address that limits are kept for, and whether a proxy passed the request on."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address

from aiohttp import web

from live_vlm_webui.config.settings import Settings, is_loopback

FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")
"""What proxies add to the requests that they pass on."""
SUBSCRIBER_BITS = 64
"""Of an IPv6 address; the rest is each subscriber's own to choose."""


def is_forwarded(request: web.Request) -> bool:
    """Whether a proxy says that it passed ``request`` on."""
    return any(name in request.headers for name in FORWARDED)


def client_of(request: web.Request, settings: Settings) -> str:
    """The address of whoever sent ``request``; of IPv6 the network that a subscriber has.

    What the proxy on this machine says is believed only if ``--allow-host`` says that there is one, and of that only
    the last entry, which is the proxy's own.
    """
    address = request.remote or ""
    if settings.allow_hosts and is_on_loopback(address):
        told = request.headers.getall("X-Forwarded-For", [])
        return (network_of(_without_port(told[-1].rpartition(",")[2])) if told else "") or network_of(address)
    return network_of(address)


def _without_port(entry: str) -> str:
    """The address in an entry of X-Forwarded-For, to which some proxies add the port."""
    entry = entry.strip().strip('"')
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


def is_on_loopback(address: str) -> bool:
    """Whether ``address``, as a socket tells it, is this machine's."""
    try:
        read = ip_address(address)
    except ValueError:
        return False
    mapped = read.ipv4_mapped if isinstance(read, IPv6Address) else None  # what a socket for both kinds tells
    return is_loopback(mapped or read)


def network_of(address: str) -> str:
    """What belongs to one subscriber: the address, of IPv6 the network; empty if it is none."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(read, IPv6Address):
        if read.ipv4_mapped:
            return str(read.ipv4_mapped)
        return str(IPv6Network((read, SUBSCRIBER_BITS), strict=False))
    return str(read)
