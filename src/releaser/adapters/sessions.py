"""Sessions that send passwords where they belong: `requests` alone looks into ~/.netrc for every host it is led to."""

from __future__ import annotations

import contextlib
import os
from netrc import NetrcParseError, netrc
from pathlib import Path
from urllib.parse import urlsplit

import requests


class Authorization:
    """Sets one header, or none, and keeps `requests` from looking for a password in ~/.netrc."""

    def __init__(self, header: str | None) -> None:
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request with the header."""
        if self._header:
            request.headers["Authorization"] = self._header
        return request


class _FromNetrc:
    """Sets what ~/.netrc says of this very host, where the request has no authorization of its own."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        found = None if "Authorization" in request.headers else _login(urlsplit(request.url or "").hostname or "")
        if found:
            request.prepare_auth(found)
        return request


class Session(requests.Session):
    """A session that takes passwords from ~/.netrc only if it is told to, and never those of `default`.

    `default` is for any host at all, a forge's store of files included, and an index refuses a wrong password where it
    would have answered without one.

    Args:
        netrc: Whether passwords may come from ~/.netrc where a request has no authorization of its own.
    """

    def __init__(self, *, netrc: bool) -> None:
        super().__init__()
        self.auth = _FromNetrc() if netrc else Authorization(None)
        self._netrc = netrc

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Take the authorization away where a redirect leads to another host; `requests` would look into ~/.netrc."""
        before, url = response.request.url or "", prepared_request.url or ""
        led_away: bool = self.should_strip_auth(before, url)  # type: ignore[no-untyped-call]  # requests' own method
        if "Authorization" in prepared_request.headers and led_away:
            del prepared_request.headers["Authorization"]
        if self._netrc:
            _FromNetrc()(prepared_request)


def _login(host: str) -> tuple[str, str] | None:
    named = os.environ.get("NETRC")
    with contextlib.suppress(OSError, RuntimeError, NetrcParseError, UnicodeDecodeError):
        # Without a home there is none, and what cannot be read is the business of those who wrote it.
        for file in [Path(named)] if named else [Path.home() / ".netrc", Path.home() / "_netrc"]:
            if file.exists():
                login, account, password = netrc(file).hosts.get(host, (None, None, None))
                return (login or account or "", password or "") if password else None
    return None
