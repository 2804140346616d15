"""Logging, without secrets, query strings and full session ids."""

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
"""Libraries that log details at level info, such as each address tried for a browser."""
SHORTEST_REDACTED = 6
"""A shorter secret could be part of an ordinary word."""
MOST_GIVEN = 256
"""How many of the last keys given by sessions are redacted."""
SHORTEST_GIVEN = 12
"""With a shorter key, a session could redact ordinary words from the log."""
SHOWN_OF_ID = 6
SESSION_ID = re.compile(rf"(?<=/sessions/)([^/]{{{SHOWN_OF_ID}}})[^/]+")
"""In a path. A full id gives access to the session."""


def configure(settings: Settings) -> None:
    """Log to standard error at the level in ``settings``."""
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(FORMAT, [one for one in (settings.token, settings.api_key) if one]))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    logging.getLogger("aiohttp.server").addFilter(shorten_bad_requests)
    if settings.log_level != "debug":
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)


def hide(secret: Secret, *, for_good: bool = False) -> None:
    """Redact ``secret`` in the log: permanently if ``for_good``, else until ``MOST_GIVEN`` newer ones were given."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, RedactingFormatter):
            handler.formatter.hide(secret, for_good=for_good)


def shown_id(session: str) -> str:
    """Return a prefix of a session id: enough to tell sessions apart, too little to access one."""
    return f"{session[:SHOWN_OF_ID]}..."


def shown_path(request: web.BaseRequest) -> str:
    """Return the path of a request as sent, with session ids shortened and without the query."""
    return SESSION_ID.sub(r"\1...", request.rel_url.raw_path)


class RedactingFormatter(logging.Formatter):
    """A formatter that replaces secrets with asterisks anywhere in a record.

    Args:
        layout: The format of ``logging.Formatter``.
        secrets: The secrets to redact permanently.
    """

    def __init__(self, layout: str, secrets: Iterable[Secret]) -> None:
        super().__init__(layout)
        self._values: list[str] = []
        self._given: dict[str, None] = {}
        for secret in secrets:
            self.hide(secret, for_good=True)

    def hide(self, secret: Secret, *, for_good: bool = False) -> None:
        """Redact ``secret``; see the function ``hide``."""
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
        """Format ``record``, without secrets."""
        text = super().format(record)
        for value in sorted((*self._values, *self._given), key=len, reverse=True):  # one may contain another
            text = text.replace(value, "***")
        return text


class AccessLogger(AbstractAccessLogger):
    """Logs one line per request: client, method, path, status and duration."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log a request; ``time`` is in seconds."""
        self.logger.info(
            "%s %s %s %d %.1f ms",
            request.remote,
            request.method,
            shown_path(request),
            response.status,
            time * 1000,
        )


def shorten_bad_requests(record: logging.LogRecord) -> bool:
    """Log malformed HTTP at level debug, without traceback and content: anyone can send it."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError | web.RequestPayloadError):
        record.exc_info = record.exc_text = None
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        record.msg = f"{record.msg}: {type(error).__name__}"
        return logging.getLogger().isEnabledFor(logging.DEBUG)
    return True
