"""Sign in: browsers with the token or a one-time code, for a cookie; programs with the token in a header."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math
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
MOST_CODES = 1
"""A new code invalidates the one before: a link that was shown or printed and forgotten lets no browser in."""
SESSION_SECONDS = 30 * 24 * 3600.0
"""A browser that is away for this long must sign in again."""
MOST_SESSIONS = 256
FAILURES = 5
"""Failed attempts that an address may have at once; one more is allowed every ``FAILURE_SECONDS``."""
FAILURE_SECONDS = 12.0
ALL_FAILURES = 60
"""Failed attempts of all addresses together; one more is allowed every second."""
ALL = "all"


class Login:
    """Tokens, one-time codes and signed-in browsers.

    Args:
        settings: The server's settings.
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._token = settings.token
        self._codes = Tickets(CODE_SECONDS, MOST_CODES, clock)
        self._sessions = Tickets(SESSION_SECONDS, MOST_SESSIONS, clock)
        self._busy: dict[bytes, set[Transport]] = {}
        self._failures = TokenBuckets(1 / FAILURE_SECONDS, FAILURES, clock=clock)
        self._all_failures = TokenBuckets(1.0, ALL_FAILURES, clock=clock)
        self._warned_about_proxy = False

    @property
    def token(self) -> Secret:
        """The token: the one in the settings, or one that is generated when first needed, and kept.

        Raises:
            SettingsError: It can be neither read nor created.
        """
        if self._token is None:
            self._token = kept_token(self.settings.data_dir)
            hide(self._token, for_good=True)
        return self._token

    def make_code(self) -> str:
        """Create a code that signs one browser in, once, within ``CODE_SECONDS``; the one before is no longer valid."""
        return self._codes.issue()

    def is_required(self, request: web.Request) -> bool:
        """Return whether the client of ``request`` must be signed in.

        A proxy on this machine makes a server on loopback reachable from other machines, so forwarded requests need it.
        """
        return self.settings.login_required or is_forwarded(request)

    def check(self, request: web.Request) -> None:
        """Check that the client of ``request`` is signed in, if it must be.

        Raises:
            LoginError: It is not signed in.
            LimitError: Its address has failed too often.
        """
        if self.is_signed_in(request):
            return
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            self._attempt(request, "token", lambda: self._is_token(token.strip()))
            return
        self._warn_about_proxy()
        raise LoginError(
            "This server requires signing in",
            "Open the server's page in a browser and sign in with its token, or send the token in the header"
            " `Authorization: Bearer TOKEN`. The server printed at start where the token is.",
        )

    def _warn_about_proxy(self) -> None:
        """Log once where the token is, which was not needed until a proxy forwarded a request."""
        if self.settings.login_required or self._warned_about_proxy:
            return
        self._warned_about_proxy = True
        logger.warning(
            "a proxy forwards requests, so their clients must sign in with the token in %s;"
            " set the proxy's host name with --allow-host",
            token_path(self.settings.data_dir),
        )
        try:
            _ = self.token
        except SettingsError:
            logger.exception("signing in is not possible")

    def is_signed_in(self, request: web.Request) -> bool:
        """Return whether the client of ``request`` is signed in by its cookie, or need not be."""
        if not self.is_required(request):
            return True
        return any(self._sessions.renew(request.cookies.get(name, "")) for name in cookie_names(request))

    @contextmanager
    def cut_at_sign_out(self, request: web.Request) -> Iterator[None]:
        """Within this block, close the connection of ``request`` if its browser signs out: a WebSocket lasts long.

        Not after the block: a proxy may reuse the connection for another browser's request.
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
        """Sign a browser in with the token or a code.

        Returns:
            The value of its cookie.

        Raises:
            LoginError: The token or code is wrong, or the code was used already or has expired.
            LimitError: The browser's address has failed too often.
        """
        if code:
            self._attempt(request, "code", lambda: self._codes.spend(code))
        else:
            self._attempt(request, "token", lambda: self._is_token(token))
        return self._sessions.issue()

    def sign_out(self, request: web.Request) -> None:
        """Invalidate the cookie of ``request`` and close all other connections that use it."""
        for name in cookie_names(request):
            cookie = request.cookies.get(name, "")
            self._sessions.spend(cookie)
            for connection in self._busy.pop(_digest(cookie), ()):
                if connection is not request.transport:
                    connection.abort()

    def _attempt(self, request: web.Request, what: str, is_right: Callable[[], bool]) -> None:
        """Raise unless ``is_right`` returns True; it is not called after too many failed attempts."""
        client = client_of(request, self.settings)
        wait = max(self._failures.wait(client), self._all_failures.wait(ALL))
        if wait:
            raise LimitError("Too many failed attempts to sign in", f"Wait {math.ceil(wait)} s.", retry_after=wait)
        if is_right():
            return
        self._failures.take(client)
        self._all_failures.take(ALL)
        logger.warning("wrong %s from %s", what, client)
        if what == "code":
            raise LoginError(
                "This code is wrong, was used already or has expired",
                "Sign in with the token, or show a new code on a page that is signed in.",
            )
        raise LoginError("The token is wrong", "Use the token whose location the server printed at start.")

    def _is_token(self, given: str) -> bool:
        try:
            right = self.token.reveal()
        except SettingsError:
            logger.exception("signing in is not possible")
            return False
        return hmac.compare_digest(_digest(given), _digest(right))


def cookie_names(request: web.Request) -> tuple[str, str]:
    """Return the names of the cookie over HTTPS and over HTTP. Browsers share cookies between ports, hence the port."""
    name = request.transport.get_extra_info("sockname") if request.transport else None
    port = name[1] if isinstance(name, tuple) else 0
    return f"__Host-live-vlm-webui-{port}", f"live-vlm-webui-{port}"


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).digest()


LOGIN = web.AppKey("LOGIN", Login)
PATH = "/api/login"
