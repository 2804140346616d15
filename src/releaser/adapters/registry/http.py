"""HTTP to a registry: who asks (the token dance of the distribution spec), and what its refusals mean."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urljoin, urlsplit

from releaser.adapters.connections import is_loopback
from releaser.adapters.docker.sdk import Login, login_for
from releaser.adapters.http import Authorization
from releaser.errors import ServiceError
from releaser.secret import Secret

if TYPE_CHECKING:
    import requests

Body = Callable[[], Any]
"""Makes a request's body, anew for each try."""

Right = Literal["asks for none", "no login", "may push", "may not push", "unproven"]

_TIMEOUT_S = (15.0, 120.0)
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_AGAIN = "Run the same command again; what has arrived is not sent twice."


@dataclass
class RegistryHttp:
    """Requests to one registry, for one repository in it.

    Attributes:
        host: The registry, with its port if it has one.
        name: The repository's name there.
        token: What to log in with where docker has no login for this registry.
        token_env: Where the token comes from, for messages.
    """

    host: str
    name: str
    token: Secret | None = None
    token_env: str | None = None
    _headers: dict[str, str] = field(default_factory=dict, init=False, repr=False)
    _session: requests.Session = field(init=False, repr=False)

    def __post_init__(self) -> None:
        import requests

        self._session = requests.Session()
        self._session.trust_env = not is_loopback(self.host)

    @property
    def url(self) -> str:
        """The base of the repository's addresses, with a slash at the end."""
        return f"{'http' if is_loopback(self.host) else 'https'}://{self.host}/v2/{self.name}/"

    def ask(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        expect: tuple[int, ...] = (200,),
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """Sends a request, after a login if the registry wants one.

        Args:
            method: HTTP's verb.
            path: Below the repository's base, or a whole address that the registry gave.
            doing: What for, for messages.
            expect: The statuses that are answers; every other is an error.
            headers: Further headers.
            body: Makes the body.
            stream: Whether the caller reads the answer piece by piece.

        Raises:
            ServiceError: The registry refused, failed or did not answer.
        """
        url = urljoin(self.url, path)
        actions = "pull" if method in ("GET", "HEAD") else "pull,push"
        answer = self._send(method, url, doing, headers, body, stream, actions)
        if answer.status_code == 401 and self._is_ours(url) and self._log_in(answer, actions, doing):
            answer = self._send(method, url, doing, headers, body, stream, actions)
        if answer.status_code not in expect:
            raise self._refusal(answer, doing)
        return answer

    def right_to_push(self) -> Right:
        """What the login is good for, as far as the registry reveals it before a push.

        Raises:
            ServiceError: It refuses the login, or did not answer.
        """
        doing = "asking what the login may do"
        answer = self._send("GET", urljoin(self.url, "/v2/"), doing, None, None, False, "pull,push")
        if answer.status_code == 200:
            return "may push" if self._headers.get("pull,push") else "asks for none"
        if answer.status_code != 401:
            raise self._refusal(answer, doing)
        if self.login() is None:
            return "no login"
        self._log_in(answer, "pull,push", doing)
        header = self._headers.get("pull,push", "")
        granted = _actions(header.removeprefix("Bearer ")) if header.startswith("Bearer ") else None
        if granted is None:
            return "unproven"
        return "may push" if "push" in granted else "may not push"

    def login(self) -> Login | None:
        """What to log in with: docker's login, else the token."""
        found = login_for(self.host)
        return found or (Login("token", self.token) if self.token else None)

    def document(self, answer: requests.Response, doing: str) -> dict[str, Any]:
        """The JSON object that an answer holds.

        Raises:
            ServiceError: It holds something else.
        """
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise self.foreign(f"{answer.headers.get('Content-Type', 'something')} instead of a JSON object", doing)
        return found

    def foreign(self, what: str, doing: str) -> ServiceError:
        """What to raise for an answer that no registry gives."""
        return ServiceError(
            f"The registry {self.host} answered with {what} ({doing}), as no registry does.",
            f"Look for a proxy or a login page between here and {self.host}, and at repository in "
            "[tool.releaser.images]. " + _AGAIN,
        )

    # --- requests -------------------------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        url: str,
        doing: str,
        headers: Mapping[str, str] | None,
        body: Body | None,
        stream: bool,
        actions: str,
    ) -> requests.Response:
        import requests

        try:
            return self._session.request(
                method,
                url,
                headers=dict(headers or {}),
                data=body() if body else None,
                auth=Authorization(self._headers.get(actions) if self._is_ours(url) else None),
                timeout=_TIMEOUT_S,
                stream=stream,
                allow_redirects=method in ("GET", "HEAD"),
            )
        except requests.exceptions.SSLError:
            raise ServiceError(
                f"The registry {self.host} shows a certificate that is not trusted here ({doing}).",
                "Point REQUESTS_CA_BUNDLE at your organisation's certificates if it is yours; else do not go on.",
            ) from None
        except requests.exceptions.Timeout:
            raise ServiceError(f"The registry {self.host} did not answer in time ({doing}).", _AGAIN) from None
        except requests.exceptions.RequestException as error:
            dropped = "dropped the connection" if "abort" in str(error).lower() else "could not be reached"
            raise ServiceError(f"The registry {self.host} {dropped} ({doing}).", _AGAIN) from None

    def _is_ours(self, url: str) -> bool:
        return urlsplit(url)[:2] == urlsplit(self.url)[:2]

    def _refusal(self, answer: requests.Response, doing: str) -> ServiceError:
        status, said = answer.status_code, _said(answer)
        where = f"The registry {self.host}"
        if status in (401, 403):
            known = "the login that it was given" if self.login() else "anybody without a login"
            return ServiceError(f"{where} refuses {known}: {status} {said} ({doing}).", self.how_to_log_in())
        if status == 404:
            return ServiceError(
                f"{where} has no {self.name}, or not what was asked of it: {said} ({doing}).",
                "Check repository in [tool.releaser.images]; some registries want it created beforehand.",
            )
        if status == 429:
            return ServiceError(f"{where} wants fewer requests: {said} ({doing}).", f"Wait some minutes. {_AGAIN}")
        if status >= 500:
            return ServiceError(f"{where} failed with {status} {said} ({doing}).", _AGAIN)
        return ServiceError(f"{where} answered {status} {said} ({doing}).", "Look at what it says; then run again.")

    def how_to_log_in(self) -> str:
        """What a person does about a missing or a wrong login."""
        variable = f", or set {self.token_env} to a token that may write packages" if self.token_env else ""
        return f"`docker login {self.host}` with an account that may push {self.name}{variable}. {_AGAIN}"

    # --- the token dance ------------------------------------------------------------------------------------------

    def _log_in(self, refused: requests.Response, actions: str, doing: str) -> bool:
        """Prepares what the registry wants to see in further requests; whether it said what that is."""
        scheme, _, rest = refused.headers.get("WWW-Authenticate", "").partition(" ")
        login = self.login()
        if scheme.lower() == "basic" and login:
            pair = f"{login.user}:{login.password.reveal()}".encode()
            self._headers[actions] = f"Basic {base64.b64encode(pair).decode()}"
            return True
        if scheme.lower() == "bearer":
            self._headers[actions] = f"Bearer {self._bearer(dict(_PARAMETER.findall(rest)), login, actions, doing)}"
            return True
        return False

    def _bearer(self, challenge: Mapping[str, str], login: Login | None, actions: str, doing: str) -> str:
        """A token from where the registry says; https://distribution.github.io/distribution/spec/auth/token/."""
        import requests

        realm = urljoin(self.url, challenge.get("realm", ""))
        if login and urlsplit(realm).scheme != "https" and not is_loopback(urlsplit(realm).netloc):
            raise ServiceError(
                f"The registry {self.host} wants the login sent without encryption ({doing}).", "Do not go on."
            )
        asked = {"service": challenge.get("service", ""), "scope": f"repository:{self.name}:{actions}"}
        try:
            if login and login.is_identity_token:
                form = {**asked, "grant_type": "refresh_token", "client_id": "releaser"}
                form["refresh_token"] = login.password.reveal()
                answer = self._session.post(realm, data=form, auth=Authorization(None), timeout=_TIMEOUT_S)
            else:
                basic = requests.auth.HTTPBasicAuth(login.user, login.password.reveal()) if login else None
                answer = self._session.get(realm, params=asked, auth=basic or Authorization(None), timeout=_TIMEOUT_S)
        except requests.exceptions.RequestException:
            raise ServiceError(
                f"The registry {self.host} hands out its tokens elsewhere, and nobody answered there ({doing}).", _AGAIN
            ) from None
        if answer.status_code != 200:
            raise self._refusal(answer, doing)
        found = self.document(answer, doing)
        return str(found.get("token") or found.get("access_token") or "")


def _said(answer: requests.Response) -> str:
    """The registry's own words: its errors' codes and messages."""
    try:
        errors = answer.json().get("errors") or []
        words = "; ".join(f"{one.get('code', '')} {one.get('message', '')}".strip() for one in errors)
    except (ValueError, AttributeError):
        words = ""
    return words or str(answer.reason or "")


def _actions(token: str) -> list[str] | None:
    """What a token that is a JWT allows; None for any other."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return [str(action) for one in claims["access"] for action in one["actions"]]
    except (ValueError, KeyError, TypeError):
        return None
