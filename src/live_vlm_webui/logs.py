"""What the server logs, and what it never does: secrets, queries and whole ids of sessions."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http_exceptions import HttpProcessingError

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.secret import Secret

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
TALKATIVE = ("aioice", "asyncio")
"""Libraries that tell at level info what a user of theirs would at debug: each address that a browser is tried at."""
SHORTEST_REDACTED = 6
"""A shorter secret could be part of any word."""
MOST_GIVEN = 256
"""Keys that sessions gave: the last are taken out of what is logged."""
SHORTEST_GIVEN = 12
"""With a shorter one a session could blot out what others need to read."""
SHOWN_OF_ID = 6
SESSION_ID = re.compile(rf"(?<=/sessions/)([^/]{{{SHOWN_OF_ID}}})[^/]+")
"""In a path. Who knows the whole id of a session can use it."""


def configure(settings: Settings) -> None:
    """Log to standard error at the level that ``settings`` ask for."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(FORMAT, [one for one in (settings.token, settings.api_key) if one]))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    logging.getLogger("aiohttp.server").addFilter(shorten_bad_requests)
    if settings.log_level != "debug":
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)


def hide(secret: Secret, *, for_good: bool = False) -> None:
    """Take ``secret`` out of whatever is logged from now on: ``for_good``, or until ``MOST_GIVEN`` newer ones came."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, RedactingFormatter):
            handler.formatter.hide(secret, for_good=for_good)


def shown_id(session: str) -> str:
    """As much of a session's id as tells it from others, and is no use to who reads it."""
    return f"{session[:SHOWN_OF_ID]}..."


def shown_path(request: web.BaseRequest) -> str:
    """The path of a request as it was sent, with no whole id of a session and without the query."""
    return SESSION_ID.sub(r"\1...", request.rel_url.raw_path)


class RedactingFormatter(logging.Formatter):
    """Puts asterisks in the place of secrets, wherever in a record they are.

    Args:
        layout: As of ``logging.Formatter``.
        secrets: What must not be shown, for good.
    """

    def __init__(self, layout: str, secrets: Iterable[Secret]) -> None:
        super().__init__(layout)
        self._values: list[str] = []
        self._given: dict[str, None] = {}
        for secret in secrets:
            self.hide(secret, for_good=True)

    def hide(self, secret: Secret, *, for_good: bool = False) -> None:
        """As the function of that name."""
        value = secret.reveal()
        if len(value) < (SHORTEST_REDACTED if for_good else SHORTEST_GIVEN) or value in self._values:
            return
        self._given.pop(value, None)
        if for_good:
            self._values.append(value)
            return
        self._given[value] = None
        if len(self._given) > MOST_GIVEN:
            del self._given[next(iter(self._given))]

    def format(self, record: logging.LogRecord) -> str:
        """As ``logging.Formatter`` does."""
        text = super().format(record)
        for value in sorted((*self._values, *self._given), key=len, reverse=True):  # one may be a part of another
            text = text.replace(value, "***")
        return text


class AccessLogger(AbstractAccessLogger):
    """One line a request: who, what, status, time."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """As aiohttp has it; ``time`` in seconds."""
        self.logger.info(
            "%s %s %s %d %.1f ms",
            request.remote,
            request.method,
            shown_path(request),
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
