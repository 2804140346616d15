"""How model servers word their failures."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web


def _openai(status: int, message: str, kind: str, code: Any = None, param: str | None = None) -> tuple[int, Any]:
    return status, {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _flat(status: int, message: str, kind: str) -> tuple[int, Any]:
    return status, {"object": "error", "message": message, "type": kind, "param": None, "code": status}


def _llamacpp(status: int, message: str, kind: str) -> tuple[int, Any]:
    return status, {"error": {"code": status, "message": message, "type": kind}}


def _problem(status: int, title: str, detail: str) -> tuple[int, Any]:
    return status, {"type": "about:blank", "status": status, "title": title, "detail": detail}


MMPROJ = "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"
FAILURES: dict[str, tuple[int, Any]] = {
    # As the servers word them; {model} is the one that was asked for. A text is sent as text.
    "openai-401": _openai(401, "Incorrect API key provided: sk-****.", "invalid_request_error", "invalid_api_key"),
    "openai-403": _openai(403, "Project does not have access to model `{model}`", "invalid_request_error"),
    "openai-404": _openai(
        404,
        "The model `{model}` does not exist or you do not have access to it.",
        "invalid_request_error",
        "model_not_found",
    ),
    "openai-not-vision": _openai(
        400, "Invalid content type. image_url is only supported by certain models.", "invalid_request_error"
    ),
    "openai-429": _openai(429, "Rate limit reached for {model}.", "requests", "rate_limit_exceeded"),
    "openai-quota": _openai(429, "You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
    "openai-500": _openai(500, "The server had an error while processing your request.", "server_error"),
    "openai-503": _openai(503, "The engine is currently overloaded, please try again later.", "server_error"),
    "ollama-404": _openai(404, 'model "{model}" not found, try pulling it first', "not_found_error"),
    "ollama-not-vision": _openai(
        500,
        "Failed to create new sequence: failed to process inputs: this model is missing data required for image input",
        "api_error",
    ),
    "ollama-503": _openai(503, "server busy, please try again.  maximum pending requests exceeded", "api_error"),
    "vllm-401": (401, {"error": "Unauthorized"}),
    "vllm-404": (
        404,
        {
            "error": {
                "message": "The model `{model}` does not exist.",
                "type": "NotFoundError",
                "param": "model",
                "code": 404,
            }
        },
    ),
    "vllm-404-old": _flat(404, "The model `{model}` does not exist.", "NotFoundError"),
    "vllm-not-vision": _flat(400, "{model} is not a multimodal model None", "BadRequestError"),
    "vllm-too-many-images": _flat(400, "At most 1 image(s) may be provided in one prompt.", "BadRequestError"),
    "vllm-too-long": _flat(
        400,
        "This model's maximum context length is 4096 tokens. However, you requested 5120 tokens.",
        "BadRequestError",
    ),
    "sglang-401": (401, {"error": "Unauthorized"}),
    "sglang-not-vision": _flat(400, "Model {model} does not support multimodal input: image_url", "BadRequest"),
    "llamacpp-401": _llamacpp(401, "Invalid API Key", "authentication_error"),
    "llamacpp-not-vision": _llamacpp(500, MMPROJ, "server_error"),
    "llamacpp-not-vision-400": _llamacpp(400, MMPROJ, "invalid_request_error"),
    "llamacpp-not-vision-old": _llamacpp(500, "image input is not supported by this server", "server_error"),
    "llamacpp-503": _llamacpp(503, "Loading model", "unavailable_error"),
    "nim-401": _problem(401, "Unauthorized", "Authentication failed"),
    "nim-403": _problem(403, "Forbidden", "Authorization failed"),
    "nim-404": _problem(404, "Not Found", "Function '23d4f03a': Not found for account 'Qawmu2vU'"),
    "nim-404-text": (404, "404 page not found"),
    "nim-429": _problem(429, "Too Many Requests", "Too Many Requests"),
    "proxy-502": (502, "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"),
}


def failed(name: str, model: str, retry_after: str = "") -> web.Response:
    status, body = FAILURES[name]
    headers = {"Retry-After": retry_after} if retry_after else {}
    if isinstance(body, str):
        return web.Response(status=status, text=body, headers=headers)
    return web.Response(
        status=status,
        text=json.dumps(body).replace("{model}", json.dumps(model)[1:-1]),
        content_type="application/json",
        headers=headers,
    )


def rejected(parameter: str) -> web.Response:
    hint = " Use 'max_completion_tokens' instead." if parameter == "max_tokens" else ""
    if parameter == "system":
        return web.json_response(_flat(400, "System role not supported", "BadRequestError")[1], status=400)
    message = f"Unsupported parameter: '{parameter}' is not supported with this model.{hint}"
    body = _openai(400, message, "invalid_request_error", "unsupported_parameter", parameter)[1]
    return web.json_response(body, status=400)
