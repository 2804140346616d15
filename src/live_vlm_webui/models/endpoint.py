"""Addresses of model APIs, and the keys that belong to them.

A key is sent to the ``api_base`` it was given for, and nowhere else: an ``Endpoint`` is an address with its own key,
and a ``Keyring`` is the only thing that puts the two together. A session that moves to another address takes no key
along.

**What the server can be made to fetch.** Whoever may use the page may name an ``api_base``, and the server then sends
requests there from its own place in the network. What bounds that: http and https alone; no credentials, query or
fragment in the address; a fixed path under it; redirects are not followed; answers are limited in size and time, and of
what is no answer of such an API only its error message is repeated, shortened; the addresses at which clouds hand out
credentials are refused (here as literals, in ``connections`` after the name was looked up). Who shares a server with
others in a network that holds more than model servers starts it with ``--known-servers-only``: then only the address
from the command line and this machine's usual ports are asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from yarl import URL

from live_vlm_webui.errors import ForbiddenError, InputError
from live_vlm_webui.logs import hide
from live_vlm_webui.secret import Secret, can_be_sent

LONGEST_API_BASE = 2048
MOST_KEYS = 32
LAST_PORT = 65535
METADATA_ADDRESSES = frozenset(
    {"169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23", "100.100.100.200"}
)
"""Where clouds tell their machines their credentials, to whoever asks from inside."""
EMBEDDING = (IPv6Network("::ffff:0:0/96"), IPv6Network("::/96"), IPv6Network("64:ff9b::/96"))
"""Whose last 32 bits are an IPv4 address: mapped, compatible, and what a NAT64 translates (RFC 4291, RFC 6052)."""
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})
VERSION_SEGMENT = re.compile(r"v[0-9]+[a-z0-9]*", re.ASCII)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
"""As the last part of a host it makes the whole an IPv4 address. Source: WHATWG URL, "ends in a number checker"."""
PASTED_TAILS = ("/chat/completions", "/completions", "/models")
REMEDY = "Give the address that the server of models documents, such as http://127.0.0.1:11434/v1."


@dataclass(frozen=True)
class Endpoint:
    """Where a model API is, and its key.

    Attributes:
        api_base: As ``normalise`` returns it.
        key: Sent with every request to this address; None if it needs none.

    Raises:
        InputError: The address or the key cannot be used.
        ForbiddenError: The address is one that hands out a cloud's credentials.
    """

    api_base: str
    key: Secret | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_base", normalise(self.api_base))
        if self.key is not None:
            check_key(self.key)

    def url(self, path: str) -> URL:
        """The address of a route of the API, such as ``/chat/completions``."""
        return URL(self.api_base + path, encoded=True)

    def native_url(self, path: str) -> URL:
        """The address of a route beside the API, such as Ollama's ``/api/show``."""
        return URL(self.api_base.removesuffix("/v1") + path, encoded=True)

    @property
    def host(self) -> str:
        """In lower case; an IPv6 address without brackets."""
        return URL(self.api_base, encoded=True).raw_host or ""

    @property
    def is_local(self) -> bool:
        """Whether this machine itself serves it."""
        return is_loopback_host(self.host)

    @property
    def headers(self) -> dict[str, str]:
        """What authorises a request."""
        return {} if self.key is None else {"Authorization": f"Bearer {self.key.reveal()}"}


class Keyring:
    """Keys by the address they were given for.

    The server has one; each session has its own, which also opens what the server's opens.

    Args:
        parent: Asked for a key that is not on this one.
    """

    def __init__(self, parent: Keyring | None = None) -> None:
        self._parent = parent
        self._keys: dict[str, Secret] = {}

    def give(self, api_base: str, key: Secret | None) -> None:
        """Keep ``key`` for ``api_base`` in place of the last one; None takes that away.

        Of more than ``MOST_KEYS``, those given first are forgotten.

        Raises:
            InputError: The address or the key cannot be used.
            ForbiddenError: The address is one that hands out a cloud's credentials.
        """
        endpoint = Endpoint(api_base, key)
        self._keys.pop(endpoint.api_base, None)
        if key is not None:
            hide(key)
            self._keys[endpoint.api_base] = key
            if len(self._keys) > MOST_KEYS:
                del self._keys[next(iter(self._keys))]

    def endpoint(self, api_base: str) -> Endpoint:
        """The endpoint at ``api_base``, with the key that was given for that very address, or none.

        Raises:
            InputError: The address cannot be used.
            ForbiddenError: The address is one that hands out a cloud's credentials.
        """
        api_base = normalise(api_base)
        return Endpoint(api_base, self._find(api_base))

    def _find(self, api_base: str) -> Secret | None:
        if api_base in self._keys:
            return self._keys[api_base]
        return None if self._parent is None else self._parent._find(api_base)  # another ring of the same kind


def normalise(api_base: str) -> str:
    """Bring the address of an API into one form, so that the same address is the same text.

    The host is in lower case, a default port is left out, dots in the path are resolved, and ``/v1`` is appended to a
    path in which no part names a version. What people copy from examples (``.../v1/chat/completions``) is cut back.

    Raises:
        InputError: It is no http or https URL, or holds credentials, a query or a fragment. None of it is repeated in
            the message: what is wrong with it may be that it holds a key.
        ForbiddenError: It is an address that hands out a cloud's credentials.
    """
    api_base = api_base.strip()
    if len(api_base) > LONGEST_API_BASE or not api_base.isprintable() or set(api_base) & set(' \\<>"'):
        raise InputError("The API's address is too long, or holds characters that no address has.", REMEDY)
    if not api_base.lower().startswith(("http://", "https://")):
        raise InputError("The API's address does not start with http:// or https://.", REMEDY)
    if "?" in api_base or "#" in api_base:
        raise InputError("The API's address has a query or a fragment.", REMEDY)
    if "@" in api_base.split("/")[2]:
        raise InputError(
            "The API's address holds a user name or a password, which would be shown and logged with it.",
            "Leave it out of the address, and give the key apart from it.",
        )
    try:
        url = URL(api_base)
        host, port = url.raw_host, url.explicit_port
    except ValueError:
        host = port = None
    if not host or not _is_host(host) or not (port is None or 0 < port <= LAST_PORT):
        raise InputError("The API's address is not a URL with a host and a port.", REMEDY)
    refuse_metadata(host)
    if port == url.with_port(None).port:
        url = url.with_port(None)
    path = re.sub(r"/{2,}", "/", url.raw_path).rstrip("/")
    for tail in PASTED_TAILS:
        path = path.removesuffix(tail)
    if not any(VERSION_SEGMENT.fullmatch(segment) for segment in path.split("/")):
        path += "/v1"
    return f"{url.origin()}{path}"


def refuse_metadata(host: str) -> None:
    """Refuse the hosts at which clouds hand out credentials, by name or address.

    Raises:
        ForbiddenError: It is one of them.
    """
    name = host.lower().rstrip(".")
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        found = name in METADATA_NAMES
    else:
        embedded = None
        if isinstance(address, IPv6Address) and any(address in network for network in EMBEDDING):
            embedded = IPv4Address(int(address) & 0xFFFFFFFF)
        found = not METADATA_ADDRESSES.isdisjoint({str(address), str(embedded)})
    if found:
        raise ForbiddenError(f"{host} hands out a cloud's credentials: it is never asked.", REMEDY)


def is_loopback_host(host: str) -> bool:
    """Whether ``host`` is this machine: ``localhost``, or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def check_key(key: Secret) -> None:
    """Refuse a key that cannot be sent in a header.

    Raises:
        InputError: It cannot; the key is not repeated.
    """
    if not can_be_sent(key.reveal()):
        raise InputError(
            "The API key is empty, too long, or holds characters that cannot be sent in a header.",
            "Copy it again, without spaces and line ends.",
        )


def _is_host(host: str) -> bool:
    """Addresses in their usual form alone: others, such as 2130706433 for 127.0.0.1, hide what they stand for."""
    if ":" in host or NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        try:
            return "%" not in host and ip_address(host.rstrip(".")) is not None
        except ValueError:
            return False
    return re.fullmatch(r"[a-z0-9_.-]{1,253}", host, re.ASCII) is not None
