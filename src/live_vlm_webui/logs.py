"""What the server logs, and what it never does: secrets and queries."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError

from live_vlm_webui.secret import Secret
from live_vlm_webui.settings import Settings

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
TALKATIVE = ("aioice", "asyncio")
"""Libraries that tell at level info what a user of theirs would at debug: each address that a browser is tried at."""
SHORTEST_REDACTED = 6
"""A shorter secret could be part of any word."""


def configure(settings: Settings) -> None:
    """Log to standard error at the level that ``settings`` ask for."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(FORMAT, [one for one in (settings.token, settings.api_key) if one]))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    logging.getLogger("aiohttp.server").addFilter(shorten_bad_requests)
    if settings.log_level != "debug":
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)


class RedactingFormatter(logging.Formatter):
    """Puts asterisks in the place of secrets, wherever in a record they are.

    Args:
        layout: As of ``logging.Formatter``.
        secrets: What must not be shown.
    """

    def __init__(self, layout: str, secrets: Iterable[Secret]) -> None:
        super().__init__(layout)
        self._values = [value for one in secrets if len(value := one.reveal()) >= SHORTEST_REDACTED]

    def format(self, record: logging.LogRecord) -> str:
        """As ``logging.Formatter`` does."""
        text = super().format(record)
        for value in self._values:
            text = text.replace(value, "***")
        return text


class AccessLogger(AbstractAccessLogger):
    """One line a request: who, what, status, time; without the query, which may hold what should not be there."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """As aiohttp has it; ``time`` in seconds."""
        self.logger.info(
            "%s %s %s %d %.1f ms",
            request.remote,
            request.method,
            request.rel_url.raw_path,
            response.status,
            time * 1000,
        )


def shorten_bad_requests(record: logging.LogRecord) -> bool:
    """Filter: what is no HTTP is told without a traceback and without its bytes, for anybody can send it."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError | web.RequestPayloadError):
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        record.msg = f"{record.msg}: {type(error).__name__}"
        return logging.getLogger().isEnabledFor(logging.DEBUG)
    return True
