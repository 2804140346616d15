"""Print that the server is ready: one line for programs, then how other machines sign in."""

from __future__ import annotations

import io
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TextIO

from live_vlm_webui import __version__
from live_vlm_webui.config.settings import Settings, is_loopback
from live_vlm_webui.network.hosts import is_address, read_authority
from live_vlm_webui.network.local_names import own_addresses, own_names
from live_vlm_webui.security.access_token import token_path
from live_vlm_webui.security.login import CODE_SECONDS

MOST_URLS = 8
BLOCKS = "\u2580\u2584\u2588"
"""The characters of QR codes in a terminal."""
PROBES = {4: (socket.AF_INET, "192.0.2.1"), 6: (socket.AF_INET6, "2001:db8::1")}
"""Addresses for documentation (RFC 5737, RFC 3849); nothing is sent to them."""
DISCARD_PORT = 9


@dataclass(frozen=True)
class Ready:
    """A server that is ready.

    Attributes:
        settings: The server's settings.
        port: The port on which it listens.
        code: The one-time code for signing in; empty if no sign-in is required.
        fingerprint: The certificate's SHA-256 fingerprint; empty without HTTPS.
    """

    settings: Settings
    port: int
    code: str = ""
    fingerprint: str = ""

    @property
    def url(self) -> str:
        """The page's URL for a browser on this machine."""
        address = self.settings.address
        if address.is_unspecified:
            return self.url_of("127.0.0.1" if address.version == 4 else "::1")
        return self.url_of(str(address))

    def url_of(self, name: str) -> str:
        """Return the page's URL for a name or address of this machine."""
        scheme = "https" if self.settings.ssl else "http"
        host = f"[{name}]" if ":" in name else name
        return f"{scheme}://{host}:{self.port}/"


def announce(ready: Ready, stream: TextIO) -> None:
    """Print that the server is ready. The first line is for programs; others follow only if sign-in is required."""
    stream.write(f"live-vlm-webui {__version__} is ready: {ready.url} (Ctrl-C stops)\n")
    if ready.code:
        stream.write(invitation(ready, reachable_urls(ready)))
        if stream.isatty():
            stream.write(qr_code(sign_in_url(ready), getattr(stream, "encoding", None) or "ascii"))
    stream.flush()


def invitation(ready: Ready, urls: tuple[str, ...]) -> str:
    """Return how other machines sign in; never the token itself."""
    settings = ready.settings
    where = "set by --token or LIVE_VLM_TOKEN" if settings.token else f"stored in {token_path(settings.data_dir)}"
    lines = []
    if urls:
        lines += ["From other machines:", *(f"  {url}" for url in urls)]
    lines += [
        f"Signing in needs the token {where}.",
        f"This link signs in one browser, once, within {CODE_SECONDS / 60:.0f} minutes:",
        f"  {sign_in_url(ready)}",
    ]
    if ready.fingerprint and settings.ssl_cert is None:
        lines += ["Browsers warn once about the self-signed certificate. Its SHA-256 fingerprint must be"]
        lines += [f"  {ready.fingerprint}"]
    return "".join(f"{line}\n" for line in lines)


def sign_in_url(ready: Ready) -> str:
    """Return the URL that signs one browser in. Browsers do not send what follows ``#``, so no log contains it."""
    return f"{(*reachable_urls(ready), ready.url)[0]}#code={ready.code}"


def reachable_urls(ready: Ready) -> tuple[str, ...]:
    """Return the page's URLs for browsers on other machines, the likeliest first."""
    settings = ready.settings
    urls = [f"{_proxy_url(host)}{settings.root_path}/" for host in settings.allow_hosts]
    if not settings.on_loopback:
        address = settings.address
        addresses = _addresses(address) if address.is_unspecified else (address,)
        urls += [ready.url_of(str(one)) for one in addresses]
        urls += [ready.url_of(name) for name in own_names() if name.endswith(".local") and name != "localhost.local"]
    return tuple(dict.fromkeys(urls))[:MOST_URLS]


def qr_code(url: str, encoding: str) -> str:
    """Return ``url`` as a QR code for a terminal; empty if its encoding has no block characters."""
    try:
        BLOCKS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ""
    import segno

    code = io.StringIO()
    segno.make(url, error="l", micro=False).terminal(out=code, border=4, compact=True)
    return code.getvalue()


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
