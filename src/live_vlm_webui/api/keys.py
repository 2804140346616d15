"""The keys of the application object's parts.

Only types are imported, so an application without a camera or model loads the code of neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.http.assets import Asset
from live_vlm_webui.http.languages import Pages

if TYPE_CHECKING:
    from asyncio import Semaphore
    from concurrent.futures import ThreadPoolExecutor

    from aiohttp import ClientSession

    from live_vlm_webui.api.loading import Loader
    from live_vlm_webui.describer.describer import Describer
    from live_vlm_webui.media.preview import Previews
    from live_vlm_webui.media.stream.pool import CameraPool
    from live_vlm_webui.models.catalog import Catalog
    from live_vlm_webui.sessions.metrics import Metrics
    from live_vlm_webui.sessions.registry import Sessions
    from live_vlm_webui.sessions.session import Session
    from live_vlm_webui.system.monitor import Monitor

ASSETS = web.AppKey("ASSETS", Mapping[str, Asset])
PAGES = web.AppKey("PAGES", Pages)
SETTINGS = web.AppKey("SETTINGS", Settings)
HTTP: web.AppKey[ClientSession] = web.AppKey("HTTP")
"""The client for requests to other servers."""
ENCODERS: web.AppKey[ThreadPoolExecutor] = web.AppKey("ENCODERS")
"""The threads in which frames are scaled and compressed."""
MONITOR: web.AppKey[Monitor] = web.AppKey("MONITOR")
OFFERS: web.AppKey[Semaphore] = web.AppKey("OFFERS")
"""How many WebRTC offers may be processed at a time; others wait."""
PICTURES: web.AppKey[Semaphore] = web.AppKey("PICTURES")
"""How many uploaded pictures may be decoded at a time; others wait."""
UPLOADS: web.AppKey[Semaphore] = web.AppKey("UPLOADS")
"""How many pictures may be uploaded at a time; others are rejected."""
LOADER: web.AppKey[Loader] = web.AppKey("LOADER")
CATALOG: web.AppKey[Catalog] = web.AppKey("CATALOG")
DESCRIBER: web.AppKey[Describer] = web.AppKey("DESCRIBER")
LISTINGS: web.AppKey[Semaphore] = web.AppKey("LISTINGS")
"""How many other servers may be listed at a time; others are rejected."""
CAMERAS: web.AppKey[CameraPool] = web.AppKey("CAMERAS")
PREVIEWS: web.AppKey[Previews] = web.AppKey("PREVIEWS")
PREVIEWERS: web.AppKey[Semaphore] = web.AppKey("PREVIEWERS")
"""How many previews may be open at a time; others are rejected."""
VIEWERS: web.AppKey[set[web.WebSocketResponse]] = web.AppKey("VIEWERS")
"""The WebSockets of all sessions."""
SESSIONS: web.AppKey[Sessions] = web.AppKey("SESSIONS")
METRICS: web.AppKey[Metrics] = web.AppKey("METRICS")


def session_of(request: web.Request) -> Session:
    """Return the session named in the path.

    Raises:
        NotFoundError: It does not exist or has ended.
    """
    return request.app[SESSIONS].get(request.match_info["session"])
