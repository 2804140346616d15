"""HTTP to a registry: who asks (the token dance of the distribution spec), and what its refusals mean."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urljoin, urlsplit

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from requests.auth import HTTPBasicAuth

from releaser.adapters.connections import is_loopback
from releaser.adapters.docker.sdk import Login, login_for
from releaser.adapters.http import DOCUMENT, Http, Limits
from releaser.adapters.sessions import Authorization
from releaser.errors import ServiceError
from releaser.secret import Redactor, Secret

if TYPE_CHECKING:
    import requests

Body = Callable[[], Any]
"""Makes a request's body for each login that is tried."""

Right = Literal["asks for none", "no login", "may push", "may not push", "unproven"]

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_AGAIN = "Rerun the command. What has arrived is not sent again."


class _Response(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class _TokenResponse(_Response):
    token: str | None = None
    access_token: str | None = None


class _Error(BaseModel):
    code: str = ""
    message: str = ""


class _ErrorsResponse(BaseModel):
    errors: list[_Error]


class _Access(_Response):
    actions: list[str]


class _Claims(_Response):
    access: list[_Access]


_TOKEN = TypeAdapter(_TokenResponse)
_ERRORS = TypeAdapter(_ErrorsResponse)
_CLAIMS = TypeAdapter(_Claims)


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
    client: Http = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.client = Http(f"The registry {self.host}", "repository in [tool.releaser.images]")

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
        limits: Limits = DOCUMENT,
    ) -> requests.Response:
        """Send a request, after a login if the registry wants one.

        Args:
            method: HTTP's verb.
            path: Below the repository's base, or a whole address that the registry gave.
            doing: What for, as it follows "refused to" in a message.
            expect: The expected statuses; every other is an error.
            headers: Further headers.
            body: Makes the body.
            limits: How long it may take.

        Raises:
            ServiceError: The registry refused, failed or did not respond.
        """
        url = urljoin(self.url, path)
        actions = "pull" if method in ("GET", "HEAD") else "pull,push"

        def send() -> requests.Response:
            return self._send(method, url, doing, actions, limits, headers=dict(headers or {}), data=body and body())

        response = send()
        if response.status_code == 401 and self._is_ours(url) and self._log_in(response, actions, doing):
            response = send()
        if response.status_code not in expect:
            raise self._refusal(response, doing)
        return response

    def right_to_push(self) -> Right:
        """Return what the login is good for, as far as the registry reveals it before a push.

        Raises:
            ServiceError: It refuses the login, or did not respond.
        """
        doing = "tell what the login may do"
        response = self._send("GET", urljoin(self.url, "/v2/"), doing, "pull,push", DOCUMENT)
        if response.status_code == 200:
            return "may push" if self._headers.get("pull,push") else "asks for none"
        if response.status_code != 401:
            raise self._refusal(response, doing)
        if self.login() is None:
            return "no login"
        self._log_in(response, "pull,push", doing)
        header = self._headers.get("pull,push", "")
        granted = _actions(header.removeprefix("Bearer ")) if header.startswith("Bearer ") else None
        if granted is None:
            return "unproven"
        return "may push" if "push" in granted else "may not push"

    def login(self) -> Login | None:
        """Return what to log in with: docker's login, else the token."""
        found = login_for(self.host)
        return found or (Login("token", self.token) if self.token else None)

    # --- requests -------------------------------------------------------------------------------------------------

    def _send(
        self, method: str, url: str, doing: str, actions: str, limits: Limits, **options: Any
    ) -> requests.Response:
        return self.client.send(
            method,
            url,
            doing,
            limits=limits,
            auth=Authorization(self._headers.get(actions) if self._is_ours(url) else None),
            allow_redirects=method in ("GET", "HEAD"),
            **options,
        )

    def _is_ours(self, url: str) -> bool:
        return urlsplit(url)[:2] == urlsplit(self.url)[:2]

    def _refusal(self, response: requests.Response, doing: str) -> ServiceError:
        status, login, redact = response.status_code, self.login(), Redactor()
        redact.learn([login.password if login else None])
        plain = self.client.refusal(response, doing, redact(_said(response)))
        if status in (401, 403):
            known = "the login that it was given" if login else "no login"
            return ServiceError(f"{plain.message} (with {known})", self.how_to_log_in())
        if status == 404:
            return ServiceError(
                plain.message, f"Check {self.client.setting}; some registries want it created beforehand."
            )
        return ServiceError(plain.message, _AGAIN) if status >= 500 else plain

    def how_to_log_in(self) -> str:
        """Return what to do about a missing or a wrong login."""
        variable = f", or set {self.token_env} to a token that may write packages" if self.token_env else ""
        return f"Run `docker login {self.host}` with an account that may push {self.name}{variable}. {_AGAIN}"

    # --- the token dance ------------------------------------------------------------------------------------------

    def _log_in(self, refused: requests.Response, actions: str, doing: str) -> bool:
        """Prepare what the registry wants to see in further requests; return whether it said what that is."""
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
        """Return a token from where the registry says; https://distribution.github.io/distribution/spec/auth/token/."""
        realm = urljoin(self.url, challenge.get("realm", ""))
        if login and urlsplit(realm).scheme != "https" and not is_loopback(urlsplit(realm).netloc):
            raise ServiceError(
                f"The registry {self.host} asks for the login without encryption, at {realm}", "Do not continue."
            )
        asked = {"service": challenge.get("service", ""), "scope": f"repository:{self.name}:{actions}"}
        doing = f"log in to {doing}"
        if login and login.is_identity_token:
            form = {**asked, "grant_type": "refresh_token", "client_id": "releaser"}
            form["refresh_token"] = login.password.reveal()
            response = self.client.send("POST", realm, doing, data=form)
        else:
            basic = HTTPBasicAuth(login.user, login.password.reveal()) if login else None
            response = self.client.send("GET", realm, doing, params=asked, auth=basic)
        if response.status_code != 200:
            raise self._refusal(response, doing)
        found = self.client.document(response, _TOKEN, doing)
        if token := found.token or found.access_token:
            return token
        raise self.client.foreign("no token", doing)


def _said(response: requests.Response) -> str:
    """Return the registry's own words: its errors' codes and messages."""
    try:
        errors = _ERRORS.validate_json(response.content).errors
    except ValidationError:
        return str(response.reason or "")
    return "; ".join(f"{one.code} {one.message}".strip() for one in errors)


def _actions(token: str) -> list[str] | None:
    """Return what a token that is a JWT allows; None for any other."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = _CLAIMS.validate_json(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:  # of the encoding, of JSON, or of its form
        return None
    return [action for one in claims.access for action in one.actions]
