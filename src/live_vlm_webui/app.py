"""The web application: its parts, the order in which they are made, and its routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from live_vlm_webui import login, security
from live_vlm_webui.api import openapi, page, system
from live_vlm_webui.api.explain import explain_errors
from live_vlm_webui.api.keys import ASSETS, ENCODERS, HTTP, MONITOR, SETTINGS
from live_vlm_webui.assets import load_assets
from live_vlm_webui.models.connections import open_client
from live_vlm_webui.settings import Settings
from live_vlm_webui.system.monitor import Monitor

ENCODER_THREADS = 2


def create_app(settings: Settings) -> web.Application:
    """Make the application; all that it knows hangs on it and dies with it."""
    app = web.Application(middlewares=[explain_errors, *security.middlewares(settings)])
    app[SETTINGS] = settings
    app[ASSETS] = load_assets()
    app[login.LOGIN] = login.Login(settings)
    app.on_response_prepare.append(security.add_security_headers)
    app[MONITOR] = Monitor(settings.monitor_interval)
    for routes in (page.ROUTES, login.ROUTES, system.ROUTES, openapi.ROUTES):
        app.add_routes(routes)
    app.cleanup_ctx.extend((http, encoders, app[MONITOR].run))
    return app


async def http(app: web.Application) -> AsyncIterator[None]:
    """One client for all that is asked of other servers."""
    async with open_client() as app[HTTP]:
        yield


async def encoders(app: web.Application) -> AsyncIterator[None]:
    """The threads that scale and compress frames."""
    app[ENCODERS] = pool = ThreadPoolExecutor(ENCODER_THREADS, thread_name_prefix="encoder")
    yield
    pool.shutdown(cancel_futures=True)
