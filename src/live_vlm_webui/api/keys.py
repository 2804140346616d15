"""What hangs on the application object, and by which key handlers reach it.

Types alone are imported: an application without a camera or model loads nothing of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from live_vlm_webui.assets import Asset
from live_vlm_webui.settings import Settings

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from aiohttp import ClientSession

    from live_vlm_webui.system.monitor import Monitor

ASSETS = web.AppKey("ASSETS", Mapping[str, Asset])
SETTINGS = web.AppKey("SETTINGS", Settings)
HTTP: web.AppKey[ClientSession] = web.AppKey("HTTP")
"""For all that the server asks of others."""
ENCODERS: web.AppKey[ThreadPoolExecutor] = web.AppKey("ENCODERS")
"""The threads in which frames are scaled and compressed."""
MONITOR: web.AppKey[Monitor] = web.AppKey("MONITOR")
