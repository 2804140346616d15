"""Check the ``Host`` and ``Origin`` headers: which names this server answers to, and which pages are its own."""

from __future__ import annotations

import re
from ipaddress import ip_address

from live_vlm_webui.config.settings import HOST_PATTERN, LAST_PORT, Settings, loopback_address
from live_vlm_webui.network.local_names import own_names

DEFAULT_PORTS = {"http": 80, "https": 443}
ORIGIN_PATTERN = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#@\\\s]+)", re.ASCII)


class Hosts:
    """The names of one server.

    Args:
        settings: The server's settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._on_loopback = settings.on_loopback
        self._own = frozenset() if settings.on_loopback else frozenset(own_names())
        self._allowed = tuple(read for name in settings.allow_hosts if (read := read_authority(name)))

    def answers_to(self, host: str) -> bool:
        """Return whether a ``Host`` header, ``name[:port]``, names this server. Any port is accepted.

        Unless the server is on loopback, any IP address is accepted: a container does not know the machine's address,
        and DNS rebinding needs a name.
        """
        authority = read_authority(host)
        if authority is None:
            return False
        name, _ = authority
        if is_loopback_name(name) or name in self._own or any(name == allowed for allowed, _ in self._allowed):
            return True
        return not self._on_loopback and is_address(name)

    def is_own_page(self, origin: str, host: str, secure: bool) -> bool:
        """Return whether an ``Origin`` header belongs to this server's page.

        Args:
            origin: The header.
            host: The request's ``Host`` header, already checked.
            secure: Whether the request came by HTTPS; if not, a proxy may have terminated TLS.
        """
        match = ORIGIN_PATTERN.fullmatch(origin)
        asked = read_authority(match["authority"]) if match else None
        if match is None or asked is None or (secure and match["scheme"] != "https"):
            return False
        default = DEFAULT_PORTS[match["scheme"]]
        own = read_authority(host)
        return any(
            name == asked[0] and (port or default) == (asked[1] or default)
            for name, port in (*((own,) if own else ()), *self._allowed)
        )


def read_authority(text: str) -> tuple[str, int | None] | None:
    """Parse ``name[:port]`` into the lower-case name, without brackets, and the port; return None if invalid."""
    match = HOST_PATTERN.fullmatch(text)
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port <= LAST_PORT:
        return None
    name = match["name"].lower()
    if name.startswith("["):
        if not is_address(name[1:-1]) or ":" not in name:
            return None
        name = name[1:-1]
    return name, port


def is_loopback_name(name: str) -> bool:
    """Return whether ``name``, without brackets, is ``localhost`` or a loopback address."""
    try:
        loopback_address(name)
    except ValueError:
        return False
    return True


def is_address(name: str) -> bool:
    """Return whether ``name``, without brackets, is an IP address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return "%" not in name
