"""The web application: its parts, the order in which they are created, and its routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from aiohttp import web

from live_vlm_webui.api import (
    answers,
    camera,
    events,
    login,
    metrics,
    models,
    offer,
    openapi,
    page,
    preview,
    sessions,
    system,
)
from live_vlm_webui.api.keys import (
    ASSETS,
    CAMERAS,
    CATALOG,
    DESCRIBER,
    ENCODERS,
    HTTP,
    LISTINGS,
    LOADER,
    METRICS,
    MONITOR,
    OFFERS,
    PAGES,
    PICTURES,
    PREVIEWERS,
    PREVIEWS,
    SESSIONS,
    SETTINGS,
    UPLOADS,
    VIEWERS,
)
from live_vlm_webui.api.loading import Loader
from live_vlm_webui.config.settings import Settings
from live_vlm_webui.describer.describer import Describer
from live_vlm_webui.http.assets import load_assets
from live_vlm_webui.http.explain import explain_errors
from live_vlm_webui.http.joined import with_all_modules
from live_vlm_webui.http.languages import load_pages
from live_vlm_webui.media.preview import Previews
from live_vlm_webui.media.stream.pool import CameraPool
from live_vlm_webui.memory import give_back_memory
from live_vlm_webui.models.catalog import Catalog
from live_vlm_webui.models.connections import open_client
from live_vlm_webui.network.roots import ROOT_PATH, below
from live_vlm_webui.security.login import LOGIN, Login
from live_vlm_webui.security.middlewares import add_security_headers, middlewares
from live_vlm_webui.sessions.metrics import Metrics
from live_vlm_webui.sessions.registry import Sessions
from live_vlm_webui.sessions.sampling import EveryFrames, Free
from live_vlm_webui.sessions.settings import DEFAULT_PROMPT, SessionSettings
from live_vlm_webui.system.figures import Sample
from live_vlm_webui.system.monitor import Monitor

TRIM_SECONDS = 20.0
ENCODER_THREADS = 2
JOIN_SECONDS = 0.5
ROUTES = (
    *page.ROUTES,
    *login.ROUTES,
    *events.ROUTES,
    *offer.ROUTES,
    *sessions.ROUTES,
    *camera.ROUTES,
    *preview.ROUTES,
    *answers.ROUTES,
    *models.ROUTES,
    *system.ROUTES,
    *openapi.ROUTES,
    *metrics.ROUTES,
)


def create_app(settings: Settings) -> web.Application:
    """Create the application, which owns all its parts."""
    app = web.Application(middlewares=[explain_errors, *middlewares(settings)])
    app[SETTINGS] = settings
    app[ROOT_PATH] = settings.root_path
    app[ASSETS] = with_all_modules(load_assets())
    app[PAGES] = load_pages(app[ASSETS])
    app[LOGIN] = Login(settings)
    app[MONITOR] = Monitor(settings.monitor_interval)
    app[METRICS] = Metrics()
    app[LOADER] = Loader()
    app[VIEWERS] = set()
    app[LISTINGS] = asyncio.Semaphore(models.MOST_LISTINGS)
    app[OFFERS] = asyncio.Semaphore(offer.MOST_OFFERS)
    app[PICTURES] = asyncio.Semaphore(camera.MOST_PICTURES)
    app[UPLOADS] = asyncio.Semaphore(camera.MOST_UPLOADS)
    app[PREVIEWERS] = asyncio.Semaphore(preview.MOST_PREVIEWS)
    app.on_response_prepare.append(add_security_headers)
    app.on_shutdown.extend((end_loading, end_sessions))
    app.add_routes(ROUTES)
    app.add_routes(below(settings.root_path, ROUTES))
    app.cleanup_ctx.extend((app[MONITOR].run, http, encoders, memory, cameras, catalog, all_sessions))
    return app


async def http(app: web.Application) -> AsyncIterator[None]:
    """Provide one HTTP client for all requests to other servers."""
    async with open_client() as app[HTTP]:
        yield


async def encoders(app: web.Application) -> AsyncIterator[None]:
    """Provide the threads that scale and compress frames."""
    app[ENCODERS] = pool = ThreadPoolExecutor(ENCODER_THREADS, thread_name_prefix="encoder")
    yield
    await join(pool)


async def memory(app: web.Application) -> AsyncIterator[None]:
    """Return free memory to the system every ``TRIM_SECONDS``; see ``give_back_memory``."""

    async def trim() -> None:
        while True:
            await asyncio.sleep(TRIM_SECONDS)
            await asyncio.get_running_loop().run_in_executor(app[ENCODERS], give_back_memory)

    trimmer = asyncio.create_task(trim())
    yield
    trimmer.cancel()
    await asyncio.wait({trimmer})


async def cameras(app: web.Application) -> AsyncIterator[None]:
    """Provide the cameras that the server reads itself, and the previews of all cameras."""
    app[CAMERAS] = pool = CameraPool(app[SETTINGS].media_dirs)
    app[PREVIEWS] = Previews(app[ENCODERS])
    yield
    await pool.close()


async def catalog(app: web.Application) -> AsyncIterator[None]:
    """Provide the model catalog, and the thread of the built-in describer."""
    with_networks = ThreadPoolExecutor(1, thread_name_prefix="describer")
    settings = app[SETTINGS]
    app[DESCRIBER] = describer = Describer(with_networks)
    app[CATALOG] = found = Catalog(
        settings, app[HTTP], describer.model, foreign_endpoints=not settings.known_servers_only
    )
    found.start()
    yield
    await describer.close()
    await found.close()
    await join(with_networks)


async def all_sessions(app: web.Application) -> AsyncIterator[None]:
    """Provide the sessions, and send each monitor sample to all their browsers."""
    monitor = app[MONITOR]
    app[SESSIONS] = held = Sessions(
        catalog=app[CATALOG],
        encoders=app[ENCODERS],
        defaults=defaults_of(app[SETTINGS]),
        system=monitor.to_json,
        observe=app[METRICS].told,
    )
    app[METRICS].read_off(held, app[VIEWERS])

    def tell(sample: Sample) -> None:
        held.tell_all("system", interval=monitor.interval, sample=sample.to_json())

    unwatch = monitor.watch(tell)
    yield
    unwatch()
    await held.close()


async def join(pool: ThreadPoolExecutor) -> None:
    """Wait for the threads of ``pool``, but at most ``JOIN_SECONDS``."""
    ending = asyncio.to_thread(pool.shutdown, cancel_futures=True)
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(ending, JOIN_SECONDS)


async def end_loading(app: web.Application) -> None:
    """Import nothing more at shutdown."""
    app[LOADER].close()


async def end_sessions(app: web.Application) -> None:
    """Close the sessions at shutdown, before waiting for handlers: those of sessions end with them."""
    await app[SESSIONS].close()


def defaults_of(settings: Settings) -> SessionSettings:
    """Return the initial settings of a session."""
    return SessionSettings(
        prompt=settings.prompt or DEFAULT_PROMPT,
        system_prompt=settings.system_prompt or "",
        temperature=settings.temperature,
        sampling=EveryFrames(settings.process_every) if settings.process_every else Free(),
    )
