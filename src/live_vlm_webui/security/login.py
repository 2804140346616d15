"""Signing in: by the token or a one-time code in a browser, which gets a cookie; by the token in a program's header."""

from __future__ import annotations

import hashlib
import hmac
import logging
import time
from asyncio import Transport
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.errors import LimitError, LoginError, SettingsError
from live_vlm_webui.logs import hide
from live_vlm_webui.network.clients import client_of, is_forwarded
from live_vlm_webui.secret import Secret
from live_vlm_webui.security.access_token import kept_token, token_path
from live_vlm_webui.security.rates import TokenBuckets
from live_vlm_webui.security.tickets import Tickets

logger = logging.getLogger(__name__)

CODE_SECONDS = 600.0
MOST_CODES = 16
SESSION_SECONDS = 30 * 24 * 3600.0
"""A browser that does not come back for this long must sign in again."""
MOST_SESSIONS = 256
FAILURES = 5
"""That an address may have at once; one more is allowed every ``FAILURE_SECONDS``."""
FAILURE_SECONDS = 12.0
ALL_FAILURES = 60
"""That all addresses together may have at once; one more is allowed every second."""
ALL = "all"


class Login:
    """Who may come in.

    Args:
        settings: Of the server.
        clock: Seconds, never going back.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._token = settings.token
        self._codes = Tickets(CODE_SECONDS, MOST_CODES, clock)
        self._sessions = Tickets(SESSION_SECONDS, MOST_SESSIONS, clock)
        self._busy: dict[bytes, set[Transport]] = {}
        self._failures = TokenBuckets(1 / FAILURE_SECONDS, FAILURES, clock=clock)
        self._all_failures = TokenBuckets(1.0, ALL_FAILURES, clock=clock)
        self._told_of_proxy = False

    @property
    def token(self) -> Secret:
        """The token: the one in the settings, or one that is made where it is first needed, and kept.

        Raises:
            SettingsError: It can be neither read nor made.
        """
        if self._token is None:
            self._token = kept_token(self.settings.data_dir)
            hide(self._token, for_good=True)
        return self._token

    def make_code(self) -> str:
        """Make a code that signs one browser in, once, within ``CODE_SECONDS``."""
        return self._codes.issue()

    def is_required(self, request: web.Request) -> bool:
        """Whether whoever sent ``request`` must be signed in.

        A proxy on this machine makes a server on loopback reachable from elsewhere, so what proxies pass on needs it.
        """
        return self.settings.login_required or is_forwarded(request)

    def check(self, request: web.Request) -> None:
        """Let ``request`` pass.

        Raises:
            LoginError: Whoever sent it is not signed in.
            LimitError: Its address has failed too often.
        """
        if self.is_signed_in(request):
            return
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            self._attempt(request, "token", lambda: self._is_token(token.strip()))
            return
        self._tell_of_proxy()
        raise LoginError(
            "Sign in first.",
            "In a browser, open this server's address and sign in with its token; a program sends the token in the"
            " header Authorization: Bearer TOKEN. Whoever started the server was told where the token is.",
        )

    def _tell_of_proxy(self) -> None:
        """Log once where the token is that nobody needed until a proxy passed a request on."""
        if self.settings.login_required or self._told_of_proxy:
            return
        self._told_of_proxy = True
        logger.warning(
            "a proxy passes requests on, so whoever sends them must sign in, with the token in %s;"
            " --allow-host tells the server under which name it is reached",
            token_path(self.settings.data_dir),
        )
        try:
            _ = self.token
        except SettingsError:
            logger.exception("nobody can sign in")

    def is_signed_in(self, request: web.Request) -> bool:
        """Whether ``request`` may pass by its cookie, or needs none."""
        if not self.is_required(request):
            return True
        return any(self._sessions.renew(request.cookies.get(name, "")) for name in cookie_names(request))

    @contextmanager
    def cut_at_sign_out(self, request: web.Request) -> Iterator[None]:
        """A block in which the connection of ``request`` is cut when its browser signs out: a WebSocket lasts long.

        No longer than that: a proxy may hand its connection to another browser's next request.
        """
        transport = request.transport
        if transport is None:
            yield
            return
        keys = [_digest(request.cookies[name]) for name in cookie_names(request) if name in request.cookies]
        for key in keys:
            self._busy.setdefault(key, set()).add(transport)
        try:
            yield
        finally:
            for key in keys:
                if those := self._busy.get(key):
                    those.discard(transport)
                    if not those:
                        del self._busy[key]

    def sign_in(self, request: web.Request, *, token: str = "", code: str = "") -> str:
        """Sign a browser in, by the token or a code.

        Returns:
            The value of its cookie.

        Raises:
            LoginError: Token or code is wrong, or the code was used already or is too old.
            LimitError: The browser's address has failed too often.
        """
        if code:
            self._attempt(request, "code", lambda: self._codes.spend(code))
        else:
            self._attempt(request, "token", lambda: self._is_token(token))
        return self._sessions.issue()

    def sign_out(self, request: web.Request) -> None:
        """Honour the cookie of ``request`` no longer, and cut all other connections that are busy with it."""
        for name in cookie_names(request):
            cookie = request.cookies.get(name, "")
            self._sessions.spend(cookie)
            for connection in self._busy.pop(_digest(cookie), ()):
                if connection is not request.transport:
                    connection.abort()

    def _attempt(self, request: web.Request, what: str, is_right: Callable[[], bool]) -> None:
        """Raise unless ``is_right``, which is not even asked where too many attempts have failed."""
        client = client_of(request, self.settings)
        wait = max(self._failures.wait(client), self._all_failures.wait(ALL))
        if wait:
            raise LimitError("Too many attempts to sign in have failed.", f"Wait {wait:.0f} seconds.", retry_after=wait)
        if is_right():
            return
        self._failures.take(client)
        self._all_failures.take(ALL)
        logger.warning("a wrong %s from %s", what, client)
        if what == "code":
            raise LoginError(
                "This code is wrong, was used already, or is too old.",
                "Sign in with the token, or start the server again for a new code.",
            )
        raise LoginError("The token is wrong.", "Whoever started the server was told where the right one is.")

    def _is_token(self, given: str) -> bool:
        try:
            right = self.token.reveal()
        except SettingsError:
            logger.exception("nobody can sign in")
            return False
        return hmac.compare_digest(_digest(given), _digest(right))


def cookie_names(request: web.Request) -> tuple[str, str]:
    """Of the cookie over HTTPS and over HTTP. A browser sends cookies to all ports of a host: hence the port."""
    name = request.transport.get_extra_info("sockname") if request.transport else None
    port = name[1] if isinstance(name, tuple) else 0
    return f"__Host-live-vlm-webui-{port}", f"live-vlm-webui-{port}"


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).digest()


LOGIN = web.AppKey("LOGIN", Login)
PATH = "/api/login"
