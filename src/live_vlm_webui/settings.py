"""What the server is told at its start: read once, checked once, then frozen."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from live_vlm_webui.defaults import DEFAULT_HOST, DEFAULT_LOG_LEVEL, DEFAULT_PORT, LOG_LEVELS
from live_vlm_webui.errors import HostRefusedError, SettingsError

LAST_PORT = 65535
LOOPBACK_NETWORKS = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


@dataclass(frozen=True)
class Settings:
    """The settings of one server.

    Attributes:
        host: An address of this machine's loopback interface, or ``localhost``, which stands for 127.0.0.1.
        port: TCP port, 1 to 65535; 0 takes any free one.
        auto_port: Whether to take the next free port if ``port`` is taken.
        log_level: One of ``LOG_LEVELS``.

    Raises:
        HostRefusedError: Other machines could reach ``host``.
        SettingsError: A value is out of its range.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    auto_port: bool = False
    log_level: str = DEFAULT_LOG_LEVEL

    def __post_init__(self) -> None:
        if not 0 <= self.port <= LAST_PORT:
            raise SettingsError(f"{self.port} is not a port.", f"Give 1 to {LAST_PORT}, or 0 for any free port.")
        if self.log_level not in LOG_LEVELS:
            raise SettingsError(f"{self.log_level!r} is not a log level.", f"Give one of {', '.join(LOG_LEVELS)}.")
        try:
            loopback_address(self.host)
        except ValueError:
            raise _refusal(self.host, self.port or DEFAULT_PORT) from None

    @property
    def address(self) -> IPv4Address | IPv6Address:
        """The address that ``host`` stands for."""
        return loopback_address(self.host)


def loopback_address(host: str) -> IPv4Address | IPv6Address:
    """Read ``host``: ``localhost``, or a loopback address with or without brackets.

    Other names are not looked up: what a name stands for may change while the server runs.

    Raises:
        ValueError: It is something else.
    """
    if host.lower() == "localhost":
        return IPv4Address("127.0.0.1")
    address = ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    if "%" in host or not any(address in network for network in LOOPBACK_NETWORKS):
        raise ValueError(f"{host!r} is not a loopback address")
    return address


def _refusal(host: str, port: int) -> HostRefusedError:
    return HostRefusedError(
        f"Refusing to listen on {host!r}: this version has no login, so whoever reaches that address could use the"
        " server. It listens on this machine's loopback addresses only: 127.0.0.1, ::1 or localhost.",
        f"To open the page from another machine, run there `ssh -L {port}:127.0.0.1:{port} USER@THIS_MACHINE` and open"
        f" http://127.0.0.1:{port}/ in its browser; or put a reverse proxy with HTTPS and its own login in front, on"
        " this machine.",
    )
