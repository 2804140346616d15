"""What the test server has beside OpenAI's routes, to be taken for Ollama, vLLM, SGLang, llama.cpp or NIM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from openai_server import OpenAIServer


def _facts(body: Any) -> Any:
    """A route that always says the same."""

    async def handler(_server: OpenAIServer, _request: web.Request) -> web.Response:
        return web.Response(text=body) if isinstance(body, str) else web.json_response(body)

    return handler


async def _ollama_tags(server: OpenAIServer, _request: web.Request) -> web.Response:
    details = {"format": "gguf", "parameter_size": "7B", "quantization_level": "Q4_K_M"}
    names = (*server.models, *server.text_models)
    return web.json_response(
        {"models": [{"name": name, "model": name, "size": 1, "details": details} for name in names]}
    )


async def _ollama_show(server: OpenAIServer, request: web.Request) -> web.Response:
    name = (await request.json())["model"]
    if name not in (*server.models, *server.text_models):
        return web.json_response({"error": f"model '{name}' not found"}, status=404)
    capabilities = ["completion", "vision"] if name in server.models else ["completion", "tools"]
    return web.json_response({"details": {"format": "gguf"}, "model_info": {}, "capabilities": capabilities})


async def _llamacpp_props(server: OpenAIServer, _request: web.Request) -> web.Response:
    modalities = {"vision": bool(server.models), "audio": False}
    return web.json_response({"total_slots": 1, "model_path": "/models/m.gguf", "modalities": modalities})


async def _sglang_info(server: OpenAIServer, _request: web.Request) -> web.Response:
    name = (*server.models, *server.text_models)[0]
    return web.json_response(
        {"model_path": name, "is_generation": True, "has_image_understanding": bool(server.models)}
    )


OTHER_ROUTES: dict[str, dict[str, Any]] = {
    "openai": {},
    "ollama": {
        "/": _facts("Ollama is running"),
        "/api/version": _facts({"version": "0.12.6"}),
        "/api/tags": _ollama_tags,
        "/api/show": _ollama_show,
    },
    "vllm": {"/version": _facts({"version": "0.11.0"}), "/health": _facts("")},
    "sglang": {"/get_model_info": _sglang_info, "/health": _facts("")},
    "llamacpp": {"/props": _llamacpp_props, "/health": _facts({"status": "ok"})},
    "nim": {"/v1/health/ready": _facts({"object": "health.response", "message": "ready", "status": "ready"})},
}
