"""Open the port before anything slow is imported, so that a port in use is reported at once."""

from __future__ import annotations

import errno
import os
import socket
from ipaddress import IPv4Address, IPv6Address

from live_vlm_webui.config.settings import LAST_PORT, Settings
from live_vlm_webui.errors import ListenError, PortTakenError

AUTO_PORT_TRIES = 100


def open_listener(settings: Settings) -> socket.socket:
    """Open the listening socket for ``settings``.

    With ``auto_port``, try ``AUTO_PORT_TRIES`` ports from ``settings.port`` upwards.

    Raises:
        PortTakenError: The port, or every port tried, is in use.
        ListenError: The operating system refuses the address or port.
    """
    tries = AUTO_PORT_TRIES if settings.auto_port else 1
    last = min(settings.port + tries - 1, LAST_PORT)
    for port in range(settings.port, last + 1):
        listener = _listen(settings.address, port)
        if listener is not None:
            return listener
    raise _taken(settings, last)


def _listen(address: IPv4Address | IPv6Address, port: int) -> socket.socket | None:
    """Listen on one port; return None if it is in use."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    both = address == IPv6Address("::") and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((str(address), port), family=family, dualstack_ipv6=both)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return None
        raise _refusal(address, port, error) from error


def _taken(settings: Settings, last: int) -> PortTakenError:
    if settings.auto_port:
        return PortTakenError(
            f"Ports {settings.port} to {last} on {settings.host} are all in use",
            "Search from another port with --port, or use --port 0 for any free port.",
        )
    return PortTakenError(
        f"Port {settings.port} on {settings.host} is in use by another program, perhaps another live-vlm-webui",
        "Stop that program, choose another port with --port, or add --auto-port to use the next free port.",
    )


def _refusal(address: IPv4Address | IPv6Address, port: int, error: OSError) -> ListenError:
    message = f"Cannot listen on port {port} of {address}: {os.strerror(error.errno) if error.errno else error}"
    if error.errno == errno.EACCES:
        return ListenError(message, "Choose a port above 1023 with --port; lower ones may need privileges.")
    return ListenError(message, "Choose another address with --host; 127.0.0.1 works on nearly every machine.")
