"""Read a failed answer: its text, its message, and how long to wait."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from aiohttp import ClientError, ClientResponse

from live_vlm_webui.models.deadline import Deadline
from live_vlm_webui.models.endpoint import Endpoint

LONGEST_FAILURE = 64 * 1024
FAILURE_SECONDS = 5.0
LONGEST_QUOTE = 300
LONGEST_WAIT = 24 * 3600.0
WAIT_IN_WORDS = re.compile(r"(?:try again|retry) (?:in|after) (\d+(?:\.\d+)?) ?(ms|m\b|s|sec|min)?", re.IGNORECASE)


async def read_failure(response: ClientResponse) -> bytes:
    """Return the start of a failed answer, as far as it can be read. Close the connection if more follows."""
    pieces: list[bytes] = []
    size = 0
    try:
        with Deadline(FAILURE_SECONDS):
            while size < LONGEST_FAILURE and (piece := await response.content.readany()):
                pieces.append(piece)
                size += len(piece)
    except (ClientError, TimeoutError, OSError):
        pass  # the status is sufficient
    finally:
        response.close()
    return b"".join(pieces)[:LONGEST_FAILURE]


def said_in(body: bytes, endpoint: Endpoint) -> str:
    """Return the message in the start of a failed answer, on one line, shortened and without the key; may be empty.

    It is in ``error``, ``error.message``, ``message``, ``detail`` (FastAPI's is a list), ``title``, or plain text.
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        found = _message_in(json.loads(text))
    except (ValueError, RecursionError):
        found = "" if "<" in text or len(text) > LONGEST_QUOTE else text
    return one_line(found, endpoint)


def wait_of(headers: Mapping[str, str], said: str) -> float | None:
    """Return the seconds to wait before the next question, from ``Retry-After`` or the message; None if unknown."""
    value = headers.get("Retry-After", "").strip()
    wait: float | None = None
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value, re.ASCII):
        wait = float(value)
    elif value:
        try:
            wait = parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError, OverflowError):
            wait = None
    if wait is None and (found := WAIT_IN_WORDS.search(said)):
        unit = (found[2] or "s").lower()
        wait = float(found[1]) * {"ms": 0.001, "m": 60.0, "min": 60.0}.get(unit, 1.0)
    return None if wait is None else min(max(wait, 0.0), LONGEST_WAIT)


def one_line(text: str, endpoint: Endpoint) -> str:
    """Return ``text`` on one line, shortened and without the endpoint's key."""
    if endpoint.key is not None:
        text = text.replace(endpoint.key.reveal(), "***")
    text = "".join(character if character.isprintable() else " " for character in text[: 4 * LONGEST_QUOTE])
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"


def _message_in(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_message_in, value[:4])))
    if not isinstance(value, dict):
        return ""
    for name in ("error", "message", "detail", "msg", "title"):
        if found := _message_in(value.get(name)):
            place = value.get("loc")
            return f"{'.'.join(map(str, place[:8]))}: {found}" if name == "msg" and isinstance(place, list) else found
    return ""
