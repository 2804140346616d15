"""The JSON of a request for chat completions, and of its record for people."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.dialect import Dialect
from live_vlm_webui.models.model import Question

JPEG = "data:image/jpeg;base64,"


def body_of(question: Question, model: str, dialect: Dialect) -> bytes:
    """Return the JSON body of a request, with the pictures as ``data:`` URLs."""
    body = _body(question, model, dialect, lambda picture: base64.b64encode(picture.jpeg).decode("ascii"))
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def record_of(question: Question, model: str, dialect: Dialect) -> dict[str, Any]:
    """Return the same body, with the size of each picture in place of the picture."""
    return _body(question, model, dialect, _size)


def left_out(question: Question, dialect: Dialect) -> tuple[str, ...]:
    """Return the settings of a question that the model does not accept."""
    return ("temperature",) if question.temperature is not None and not dialect.temperature else ()


def _body(question: Question, model: str, dialect: Dialect, shown: Callable[[Picture], str]) -> dict[str, Any]:
    """Return the body: the system prompt, then the pictures, oldest first, then the prompt."""
    system, prompt = question.system_prompt, question.prompt
    if system and not dialect.system:
        system, prompt = "", f"{system}\n\n{prompt}"
    content: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": f"{JPEG}{shown(picture)}"}} for picture in question.pictures
    ]
    content.append({"type": "text", "text": prompt})
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": content})
    parameters = dialect.parameters(question.max_tokens, reasoning=question.reasoning, temperature=question.temperature)
    return {"model": model, "messages": messages, "stream": True, **parameters}


def _size(picture: Picture) -> str:
    return f"({picture.width}x{picture.height}, {len(picture.jpeg)} bytes)"
