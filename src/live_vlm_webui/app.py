"""The web application: its parts, the order in which they are made, and its routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, web

from live_vlm_webui import login, security
from live_vlm_webui.api import page
from live_vlm_webui.api.explain import explain_errors
from live_vlm_webui.api.keys import ASSETS, ENCODERS, HTTP, SETTINGS
from live_vlm_webui.assets import load_assets
from live_vlm_webui.settings import Settings

ENCODER_THREADS = 2
CONNECT_SECONDS = 10.0


def create_app(settings: Settings) -> web.Application:
    """Make the application; all that it knows hangs on it and dies with it."""
    app = web.Application(middlewares=[explain_errors, *security.middlewares(settings)])
    app[SETTINGS] = settings
    app[ASSETS] = load_assets()
    app[login.LOGIN] = login.Login(settings)
    app.on_response_prepare.append(security.add_security_headers)
    for routes in (page.ROUTES, login.ROUTES):
        app.add_routes(routes)
    app.cleanup_ctx.extend((http, encoders))
    return app


async def http(app: web.Application) -> AsyncIterator[None]:
    """One client for all that is asked of other servers; it keeps no cookies, which would cross from user to user."""
    timeout = ClientTimeout(total=None, connect=CONNECT_SECONDS)
    async with ClientSession(timeout=timeout, cookie_jar=DummyCookieJar()) as app[HTTP]:
        yield


async def encoders(app: web.Application) -> AsyncIterator[None]:
    """The threads that scale and compress frames."""
    app[ENCODERS] = pool = ThreadPoolExecutor(ENCODER_THREADS, thread_name_prefix="encoder")
    yield
    pool.shutdown(cancel_futures=True)
