"""What the server is told at its start: read once, checked once, then frozen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from urllib.parse import urlsplit

from live_vlm_webui.config.data_dir import default_data_dir
from live_vlm_webui.config.defaults import (
    DEFAULT_HOST,
    DEFAULT_LOG_LEVEL,
    DEFAULT_MONITOR_INTERVAL,
    DEFAULT_PORT,
    LOG_LEVELS,
)
from live_vlm_webui.errors import WrongValueError
from live_vlm_webui.secret import Secret, can_be_sent

LAST_PORT = 65535
LOOPBACK_NETWORKS = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
MONITOR_INTERVALS = (0.25, 60.0)
"""Shortest and longest, in seconds."""
LONGEST_PROMPT = 16 * 1024
LONGEST_NAME = 256
MOST_SKIPPED = 100_000
SHORTEST_TOKEN = 8
HOST_PATTERN = re.compile(r"(?P<name>\[[^\[\]]+\]|[^\[\]:]+)(:(?P<port>[0-9]{1,5}))?", re.ASCII)
"""``NAME[:PORT]``, as in a ``Host`` header; an IPv6 address in brackets."""
NAME_PATTERN = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """The settings of one server.

    Attributes:
        host: An address of this machine, or ``localhost``, which stands for 127.0.0.1; ``0.0.0.0`` and ``::`` for all.
        port: TCP port, 1 to 65535; 0 takes any free one.
        auto_port: Whether to take the next free port if ``port`` is taken.
        log_level: One of ``LOG_LEVELS``.
        api_base: Of the server of models to use, such as ``http://127.0.0.1:11434/v1``; None looks for one.
        known_servers_only: Whether sessions may ask no other servers than ``api_base`` and those on this machine.
        model: What to ask, as its server calls it; None chooses.
        api_key: Belongs to ``api_base``, and to no other server; there is none without that.
        prompt: That new sessions start with; None takes the first preset.
        process_every: New sessions ask about every this manieth frame; None asks as soon as the model is free.
        monitor_interval: Between two samples of the machine's figures, in seconds.
        ssl_cert: A certificate chain of the user's own, PEM; None has one made.
        ssl_key: Its key, PEM; None if ``ssl_cert`` holds that too.
        ssl: Whether to serve HTTPS; if not, HTTP.
        token: What programs and browsers must show; None needs none on loopback, and has one made elsewhere.
        data_dir: Where certificate, token and process files lie.
        media_dirs: Only video files in these directories may be opened.
        allow_hosts: ``NAME[:PORT]`` under which a reverse proxy is reached, in lower case.

    Raises:
        WrongValueError: A value is out of its range.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    auto_port: bool = False
    log_level: str = DEFAULT_LOG_LEVEL
    api_base: str | None = None
    known_servers_only: bool = False
    model: str | None = None
    api_key: Secret | None = None
    prompt: str | None = None
    process_every: int | None = None
    monitor_interval: float = DEFAULT_MONITOR_INTERVAL
    ssl_cert: Path | None = None
    ssl_key: Path | None = None
    ssl: bool = True
    token: Secret | None = None
    data_dir: Path = field(default_factory=default_data_dir)
    media_dirs: tuple[Path, ...] = ()
    allow_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_address(self.host)
        _check_numbers(self)
        _check_words(self)
        _check_secrets(self)
        _check_files(self)
        for name in self.allow_hosts:
            _check_name(name)

    @property
    def address(self) -> IPv4Address | IPv6Address:
        """The address that ``host`` stands for."""
        return read_address(self.host)

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.address)

    @property
    def login_required(self) -> bool:
        """Whether everybody must sign in: others can reach it, directly or by a proxy, or a token was given."""
        return self.token is not None or bool(self.allow_hosts) or not self.on_loopback


def read_address(host: str) -> IPv4Address | IPv6Address:
    """Read ``host``: ``localhost``, or an address with or without brackets.

    Other names are not looked up: what a name stands for may change while the server runs.

    Raises:
        ValueError: It is something else.
    """
    if host.lower() == "localhost":
        return IPv4Address("127.0.0.1")
    if "%" in host:
        raise ValueError(f"{host!r} has a scope")
    return ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)


def is_loopback(address: IPv4Address | IPv6Address) -> bool:
    """Whether ``address`` is one of this machine's loopback interface."""
    return any(address in network for network in LOOPBACK_NETWORKS)


def loopback_address(host: str) -> IPv4Address | IPv6Address:
    """Read ``host`` as ``read_address`` does.

    Raises:
        ValueError: It is no address of the loopback interface.
    """
    address = read_address(host)
    if not is_loopback(address):
        raise ValueError(f"{host!r} is not a loopback address")
    return address


def _check_address(host: str) -> None:
    try:
        read_address(host)
    except ValueError:
        raise WrongValueError(
            "host",
            f"{host!r} is not an address to listen on.",
            "Give 127.0.0.1 for this machine alone, 0.0.0.0 or :: for all of its addresses, or one of them in digits.",
        ) from None


def _check_numbers(settings: Settings) -> None:
    if not 0 <= settings.port <= LAST_PORT:
        raise WrongValueError(
            "port", f"{settings.port} is not a port.", f"Give 1 to {LAST_PORT}, or 0 for any free port."
        )
    if settings.process_every is not None and not 1 <= settings.process_every <= MOST_SKIPPED:
        raise WrongValueError(
            "process_every", f"{settings.process_every} is no number of frames.", f"Give 1 to {MOST_SKIPPED}."
        )
    shortest, longest = MONITOR_INTERVALS
    if not shortest <= settings.monitor_interval <= longest:  # false for nan, too
        raise WrongValueError(
            "monitor_interval",
            f"{settings.monitor_interval:g} seconds cannot be the interval of the system monitor.",
            f"Give {shortest:g} to {longest:g} seconds.",
        )


def _check_words(settings: Settings) -> None:
    if settings.log_level not in LOG_LEVELS:
        raise WrongValueError(
            "log_level", f"{settings.log_level!r} is not a log level.", f"Give one of {', '.join(LOG_LEVELS)}."
        )
    if settings.api_base is not None:
        _check_api_base(settings.api_base)
    if settings.model is not None and not (settings.model.isprintable() and 0 < len(settings.model) <= LONGEST_NAME):
        raise WrongValueError(
            "model",
            "The name of the model is empty, too long, or holds control characters.",
            "Give it as its server lists it, such as qwen2.5vl:7b.",
        )
    if settings.prompt is not None and not 0 < len(settings.prompt.strip()) <= LONGEST_PROMPT:
        raise WrongValueError(
            "prompt", f"A prompt of {len(settings.prompt)} characters cannot be used.", f"Give 1 to {LONGEST_PROMPT}."
        )
    if settings.prompt is not None and any("\ud800" <= character <= "\udfff" for character in settings.prompt):
        raise WrongValueError(
            "prompt",
            "The prompt holds bytes that are not text in UTF-8.",
            "Set the terminal to UTF-8 and type it again.",
        )


def _check_api_base(api_base: str) -> None:
    """Nothing of a wrong one is repeated: it may hold a key."""
    remedy = "Give the address that the server of models documents, such as http://127.0.0.1:11434/v1."
    try:
        parts = urlsplit(api_base)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not api_base.isprintable() or " " in api_base:
        raise WrongValueError("api_base", "The API's address is not an http:// or https:// URL.", remedy)
    if "@" in parts.netloc:
        raise WrongValueError(
            "api_base",
            "The API's address holds a user name or a password, which would be shown and logged with it.",
            "Leave it out of the address, and give the key with --api-key @FILE or LIVE_VLM_API_KEY.",
        )
    if parts.query or parts.fragment:
        raise WrongValueError("api_base", "The API's address has a query or a fragment.", remedy)


def _check_secrets(settings: Settings) -> None:
    for name, secret in (("api_key", settings.api_key), ("token", settings.token)):
        if secret is None:
            continue
        if not can_be_sent(secret.reveal()):
            raise WrongValueError(
                name,
                "It is empty, too long, or holds characters that cannot be sent in a header.",
                "Give letters, digits and signs of ASCII, without spaces, on one line.",
            )
    if settings.api_key is not None and settings.api_base is None:
        raise WrongValueError(
            "api_key",
            "The key belongs to the address of an API, and none is given.",
            "Give the address with --api-base or LIVE_VLM_API_BASE, or leave out the key.",
        )
    if settings.token is not None and len(settings.token.reveal()) < SHORTEST_TOKEN:
        raise WrongValueError(
            "token",
            f"The token is shorter than {SHORTEST_TOKEN} characters: it could be guessed.",
            "Give a longer one, or none: then one is made and kept.",
        )


def _check_files(settings: Settings) -> None:
    if settings.ssl_key is not None and settings.ssl_cert is None:
        raise WrongValueError("ssl_key", "It is a key without a certificate.", "Give its certificate with --ssl-cert.")
    if settings.ssl_cert is not None and not settings.ssl:
        raise WrongValueError(
            "ssl_cert",
            "It is a certificate for HTTPS, which --no-ssl turns off.",
            "Leave out --no-ssl, or the certificate and its key.",
        )


def _check_name(name: str) -> None:
    match = HOST_PATTERN.fullmatch(name)
    bare = match["name"] if match else ""
    try:
        address = bool(bare) and read_address(bare) is not None
    except ValueError:
        address = False
    if match is None or not (address or NAME_PATTERN.fullmatch(bare)) or int(match["port"] or 1) > LAST_PORT:
        raise WrongValueError(
            "allow_hosts",
            f"{name!r} is not a host's name.",
            "Give it as browsers see it, in lower case: camera.example, or camera.example:8443.",
        )
