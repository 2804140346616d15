"""Convert failed answers and connection errors to ``ModelError``.

Ollama, vLLM, SGLang, llama.cpp, NIM and OpenAI use different words and statuses for the same failure. The server's
message is quoted, shortened, on one line and without the key; web pages are not quoted.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import aiohttp

from live_vlm_webui.errors import ModelError
from live_vlm_webui.models.endpoint import Endpoint
from live_vlm_webui.models.failure_text import one_line, said_in, wait_of

SEES_NOTHING = re.compile(
    r"not a multimodal model"
    r"|\b(images?|image_url|vision|multi-?modal)( (inputs?|contents?|data|parts?|messages?))? (is|are) (not|only) "
    r"(supported|allowed|enabled|available)"
    r"|(not|n't|cannot) (support|accept|allow|process|handle)\w* (.{0,20} )?"
    r"(images?(?!/| (format|size|type|dimension|resolution))|image_url|vision|multi-?modal)\b"
    r"|missing data required for image input|\bmmproj\b"
    r"|no endpoints found that support image|at most 0 image"
    r"|(unknown|unsupported|invalid) (variant|content part|content type|message content).{0,30}image",
    re.IGNORECASE,
)
SEEING_WORD = re.compile(r"image|vision|modal|mmproj", re.IGNORECASE)
TOO_MANY_PICTURES = re.compile(r"at most (\d+) image|too many images|(only|maximum of) (one|1) image", re.IGNORECASE)
TOO_LONG = re.compile(
    r"context (length|window|size)|maximum .{0,20}(length|tokens)|too (long|large)|exceeds", re.IGNORECASE
)
MODEL_MISSING = re.compile(
    r"\b(model|function|deployment|engine)\b.*(not found|does not exist|unknown|not exist|no such|not available)"
    r"|no such model|(unknown|invalid) model",
    re.IGNORECASE,
)
LOADING = re.compile(r"loading|starting|not ready|warming", re.IGNORECASE)
QUOTA = re.compile(r"quota|billing|credit|balance|payment", re.IGNORECASE)


def cause_of_status(
    status: int, headers: Mapping[str, str], body: bytes, *, endpoint: Endpoint, model: str, pictures: int = 1
) -> ModelError:
    """Return the cause of an unsuccessful HTTP response.

    Args:
        status: The HTTP status, 300 or more.
        headers: The headers of the response.
        body: The start of its body.
        endpoint: The server that was asked.
        model: The model that was asked; empty if none.
        pictures: The number of pictures in the question.
    """
    where = endpoint.api_base
    said = said_in(body, endpoint)
    quote = _quoted(said)
    named = rf"(?<!\w){re.escape(model)}(?!\w)"
    # A name such as llama-vision must not look like a cause, and one such as "a" is part of ordinary words.
    bare = re.sub(named, "it", said) if SEEING_WORD.search(model) else said
    if status < 400:
        return _redirected(where, headers)
    if status in {401, 403}:
        return _unauthorised(endpoint, status, quote)
    if status == 429:
        return _rate_limited(where, headers, said)
    if model and pictures > 1 and (found := TOO_MANY_PICTURES.search(bare)) and found[1] != "0":
        return ModelError(
            "refused",
            f"{model} at {where} does not accept {pictures} pictures in one question{quote}",
            "Lower the frames per question, or start its server with a higher image limit.",
        )
    if model and SEES_NOTHING.search(bare):
        return ModelError(
            "not-vision",
            f"{model} at {where} does not accept pictures{quote}",
            "Choose a vision model, such as qwen2.5-vl, gemma3 or llava; llama.cpp also needs --mmproj.",
        )
    if model and (MODEL_MISSING.search(said) or (status == 404 and re.search(named, said))):
        install = f", or install it: `ollama pull {model}`" if "pull" in said else ""
        return ModelError(
            "model-missing",
            f"{where} has no model {model}{quote}",
            f"Choose a model that it lists{install}.",
        )
    return _other_status(status, where, headers, said, quote)


def _redirected(where: str, headers: Mapping[str, str]) -> ModelError:
    to = ""
    with suppress(ValueError):  # not a URL
        target = urlsplit(headers.get("Location", ""))
        if target.scheme in {"http", "https"} and target.hostname and target.hostname.isprintable():
            to = f" to {target.scheme}://{target.hostname}"
    return ModelError(
        "refused",
        f"{where} redirects{to}; redirects are not followed, since pictures and key are meant only for that address",
        "Use the address that it redirects to, if you trust it.",
    )


def _unauthorised(endpoint: Endpoint, status: int, quote: str) -> ModelError:
    if endpoint.key is None:
        return ModelError(
            "unauthorised",
            f"{endpoint.api_base} requires an API key, and none is set{quote}",
            "Enter the key for this address in the page, or set it with --api-key @FILE or LIVE_VLM_API_KEY.",
        )
    return ModelError(
        "unauthorised",
        f"{endpoint.api_base} rejected the API key (HTTP {status}){quote}",
        "Check that the key is complete, valid and allowed to use this model, then enter it again.",
    )


def _rate_limited(where: str, headers: Mapping[str, str], said: str) -> ModelError:
    wait = wait_of(headers, said)
    if wait is None and QUOTA.search(said):
        return ModelError(
            "rate-limited",
            f"The quota of this key at {where} is used up{_quoted(said)}",
            "Check the plan and billing of the account, or choose another server.",
        )
    after = "" if wait is None else f" for {wait:.0f} s" if wait >= 1 else " for a moment"
    return ModelError(
        "rate-limited",
        f"{where} accepts no more questions{after}{_quoted(said)}",
        "Ask less often: every few seconds, or when the picture changes.",
        wait,
    )


def _other_status(status: int, where: str, headers: Mapping[str, str], said: str, quote: str) -> ModelError:
    if status == 404:
        return ModelError(
            "bad-answer",
            f"{where} has no /chat/completions or /models (HTTP 404){quote}",
            "Check the address; that of an OpenAI-compatible API usually ends in /v1.",
        )
    if status in {408, 504}:
        return ModelError(
            "timeout", f"{where} timed out (HTTP {status}){quote}", "Choose a smaller model or a shorter answer."
        )
    if status == 413 or (status in {400, 422} and TOO_LONG.search(said)):
        return ModelError(
            "refused",
            f"The question is too long for {where} (HTTP {status}){quote}",
            "Send fewer or smaller pictures, allow shorter answers, or start the server with a longer context.",
        )
    if status in {502, 503}:
        if status == 503 and not LOADING.search(said):
            return ModelError(
                "rate-limited",
                f"{where} is overloaded (HTTP 503){quote}",
                "Wait for the next try; if this continues, ask less often or choose a smaller model.",
                wait_of(headers, said),
            )
        what = "is not ready yet" if LOADING.search(said) else "cannot be reached behind its proxy"
        return ModelError(
            "unreachable",
            f"The model server at {where} {what} (HTTP {status}){quote}",
            "Wait until it has loaded its model; if this continues, check its log.",
        )
    return ModelError(
        "refused",
        f"{where} failed to answer (HTTP {status}){quote}",
        "Check the log of the model server." if status >= 500 else "Check the settings of the question.",
    )


def cause_of_exception(error: Exception, endpoint: Endpoint, *, answering: bool) -> ModelError:
    """Return the cause of a connection error.

    Args:
        error: ``aiohttp.ClientError``, ``OSError`` or ``ValueError``.
        endpoint: The server that was asked.
        answering: Whether the answer had started.
    """
    where = endpoint.api_base
    if isinstance(error, aiohttp.ClientSSLError):
        return ModelError(
            "unreachable",
            f"The TLS connection to {where} failed: {one_line(_reason_of(error), endpoint)}",
            "Check the address and the clock, or give the server a certificate that this machine trusts.",
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return ModelError(
            "unreachable",
            f"The host name {endpoint.host} in {where} cannot be resolved or is not allowed",
            "Check the spelling, and the network of this machine.",
        )
    if isinstance(error, aiohttp.ServerTimeoutError | TimeoutError):
        return ModelError("unreachable", f"{where} does not accept connections", _start_it(endpoint))
    if isinstance(error, aiohttp.ClientConnectorError):
        return ModelError(
            "unreachable", f"Cannot connect to {where}: {one_line(_reason_of(error), endpoint)}", _start_it(endpoint)
        )
    if answering:
        return ModelError(
            "unreachable",
            f"{where} closed the connection in the middle of its answer",
            "Wait for the next try; if this repeats, check the log of the model server.",
        )
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return ModelError(
            "unreachable",
            f"{where} closed the connection without an answer",
            "Check that the model server is running, and its log.",
        )
    return ModelError(
        "bad-answer",
        f"The server at {where} sent an invalid HTTP response",
        "Check the address and its port, and whether it needs https.",
    )


def bad_answer(endpoint: Endpoint, what: str) -> ModelError:
    """Return the error for an invalid answer; ``what`` starts with a verb in the past."""
    return ModelError(
        "bad-answer",
        f"{endpoint.api_base} {what}",
        "Check the address; that of an OpenAI-compatible API usually ends in /v1.",
    )


def _quoted(said: str) -> str:
    return f": {said.rstrip('.')}" if said else ""


def _reason_of(error: Exception) -> str:
    """Return the reason without addresses, such as ``Connection refused`` or ``certificate has expired``."""
    inner = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    number = inner.errno if isinstance(inner, OSError) and not isinstance(inner, ssl.SSLError) else None
    return os.strerror(number) if number else getattr(inner, "strerror", None) or str(inner)


def _start_it(endpoint: Endpoint) -> str:
    if endpoint.is_local:
        return (
            "Start the model server, or choose another. In a container, 127.0.0.1 is the container itself:"
            " use the name of the host instead."
        )
    return "Check the address, that the model server is running, and that no firewall blocks it."
