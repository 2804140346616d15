"""PyGithub's requester over our connections.

It brings authentication, spacing between requests, and redirects. Its own connections know neither our time limits nor
our rule for repeating, send requests to this machine through a proxy, and mix up the requests of two threads.
"""

from __future__ import annotations

from collections.abc import ItemsView
from typing import Any
from urllib.parse import urlsplit

import requests
from github import Auth
from github.Requester import Requester

from releaser.adapters.connections import is_loopback
from releaser.adapters.http import Http

# PyGithub's own spacing, which keeps GitHub's secondary rate limits away; nothing on this machine needs it.
_SECONDS_BETWEEN_REQUESTS = 0.25
_SECONDS_BETWEEN_WRITES = 1.0


def make_requester(http: Http, api_url: str, token: str | None) -> Requester:
    """Return a requester for an API at an address, which sends by `http`."""
    address = urlsplit(api_url)
    loopback = is_loopback(address.netloc)

    class Connection(_Connection):
        def __init__(self, host: str, *_: Any, **__: Any) -> None:
            super().__init__(http, host, f"{address.scheme}://{address.netloc}")

    class OwnRequester(Requester):
        """PyGithub notes per class which connections to use."""

    connection: Any = Connection  # which looks like PyGithub's own, and does not inherit from them
    OwnRequester.injectConnectionClasses(connection, connection)
    return OwnRequester(
        auth=Auth.Token(token) if token else None,
        base_url=api_url,
        user_agent="releaser",
        per_page=100,
        verify=True,
        timeout=0,  # this and the next two are for connections of its own
        retry=None,
        pool_size=None,
        seconds_between_requests=None if loopback else _SECONDS_BETWEEN_REQUESTS,
        seconds_between_writes=None if loopback else _SECONDS_BETWEEN_WRITES,
    )


class _Connection:
    """What PyGithub takes for a connection, of which it makes a new one for each request."""

    def __init__(self, http: Http, host: str, origin: str) -> None:
        self.host = host
        self._http = http
        self._origin = origin
        self._request: dict[str, Any] = {}

    def request(self, verb: str, url: str, content: str | None, headers: dict[str, str], stream: bool = False) -> None:  # noqa: ARG002
        self._request = {"method": verb, "url": self._origin + url, "data": content, "headers": headers}

    def getresponse(self) -> _Response:
        return _Response(self._http.exchange(**self._request, allow_redirects=False))

    def close(self) -> None:
        """Leave the session open, which belongs to the others as well."""


class _Response:
    """What PyGithub takes for a response."""

    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        self._response = response

    def read(self) -> str:
        return self._response.content.decode("utf-8", "replace")

    def getheaders(self) -> ItemsView[str, str]:
        return self._response.headers.items()
