"""What hangs on the application object, and by which key handlers reach it.

Types alone are imported: an application without a camera or model loads nothing of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.http.assets import Asset

if TYPE_CHECKING:
    from asyncio import Semaphore
    from concurrent.futures import ThreadPoolExecutor

    from aiohttp import ClientSession

    from live_vlm_webui.api.loading import Loader
    from live_vlm_webui.media.preview import Previews
    from live_vlm_webui.media.stream.pool import CameraPool
    from live_vlm_webui.models.catalog import Catalog
    from live_vlm_webui.sessions.metrics import Metrics
    from live_vlm_webui.sessions.registry import Sessions
    from live_vlm_webui.sessions.session import Session
    from live_vlm_webui.system.monitor import Monitor

ASSETS = web.AppKey("ASSETS", Mapping[str, Asset])
SETTINGS = web.AppKey("SETTINGS", Settings)
HTTP: web.AppKey[ClientSession] = web.AppKey("HTTP")
"""For all that the server asks of others."""
ENCODERS: web.AppKey[ThreadPoolExecutor] = web.AppKey("ENCODERS")
"""The threads in which frames are scaled and compressed."""
MONITOR: web.AppKey[Monitor] = web.AppKey("MONITOR")
OFFERS: web.AppKey[Semaphore] = web.AppKey("OFFERS")
"""How many more offers may be worked on; the others wait."""
PICTURES: web.AppKey[Semaphore] = web.AppKey("PICTURES")
"""How many more pictures may be decoded; the others wait."""
UPLOADS: web.AppKey[Semaphore] = web.AppKey("UPLOADS")
"""How many more pictures may be on their way."""
LOADER: web.AppKey[Loader] = web.AppKey("LOADER")
CATALOG: web.AppKey[Catalog] = web.AppKey("CATALOG")
LISTINGS: web.AppKey[Semaphore] = web.AppKey("LISTINGS")
"""How many more other servers may be asked for their models."""
CAMERAS: web.AppKey[CameraPool] = web.AppKey("CAMERAS")
PREVIEWS: web.AppKey[Previews] = web.AppKey("PREVIEWS")
PREVIEWERS: web.AppKey[Semaphore] = web.AppKey("PREVIEWERS")
"""How many more may look at previews."""
VIEWERS: web.AppKey[set[web.WebSocketResponse]] = web.AppKey("VIEWERS")
"""The WebSockets of all sessions."""
SESSIONS: web.AppKey[Sessions] = web.AppKey("SESSIONS")
METRICS: web.AppKey[Metrics] = web.AppKey("METRICS")


def session_of(request: web.Request) -> Session:
    """The session that the path names.

    Raises:
        NotFoundError: There is none, or it has ended.
    """
    return request.app[SESSIONS].get(request.match_info["session"])
