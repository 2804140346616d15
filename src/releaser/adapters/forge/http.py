"""How the forge adapter talks to GitHub: one connection for JSON and for files.

JSON goes through PyGithub's requester, which brings authentication, spacing, retries, redirects and GitHub's errors.
PyGithub's objects are not used: an element of a list asks for itself again when it is read whole, older releases of
PyGithub know neither digests nor immutable releases, and `update_release` cannot leave what it does not name as it is.
Files go through `requests`, because PyGithub sends them to another host without any time limit and reads a download
into memory.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from releaser.adapters.forge.refusals import Refusals, errors_of
from releaser.errors import ServiceError

if TYPE_CHECKING:
    import requests
    from github.Requester import Requester
    from urllib3 import Retry

PUBLIC_API = "https://api.github.com"

# Seconds: one API call; to connect for a file; between two pieces of a file.
API_TIMEOUT = 30
CONNECT_TIMEOUT = 30
PIECE_TIMEOUT = 120

# PyGithub's own spacing, which keeps GitHub's secondary rate limits away; nothing on this machine needs it.
SECONDS_BETWEEN_REQUESTS = 0.25
SECONDS_BETWEEN_WRITES = 1.0

CHUNK = 1 << 20
API_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class Connection:
    """A connection to one GitHub.

    Args:
        repository: ``OWNER/NAME``, for messages.
        token: The access token, or None to read what is public.
        api_url: The address of the REST API.

    Raises:
        ServiceError: The token cannot be sent (the token itself is never shown).
    """

    def __init__(self, repository: str, token: str | None, api_url: str) -> None:
        self.api_url = api_url.rstrip("/")
        self._token = (token or "").strip() or None
        if self._token and not (self._token.isascii() and self._token.isprintable() and " " not in self._token):
            raise ServiceError(
                "the forge token holds characters that no token has, such as a space or a line break",
                "Copy the token again, in one piece.",
            )
        address = urlsplit(self.api_url)
        self._loopback = _is_loopback(address.hostname or "")
        self._name = "GitHub" if self.api_url == PUBLIC_API else f"GitHub at {address.netloc}"
        self._refusals = Refusals(self._name, repository, self.has_token)

    @property
    def has_token(self) -> bool:
        """Whether requests are authenticated."""
        return self._token is not None

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of a classic token, as the last answer named them; empty where GitHub names none."""
        named: Any = self.requester.oauth_scopes  # PyGithub types it as None, which it is before the first answer
        return frozenset(filter(None, named or ()))

    @cached_property
    def requester(self) -> Requester:
        """PyGithub's requester; its import costs 0.4 s, so the first call pays it."""
        from github import Auth, Github

        return Github(
            auth=Auth.Token(self._token) if self._token else None,
            base_url=self.api_url,
            timeout=API_TIMEOUT,
            user_agent="releaser",
            retry=_retry(),
            seconds_between_requests=None if self._loopback else SECONDS_BETWEEN_REQUESTS,
            seconds_between_writes=None if self._loopback else SECONDS_BETWEEN_WRITES,
        ).requester

    @cached_property
    def _files(self) -> requests.Session:
        import requests
        from requests.adapters import HTTPAdapter

        session = requests.Session()
        session.trust_env = not self._loopback  # proxies, but none between this machine and itself
        session.auth = lambda request: request  # else requests takes passwords from ~/.netrc
        session.headers["User-Agent"] = "releaser"
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=_retry()))
        return session

    def call(
        self,
        doing: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        none_for: Collection[int] = (),
        permission: str = "contents: write",
    ) -> Any:
        """Send one JSON request and give back the decoded answer.

        Args:
            doing: What the request is for, as it follows "asked to" in a message.
            method: The HTTP method.
            path: The path under the API's address, with a leading slash.
            query: Query parameters.
            body: What to send as JSON.
            none_for: Statuses that mean "there is none": None is returned for them.
            permission: What a token needs for this, in the words of GitHub's token page.

        Raises:
            ServiceError: GitHub refused, or did not answer.
        """
        import requests
        from github import GithubException

        try:
            _, data = self.requester.requestJsonAndCheck(
                method,
                path,
                parameters=dict(query) if query else None,
                headers=dict(API_HEADERS),
                input=None if body is None else dict(body),
            )
        except GithubException as error:
            if error.status in none_for:
                return None
            raise self._refusals.refusal(doing, error.status, error.data, error.headers or {}, permission) from error
        except requests.RequestException as error:
            raise self._refusals.silence(doing, error) from error
        except RuntimeError as error:  # a redirect that PyGithub does not follow; its message says where to
            raise ServiceError(
                f"{self._name} was asked to {doing} and pointed elsewhere: {error}", "Correct the forge's API address."
            ) from error
        return data

    def pages(self, doing: str, path: str, query: Mapping[str, str | int] | None = None) -> Iterator[dict[str, Any]]:
        """Every element of a list, page by page.

        Raises:
            ServiceError: GitHub refused, or did not answer.
        """
        size = 100
        page = 1
        while True:
            elements = self.call(doing, "GET", path, query={**(query or {}), "per_page": size, "page": page})
            yield from elements
            if len(elements) < size:
                return
            page += 1

    def send_file(self, doing: str, url: str, file: Path, name: str, content_type: str) -> dict[str, Any] | None:
        """Send a file's bytes to an upload address.

        Returns:
            The new asset as GitHub describes it; None when the name is taken.

        Raises:
            ServiceError: GitHub refused, or did not answer.
        """
        import requests

        headers = {**API_HEADERS, **self._authorization(), "Content-Type": content_type}
        try:
            with file.open("rb") as content:
                answer = self._files.post(
                    url,
                    params={"name": name},
                    data=content,
                    headers=headers,
                    timeout=(CONNECT_TIMEOUT, PIECE_TIMEOUT),
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            raise self._refusals.silence(doing, error) from error
        data = _json(answer)
        if answer.status_code == 422 and any(error.get("code") == "already_exists" for error in errors_of(data)):
            return None
        if answer.status_code != 201:
            raise self._refusals.refusal(doing, answer.status_code, data, answer.headers, "contents: write")
        return dict(data)

    def receive_file(self, doing: str, path: str, target: Path) -> str:
        """Stream a file to ``target``, which must not matter if this fails half way.

        GitHub answers with a redirect to a signed address on another host. It is followed without the token, which
        that host must not see and would refuse.

        Returns:
            The sha256 of what arrived, in hex.

        Raises:
            ServiceError: GitHub refused, or the transfer broke.
        """
        import requests

        digest = hashlib.sha256()
        headers = {**API_HEADERS, **self._authorization(), "Accept": "application/octet-stream"}
        timeout = (CONNECT_TIMEOUT, PIECE_TIMEOUT)
        try:
            answer = self._files.get(
                self.api_url + path, headers=headers, timeout=timeout, stream=True, allow_redirects=False
            )
            if answer.is_redirect:
                answer.close()
                answer = self._files.get(answer.headers["Location"], timeout=timeout, stream=True)
            with answer:
                if answer.status_code != 200:
                    raise self._refusals.refusal(
                        doing, answer.status_code, _json(answer), answer.headers, "contents: read"
                    )
                with target.open("wb") as sink:
                    for piece in answer.iter_content(CHUNK):
                        digest.update(piece)
                        sink.write(piece)
        except requests.RequestException as error:
            raise self._refusals.silence(doing, error) from error
        return digest.hexdigest()

    def close(self) -> None:
        """Close what is open; the next call opens it again."""
        self.requester.close()
        self._files.close()

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}


def _retry() -> Retry:
    # Only GET: a write that is sent twice because its answer was lost makes a second draft. GitHub's "Retry-After" can
    # be an hour, which is for a person to decide.
    from urllib3 import Retry

    return Retry(
        total=2,
        allowed_methods={"GET"},
        status_forcelist=(500, 502, 503, 504),
        backoff_factor=0.2,
        raise_on_status=False,
        respect_retry_after_header=False,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return {}
