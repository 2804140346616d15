"""Links that sign one more browser in, for a browser that is signed in to show to another device."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.network.hosts import is_loopback_name
from live_vlm_webui.network.reach import reachable_urls

PATH_PATTERN = re.compile(r"/(?:[\w.~!$&'()*+,;=:@%-]+/)*", re.ASCII)
"""The path of a page: RFC 3986, with a slash at its end."""


def page_for_others(request: web.Request, settings: Settings, path: str, secure: bool) -> str:
    """Return the page's URL for other devices: the one that the asking browser uses, unless only its machine has that.

    Args:
        request: A request whose ``Host`` and ``Origin`` have been checked.
        settings: The server's settings.
        path: The page's path in that browser, which a proxy may have changed.
        secure: Whether the browser uses HTTPS.
    """
    origin = request.headers.get(hdrs.ORIGIN) or f"{'https' if secure else 'http'}://{request.host}"
    if not is_loopback_name(urlsplit(origin).hostname or ""):
        return f"{origin}{path}"
    name = request.transport.get_extra_info("sockname") if request.transport else None
    port = name[1] if isinstance(name, tuple) else settings.port
    return (*reachable_urls(settings, port), f"{origin}{path}")[0]


def link(page: str, code: str) -> str:
    """Return the URL that signs one browser in. Browsers do not send what follows ``#``, so no log contains it."""
    return f"{page}#code={code}"


def qr_picture(url: str) -> str:
    """Return ``url`` as a QR code: a ``data:`` URL of an SVG, black on white, which cameras read best."""
    import segno

    code = segno.make(url, error="m", micro=False)
    return str(code.svg_data_uri(border=4, dark="#000", light="#fff", omitsize=True))
