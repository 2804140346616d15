"""Print that the server is ready: one line for programs, then how other machines sign in."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TextIO

from live_vlm_webui import __version__
from live_vlm_webui.config.settings import Settings
from live_vlm_webui.network.reach import reachable_urls, url_of
from live_vlm_webui.output import show
from live_vlm_webui.security.access_token import token_path
from live_vlm_webui.security.invitation import link
from live_vlm_webui.security.login import CODE_SECONDS

BLOCKS = "\u2580\u2584\u2588"
"""The characters of QR codes in a terminal."""


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
            return url_of(self.settings, self.port, "127.0.0.1" if address.version == 4 else "::1")
        return url_of(self.settings, self.port, str(address))

    @property
    def others(self) -> tuple[str, ...]:
        """The page's URLs for browsers on other machines, the likeliest first."""
        return reachable_urls(self.settings, self.port)


def announce(ready: Ready, stream: TextIO | None) -> None:
    """Print that the server is ready. The first line is for programs; others follow only if sign-in is required.

    Raises:
        OutputError: ``stream`` is None, because it was closed, or cannot be written.
    """
    text = f"live-vlm-webui {__version__} is ready: {ready.url} (Ctrl-C stops)\n"
    if ready.code:
        text += invitation(ready, ready.others)
        if stream is not None and stream.isatty():
            text += qr_code(sign_in_url(ready), getattr(stream, "encoding", None) or "ascii")
    show(text, stream)


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
    """Return the URL that signs one browser in, on another machine if the server can be reached from one."""
    return link((*ready.others, ready.url)[0], ready.code)


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
