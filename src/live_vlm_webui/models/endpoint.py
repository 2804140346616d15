"""Addresses of model APIs and their keys.

A key is sent only to the ``api_base`` it was given for: an ``Endpoint`` is an address with its key, and only a
``Keyring`` combines the two. A session that switches to another address does not take a key along.

**Server-side requests.** Users of the page can set an ``api_base``, to which the server then sends requests from its
own network. The limits are: only http and https; no credentials, query or fragment in the address; a fixed path below
it; no redirects; limited size and time of answers; of an invalid answer only its shortened error message is shown;
addresses of cloud metadata services are rejected (literals here, resolved names in ``connections``). To share a server
in a network with other services, start it with ``--known-servers-only``: it then uses only the configured address and
this machine's usual ports.
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
"""Addresses of cloud metadata services, which return credentials to any process on the machine."""
EMBEDDING = (IPv6Network("::ffff:0:0/96"), IPv6Network("::/96"), IPv6Network("64:ff9b::/96"))
"""Networks whose last 32 bits are an IPv4 address: mapped, compatible and NAT64 (RFC 4291, RFC 6052)."""
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})
VERSION_SEGMENT = re.compile(r"v[0-9]+[a-z0-9]*", re.ASCII)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
"""A host whose last part matches is an IPv4 address. Source: WHATWG URL, "ends in a number checker"."""
PASTED_TAILS = ("/chat/completions", "/completions", "/models")
REMEDY = "Use the address that the model server documents, such as http://127.0.0.1:11434/v1."


@dataclass(frozen=True)
class Endpoint:
    """The address of a model API, and its key.

    Attributes:
        api_base: The address, normalised by ``normalise``.
        key: The key sent with every request to this address; None if it needs none.

    Raises:
        InputError: The address or key is invalid.
        ForbiddenError: It is the address of a cloud metadata service.
    """

    api_base: str
    key: Secret | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "api_base", normalise(self.api_base))
        if self.key is not None:
            check_key(self.key)

    def url(self, path: str) -> URL:
        """Return the URL of a route of the API, such as ``/chat/completions``."""
        return URL(self.api_base + path, encoded=True)

    def native_url(self, path: str) -> URL:
        """Return the URL of a route outside the API, such as Ollama's ``/api/show``."""
        return URL(self.api_base.removesuffix("/v1") + path, encoded=True)

    @property
    def host(self) -> str:
        """The host in lower case; an IPv6 address without brackets."""
        return URL(self.api_base, encoded=True).raw_host or ""

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback_host(self.host)

    @property
    def headers(self) -> dict[str, str]:
        """The headers that authorise a request."""
        return {} if self.key is None else {"Authorization": f"Bearer {self.key.reveal()}"}


class Keyring:
    """Keys by address.

    The server has one; each session has its own, with the server's as parent.

    Args:
        parent: Searched for keys that are not in this one.
    """

    def __init__(self, parent: Keyring | None = None) -> None:
        self._parent = parent
        self._keys: dict[str, Secret] = {}

    def give(self, api_base: str, key: Secret | None) -> None:
        """Set the key of ``api_base``; None removes it. The oldest keys beyond ``MOST_KEYS`` are dropped.

        Raises:
            InputError: The address or key is invalid.
            ForbiddenError: It is the address of a cloud metadata service.
        """
        endpoint = Endpoint(api_base, key)
        self._keys.pop(endpoint.api_base, None)
        if key is not None:
            hide(key)
            self._keys[endpoint.api_base] = key
            if len(self._keys) > MOST_KEYS:
                del self._keys[next(iter(self._keys))]

    def endpoint(self, api_base: str) -> Endpoint:
        """Return the endpoint at ``api_base``, with the key given for exactly that address, if any.

        Raises:
            InputError: The address is invalid.
            ForbiddenError: It is the address of a cloud metadata service.
        """
        api_base = normalise(api_base)
        return Endpoint(api_base, self._find(api_base))

    def _find(self, api_base: str) -> Secret | None:
        if api_base in self._keys:
            return self._keys[api_base]
        return None if self._parent is None else self._parent._find(api_base)  # another Keyring


def normalise(api_base: str) -> str:
    """Return the normal form of an API's address, so that equal addresses are equal strings.

    The host is in lower case, a default port is removed, dots in the path are resolved, and ``/v1`` is appended to a
    path without a version. Routes copied from examples (``.../v1/chat/completions``) are removed.

    Raises:
        InputError: It is not an http or https URL, or has credentials, a query or a fragment. The message does not
            repeat it: it may contain a key.
        ForbiddenError: It is the address of a cloud metadata service.
    """
    api_base = api_base.strip()
    if len(api_base) > LONGEST_API_BASE or not api_base.isprintable() or set(api_base) & set(' \\<>"'):
        raise InputError("The API address is too long or contains invalid characters", REMEDY)
    if not api_base.lower().startswith(("http://", "https://")):
        raise InputError("The API address does not start with http:// or https://", REMEDY)
    if "?" in api_base or "#" in api_base:
        raise InputError("The API address has a query or a fragment", REMEDY)
    if "@" in api_base.split("/")[2]:
        raise InputError(
            "The API address contains a user name or password, which would be shown and logged",
            "Remove it from the address and enter the key separately.",
        )
    try:
        url = URL(api_base)
        host, port = url.raw_host, url.explicit_port
    except ValueError:
        host = port = None
    if not host or not _is_host(host) or not (port is None or 0 < port <= LAST_PORT):
        raise InputError("The API address is not a URL with a valid host and port", REMEDY)
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
    """Reject the hosts of cloud metadata services, by name or address.

    Raises:
        ForbiddenError: ``host`` is one of them.
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
        raise ForbiddenError(
            f"{host} is a cloud metadata service, which returns credentials and is never accessed", REMEDY
        )


def is_loopback_host(host: str) -> bool:
    """Return whether ``host`` is ``localhost`` or a loopback address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def check_key(key: Secret) -> None:
    """Check that a key can be sent in a header.

    Raises:
        InputError: It cannot; the message does not contain it.
    """
    if not can_be_sent(key.reveal()):
        raise InputError(
            "The API key is empty, too long or contains characters that cannot be sent in a header",
            "Copy it again, without spaces and line breaks.",
        )


def _is_host(host: str) -> bool:
    """Return whether ``host`` is valid; addresses only in their usual form, not such as 2130706433 for 127.0.0.1."""
    if ":" in host or NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        try:
            return "%" not in host and ip_address(host.rstrip(".")) is not None
        except ValueError:
            return False
    return re.fullmatch(r"[a-z0-9_.-]{1,253}", host, re.ASCII) is not None
