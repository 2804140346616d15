"""How the forge adapter talks to GitHub: JSON through PyGithub's requester, files past it.

PyGithub sends files to another host without any time limit, and reads a download into memory. Nor are its objects used:
an element of a list asks for itself again when it is read whole, older releases of PyGithub know neither digests nor
immutable releases, and `update_release` cannot leave what it does not name as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from releaser.adapters.forge.refusals import Refusals, errors_of
from releaser.adapters.forge.responses import ASSET, AssetResponse
from releaser.adapters.http import FILE, Http, Received
from releaser.adapters.retries import is_limited
from releaser.errors import ServiceError, UsageError

if TYPE_CHECKING:
    import requests
    from github.Requester import Requester

PUBLIC_API = "https://api.github.com"

_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_PAGE = 100
_Shape = TypeVar("_Shape")

Query = Mapping[str, str | int]

WRITE = "contents: write"
"""The permission that most requests need, in the words of GitHub's token page."""


class Connection:
    """A connection to one GitHub.

    Args:
        repository: ``OWNER/NAME``, for messages.
        token: The access token, or None to read what is public.
        api_url: The address of the REST API.
        token_env: The variable that the token comes from, for messages.

    Raises:
        ServiceError: The token cannot be sent (the token itself is never shown).
        UsageError: The address is none.
    """

    def __init__(self, repository: str, token: str | None, api_url: str, token_env: str) -> None:
        self.api_url = api_url.rstrip("/")
        self._token = (token or "").strip() or None
        if self._token and not (self._token.isascii() and self._token.isprintable() and " " not in self._token):
            raise ServiceError(
                f"{token_env} holds characters that no token has, such as a space or a line break",
                "Copy the token again, in one piece.",
            )
        address = urlsplit(self.api_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise UsageError(
                f"The forge's API address is no web address: {self.api_url}",
                "Correct api-url in [tool.releaser.forge].",
            )
        name = "GitHub" if self.api_url == PUBLIC_API else f"GitHub at {address.netloc}"
        self.http = Http(name, "api-url in [tool.releaser.forge]")
        self._refusals = Refusals(self.http, repository, self.has_token, token_env)

    @property
    def has_token(self) -> bool:
        """Whether requests are authenticated."""
        return self._token is not None

    @property
    def is_of_app(self) -> bool:
        """Whether the token is an app's: a workflow's own, too, which no form tells from another app's."""
        return self._token is not None and self._token.startswith("ghs_")

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of a classic token, as the last response named them; empty where GitHub names none."""
        named: Any = self._requester.oauth_scopes  # PyGithub types it as None, which it is before the first response
        return frozenset(filter(None, named or ()))

    @cached_property
    def _requester(self) -> Requester:
        """PyGithub's requester; its import costs 0.4 s, so the first call pays it."""
        from releaser.adapters.forge.requester import make_requester

        return make_requester(self.http, self.api_url, self._token)

    # --- documents ------------------------------------------------------------------------------------------------

    def call(
        self,
        doing: str,
        method: str,
        path: str,
        shape: TypeAdapter[_Shape],
        *,
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
        permission: str = WRITE,
    ) -> _Shape:
        """Send one request and return the JSON document of the response.

        Args:
            doing: What the request is for, as it follows "refused to" in a message.
            method: The HTTP method.
            path: The path under the API's address, with a leading slash.
            shape: What the document must be.
            query: Query parameters.
            body: What to send as JSON.
            permission: What a token needs for this, in the words of GitHub's token page.

        Raises:
            ServiceError: GitHub refused, or did not respond, or sent something else.
        """
        return self._shaped(doing, self._request(doing, method, path, query, body), shape, permission)

    def find(
        self,
        doing: str,
        path: str,
        shape: TypeAdapter[_Shape],
        *,
        method: str = "GET",
        none_for: Collection[int] = (404,),
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
        permission: str = WRITE,
    ) -> _Shape | None:
        """Send one request and return the document, or None for a status that means "there is none".

        Raises:
            ServiceError: As `call`.
        """
        answer = self._request(doing, method, path, query, body)
        if answer[0] in none_for and not is_limited(*answer[:2]):
            return None
        return self._shaped(doing, answer, shape, permission)

    def headers(self, doing: str, path: str) -> dict[str, str]:
        """Send one GET and return the headers of the response, in lower case.

        Raises:
            ServiceError: As `call`.
        """
        status, headers, content = self._request(doing, "GET", path)
        if status >= 400:
            raise self._refusals.refusal(doing, status, content, headers, "metadata: read")
        return {name.lower(): value for name, value in headers.items()}

    def time(self, doing: str, path: str) -> datetime | None:
        """Send one GET and return the date of the response; None if it has none that can be read.

        Raises:
            ServiceError: As `call`.
        """
        try:
            # An HTTP date is in GMT, whatever the zone that it is written with.
            return parsedate_to_datetime(self.headers(doing, path).get("date", "")).replace(tzinfo=timezone.utc)
        except ValueError:
            return None

    def delete(self, doing: str, path: str) -> None:
        """Delete something; that it is gone already is fine.

        Raises:
            ServiceError: GitHub refused, or did not respond.
        """
        status, headers, content = self._request(doing, "DELETE", path)
        if status < 300 and status != 204:
            raise self.http.foreign(f"HTTP {status} instead of HTTP 204", doing)
        if status not in (204, 404):
            raise self._refusals.refusal(doing, status, content, headers, WRITE)

    def pages(
        self, doing: str, path: str, shape: TypeAdapter[list[_Shape]], query: Query | None = None
    ) -> Iterator[_Shape]:
        """Yield every element of a list, page by page.

        Raises:
            ServiceError: As `call`.
        """
        page = 1
        while True:
            elements = self.call(doing, "GET", path, shape, query={**(query or {}), "per_page": _PAGE, "page": page})
            yield from elements
            if len(elements) < _PAGE:
                return
            page += 1

    def _shaped(
        self, doing: str, answer: tuple[int, dict[str, str], bytes], shape: TypeAdapter[_Shape], permission: str
    ) -> _Shape:
        status, headers, content = answer
        if status >= 400:
            raise self._refusals.refusal(doing, status, content, headers, permission)
        return self.http.shaped(content, shape, doing, headers.get("content-type", ""))

    def _request(
        self, doing: str, method: str, path: str, query: Query | None = None, body: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        with self.http.reporting(doing):
            try:
                status, headers, text = self._requester.requestJson(
                    method,
                    path,
                    parameters=dict(query) if query else None,
                    headers=dict(_HEADERS),
                    input=None if body is None else dict(body),
                )
            except RuntimeError as error:  # a redirect that PyGithub does not follow; its message says where to
                raise ServiceError(
                    f"{self.http.service} pointed elsewhere when asked to {doing}: {error}",
                    f"Correct {self.http.setting}.",
                ) from None
        return status, headers, text.encode()

    # --- files ----------------------------------------------------------------------------------------------------

    def send_file(self, doing: str, url: str, file: Path, name: str, content_type: str) -> AssetResponse | None:
        """Send a file's bytes to an upload address.

        Returns:
            The new asset as GitHub describes it; None when the name is taken.

        Raises:
            ServiceError: GitHub refused, or did not respond, or sent something else.
        """
        headers = {**_HEADERS, **self._authorization(), "Content-Type": content_type}
        with file.open("rb") as content:
            response = self.http.send(
                "POST",
                url,
                doing,
                limits=FILE,
                params={"name": name},
                data=content,
                headers=headers,
                allow_redirects=False,
            )
        if response.status_code == 422 and any(
            error.get("code") == "already_exists" for error in errors_of(response.content)
        ):
            return None
        if response.status_code != 201:
            raise self._refusal(doing, response, WRITE)
        return self.http.document(response, ASSET, doing)

    def receive_file(self, doing: str, path: str, target: Path, permission: str = "contents: read") -> Received:
        """Stream a file to ``target``, which must not matter if this fails half way.

        GitHub answers with a redirect to a signed address on another host. It is followed without the token, which
        that host must not see and would refuse.

        Raises:
            ServiceError: GitHub refused, or the transfer broke.
        """
        return self.http.download(
            self.api_url + path,
            target,
            doing,
            headers={**_HEADERS, **self._authorization(), "Accept": "application/octet-stream"},
            refusal=lambda response: self._refusal(doing, response, permission),
        )

    def close(self) -> None:
        """Close what is open; the next call opens it again."""
        self.http.close()

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _refusal(self, doing: str, response: requests.Response, permission: str) -> ServiceError:
        return self._refusals.refusal(doing, response.status_code, response.content, response.headers, permission)


class Subject:
    """One subject of a repository's API, such as its issues.

    Args:
        http: The connection.
        repo: The path of the repository in the API.
    """

    def __init__(self, http: Connection, repo: str) -> None:
        self._http = http
        self._repo = repo
