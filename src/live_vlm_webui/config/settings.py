"""The settings of a server: read and checked once at start, then immutable."""

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
"""The shortest and longest, in seconds."""
TEMPERATURES = (0.0, 2.0)
"""Of OpenAI's API; a server with fewer says so."""
LONGEST_PROMPT = 16 * 1024
LONGEST_NAME = 256
MOST_SKIPPED = 100_000
SHORTEST_TOKEN = 8
HOST_PATTERN = re.compile(r"(?P<name>\[[^\[\]]+\]|[^\[\]:]+)(:(?P<port>[0-9]{1,5}))?", re.ASCII)
"""``NAME[:PORT]``, as in a ``Host`` header; an IPv6 address in brackets."""
ROOT_PATH_PATTERN = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", re.ASCII)
NAME_PATTERN = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """The settings of one server.

    Attributes:
        host: An address of this machine, or ``localhost`` for 127.0.0.1; ``0.0.0.0`` and ``::`` mean all addresses.
        port: TCP port, 1 to 65535; 0 for any free port.
        auto_port: Whether to use the next free port if ``port`` is in use.
        log_level: One of ``LOG_LEVELS``.
        api_base: The model server's API, such as ``http://127.0.0.1:11434/v1``; None searches for one.
        known_servers_only: Whether sessions may use only ``api_base`` and the servers on this machine.
        model: The model to ask, by the name that its server uses; None chooses one.
        api_key: The key of ``api_base``, which it requires; sent to no other server.
        prompt: The initial prompt of new sessions; None uses the first preset.
        system_prompt: What models are told before the prompt in new sessions; None tells them nothing.
        temperature: How much chance there is in the answers of new sessions; None leaves it to the server.
        process_every: New sessions ask about every Nth frame; None asks as soon as the model is free.
        monitor_interval: Seconds between two samples of the system monitor.
        ssl_cert: The user's certificate chain, PEM; None creates a self-signed one.
        ssl_key: Its private key, PEM; None if ``ssl_cert`` contains it.
        ssl: Whether to serve HTTPS instead of HTTP.
        token: What clients must present; with None, none is needed on loopback, and one is generated elsewhere.
        data_dir: The directory for certificate, token and PID files.
        media_dirs: Video files may be opened only in these directories.
        allow_hosts: ``NAME[:PORT]`` under which a reverse proxy is reached, in lower case.
        root_path: The path below which a reverse proxy serves the page, such as ``/vlm``; empty for the root.

    Raises:
        WrongValueError: A value is out of range.
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
    system_prompt: str | None = None
    temperature: float | None = None
    process_every: int | None = None
    monitor_interval: float = DEFAULT_MONITOR_INTERVAL
    ssl_cert: Path | None = None
    ssl_key: Path | None = None
    ssl: bool = True
    token: Secret | None = None
    data_dir: Path = field(default_factory=default_data_dir)
    media_dirs: tuple[Path, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    root_path: str = ""

    def __post_init__(self) -> None:
        _check_address(self.host)
        _check_numbers(self)
        _check_words(self)
        _check_secrets(self)
        _check_files(self)
        for name in self.allow_hosts:
            _check_name(name)
        _check_root_path(self.root_path)

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
        """Whether clients must sign in: the server is reachable from other machines or by a proxy, or has a token."""
        return self.token is not None or bool(self.allow_hosts) or not self.on_loopback


def read_address(host: str) -> IPv4Address | IPv6Address:
    """Parse ``host``: ``localhost``, or an address with or without brackets.

    Other names are not resolved: their address may change while the server runs.

    Raises:
        ValueError: It is neither.
    """
    if host.lower() == "localhost":
        return IPv4Address("127.0.0.1")
    if "%" in host:
        raise ValueError(f"{host!r} has a scope")
    return ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)


def is_loopback(address: IPv4Address | IPv6Address) -> bool:
    """Return whether ``address`` is a loopback address."""
    return any(address in network for network in LOOPBACK_NETWORKS)


def loopback_address(host: str) -> IPv4Address | IPv6Address:
    """Parse ``host`` like ``read_address``.

    Raises:
        ValueError: It is not a loopback address.
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
            f"{host!r} is not an IP address to listen on",
            "Use 127.0.0.1 for this machine only, 0.0.0.0 or :: for all addresses, or one IP address of this machine.",
        ) from None


def _check_numbers(settings: Settings) -> None:
    if not 0 <= settings.port <= LAST_PORT:
        raise WrongValueError(
            "port", f"{settings.port} is not a valid port", f"Use 1 to {LAST_PORT}, or 0 for any free port."
        )
    if settings.process_every is not None and not 1 <= settings.process_every <= MOST_SKIPPED:
        raise WrongValueError(
            "process_every", f"{settings.process_every} is not a valid number of frames", f"Use 1 to {MOST_SKIPPED}."
        )
    least, most = TEMPERATURES
    if settings.temperature is not None and not least <= settings.temperature <= most:
        raise WrongValueError(
            "temperature", f"A temperature of {settings.temperature:g} is out of range", f"Use {least:g} to {most:g}."
        )
    shortest, longest = MONITOR_INTERVALS
    if not shortest <= settings.monitor_interval <= longest:  # false for nan, too
        raise WrongValueError(
            "monitor_interval",
            f"A monitor interval of {settings.monitor_interval:g} seconds is out of range",
            f"Use {shortest:g} to {longest:g} seconds.",
        )


def _check_words(settings: Settings) -> None:
    if settings.log_level not in LOG_LEVELS:
        raise WrongValueError(
            "log_level", f"{settings.log_level!r} is not a log level", f"Use one of {', '.join(LOG_LEVELS)}."
        )
    if settings.api_base is not None:
        _check_api_base(settings.api_base)
    if settings.model is not None and not (settings.model.isprintable() and 0 < len(settings.model) <= LONGEST_NAME):
        raise WrongValueError(
            "model",
            "The model's name is empty, too long or contains control characters",
            "Use the name that the model server lists, such as qwen2.5vl:7b.",
        )
    for setting in ("prompt", "system_prompt"):
        text = getattr(settings, setting)
        if text is not None:
            _check_prompt(setting, text)


def _check_prompt(setting: str, text: str) -> None:
    name = f"The {setting.replace('_', ' ')}"
    if not 0 < len(text.strip()) <= LONGEST_PROMPT:
        raise WrongValueError(
            setting, f"{name} has {len(text)} characters", f"Use 1 to {LONGEST_PROMPT}, not only spaces."
        )
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise WrongValueError(
            setting, f"{name} is not valid UTF-8 text", "Set the terminal to UTF-8 and type the prompt again."
        )


def _check_api_base(api_base: str) -> None:
    """Check the API's address. Messages do not repeat it: it may contain a key."""
    remedy = "Use the address that the model server documents, such as http://127.0.0.1:11434/v1."
    try:
        parts = urlsplit(api_base)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not api_base.isprintable() or " " in api_base:
        raise WrongValueError("api_base", "The API address is not an http:// or https:// URL", remedy)
    if "@" in parts.netloc:
        raise WrongValueError(
            "api_base",
            "The API address contains a user name or password, which would be shown and logged",
            "Remove it from the address and set the key with --api-key @FILE or LIVE_VLM_API_KEY.",
        )
    if parts.query or parts.fragment:
        raise WrongValueError("api_base", "The API address has a query or a fragment", remedy)


def _check_secrets(settings: Settings) -> None:
    for name, secret in (("api_key", settings.api_key), ("token", settings.token)):
        if secret is None:
            continue
        if not can_be_sent(secret.reveal()):
            raise WrongValueError(
                name,
                "The secret is empty, too long or contains characters that cannot be sent in a header",
                "Use ASCII letters, digits and punctuation on one line, without spaces.",
            )
    if settings.api_key is not None and settings.api_base is None:
        raise WrongValueError(
            "api_key",
            "An API key needs an API address, and none is set",
            "Set the address with --api-base or LIVE_VLM_API_BASE, or remove the key.",
        )
    if settings.token is not None and len(settings.token.reveal()) < SHORTEST_TOKEN:
        raise WrongValueError(
            "token",
            f"The token is shorter than {SHORTEST_TOKEN} characters and could be guessed",
            "Use a longer one, or remove it to have one generated and kept.",
        )


def _check_files(settings: Settings) -> None:
    if settings.ssl_key is not None and settings.ssl_cert is None:
        raise WrongValueError("ssl_key", "The key has no certificate", "Add its certificate with --ssl-cert.")
    if settings.ssl_cert is not None and not settings.ssl:
        raise WrongValueError(
            "ssl_cert",
            "A certificate is set, but --no-ssl turns HTTPS off",
            "Remove --no-ssl, or the certificate and its key.",
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
            f"{name!r} is not a host name",
            "Use the name that browsers see, in lower case: camera.example or camera.example:8443.",
        )


def _check_root_path(path: str) -> None:
    if path and not ROOT_PATH_PATTERN.fullmatch(path):
        raise WrongValueError(
            "root_path",
            f"{path[:100]!r} is not a path",
            "Use the path that the browser shows, without the final slash: /vlm or /tools/vlm.",
        )
