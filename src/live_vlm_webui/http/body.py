"""Read request bodies with limits on size, depth and time."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any, NoReturn

from aiohttp import web

from live_vlm_webui.errors import InputError, MediaTypeError, TooLargeError

JSON_BYTES = 64 * 1024
"""The largest JSON body; a WebRTC offer with many candidates has 20 KiB."""
DEPTH = 16
DIGITS = 20
READ_SECONDS = 30.0
"""How long a body may take to arrive, if nothing else is said."""

KINDS = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


async def read_json(request: web.Request, limit: int = JSON_BYTES) -> dict[str, Any]:
    """Read a body that must be a JSON object.

    Raises:
        MediaTypeError: It is not ``application/json``, which pages of other sites cannot send without permission
            (CORS).
        TooLargeError: It has more than ``limit`` bytes.
        InputError: It is not a JSON object, or is incomplete.
    """
    if request.content_type != "application/json":
        raise MediaTypeError(
            f"{request.path} accepts JSON, not {_shortened(request.content_type)}",
            "Send a JSON object with the header `Content-Type: application/json`.",
        )
    return parse_object(await read_body(request, limit))


async def read_body(request: web.Request, limit: int, seconds: float | None = None) -> bytes:
    """Read a body of at most ``limit`` bytes, decompressed, within ``seconds``; None for ``READ_SECONDS``.

    Raises:
        TooLargeError: It has more; the rest is not read.
        InputError: It is incomplete, too slow, or its compression does not match its header.
    """
    seconds = READ_SECONDS if seconds is None else seconds
    if (request.content_length or 0) > limit:
        raise _too_large(request, limit)
    try:
        return await asyncio.wait_for(_read(request, limit), seconds)
    except asyncio.TimeoutError:
        raise InputError(
            f"The body sent to {request.path} did not arrive within {seconds:.0f} seconds",
            "Send it again; on a slow connection, send a smaller one.",
        ) from None
    except (web.RequestPayloadError, OSError) as error:
        raise InputError(
            f"The body sent to {request.path} is incomplete or does not match its headers",
            "Send as many bytes as Content-Length states, encoded as Content-Encoding states.",
        ) from error


async def _read(request: web.Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise _too_large(request, limit)
    return bytes(body)


def _too_large(request: web.Request, limit: int) -> TooLargeError:
    return TooLargeError(f"The body sent to {request.path} is too large", f"Send at most {limit // 1024} KiB.")


def parse_object(text: str | bytes) -> dict[str, Any]:
    """Parse a JSON object.

    Stricter than ``json.loads``: no duplicate names, no NaN or infinity, no number with more than ``DIGITS`` digits,
    nesting up to ``DEPTH``, and no lone surrogates, which cannot be encoded as UTF-8.

    Raises:
        InputError: It is not such an object.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
        )
        _check_text(text, value)
    except UnicodeError:
        raise InputError("The JSON is not valid UTF-8 text", "Send JSON in UTF-8, without lone surrogates.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        reason = f"{error.msg} at character {error.pos}" if isinstance(error, json.JSONDecodeError) else "wrong form"
        raise InputError(f"The JSON is invalid: {reason}", "Send one complete JSON object in UTF-8.") from None
    if not isinstance(value, dict):
        raise InputError(
            f"The JSON is {kind_of(value)}, not an object", 'Send an object, such as {"prompt": "What is there?"}.'
        )
    if _depth(value) > DEPTH:
        raise _too_deep()
    return value


def text_of(body: dict[str, Any], name: str, longest: int) -> str:
    """Return the string named ``name``.

    Raises:
        InputError: It is missing, empty, not a string, or longer than ``longest`` characters.
    """
    value = body.get(name)
    if not isinstance(value, str) or not value:
        what = f"{name} is {kind_of(value)}" if name in body else f"{name} is missing"
        raise InputError(what, f"Send {name} as a non-empty string.")
    if len(value) > longest:
        raise InputError(f"{name} has {len(value)} characters", f"Send at most {longest}.")
    return value


def check_names(body: dict[str, Any], *names: str) -> None:
    """Reject unknown names, so that typing errors are noticed.

    Raises:
        InputError: ``body`` has a name that is not in ``names``.
    """
    if unknown := sorted(set(body) - set(names)):
        raise InputError(f"Unknown name {_shortened(unknown[0])}", f"Use only: {', '.join(names)}.")


def kind_of(value: object) -> str:
    """Return the JSON type of ``value`` for messages."""
    if value == "":
        return "an empty string"
    return KINDS.get(type(value), "null")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for name, held in pairs:
        if name in value:
            raise InputError(f"The name {_shortened(name)} occurs twice", "Send each name once.")
        value[name] = held
    return value


def _integer(digits: str) -> int:
    if len(digits) > DIGITS:
        raise InputError(f"A number has {len(digits)} digits", f"Send numbers with at most {DIGITS} digits.")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise InputError(f"The number {_shortened(digits)} is too large", "Send a smaller one.")
    return value


def _constant(name: str) -> NoReturn:
    raise InputError(f"{name} is not a JSON number", "Send a number, or leave it out.")


def _check_text(text: str, value: object) -> None:
    """Raise UnicodeError if ``text`` contains lone surrogates, plain or escaped."""
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    else:
        text.encode("utf-8")


def _depth(value: object) -> int:
    deepest = 0
    left = [(value, 1)]
    while left:
        one, depth = left.pop()
        if isinstance(one, dict):
            left += [(held, depth + 1) for held in one.values()]
        elif isinstance(one, list):
            left += [(held, depth + 1) for held in one]
        deepest = max(deepest, depth)
    return deepest


def _too_deep() -> InputError:
    return InputError("The JSON is nested too deeply", f"Send at most {DEPTH} levels.")


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
