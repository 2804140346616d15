"""``GET /metrics``: metrics for Prometheus, without prompts, answers or ids."""

from __future__ import annotations

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from live_vlm_webui.api.keys import METRICS


async def show(request: web.Request) -> web.Response:
    """Send all metrics in the Prometheus text format."""
    body = generate_latest(request.app[METRICS].registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


ROUTES = (web.get("/metrics", show),)
