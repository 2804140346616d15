from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web
from openai_server import OpenAIServer

from live_vlm_webui.errors import ModelError
from live_vlm_webui.models.discovery import Discovery
from live_vlm_webui.models.endpoint import Endpoint, Keyring
from live_vlm_webui.models.listing import LONGEST_LIST, MOST_MODELS, Lister
from live_vlm_webui.secret import Secret

PATIENCE_SECONDS, HASTE_SECONDS = 60, 0.2
BOTH = {"models": ("house-model", "llava:7b"), "text_models": ("other-model",)}


@pytest.fixture
def lister(http):
    return Lister(http, PATIENCE_SECONDS)


def told(listing) -> dict[str, bool | None]:
    return {offer.label.name: offer.vision for offer in listing.offers}


async def failure_of(lister, endpoint) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await lister.list_models(endpoint)
    return caught.value


@pytest.mark.parametrize(
    ("play", "called", "offers"),
    [
        ("ollama", "Ollama", {"house-model": True, "llava:7b": True, "other-model": False}),
        ("llamacpp", "llama.cpp", {"house-model": True, "llava:7b": True, "other-model": False}),
        ("vllm", "vLLM", {"llava:7b": True, "house-model": None, "other-model": None}),
        ("nim", "NIM", {"llava:7b": True, "house-model": None, "other-model": None}),
        ("openai", "", {"llava:7b": True, "house-model": None, "other-model": None}),
    ],
)
async def test_each_server_is_recognised_and_tells_what_it_can(lister, play, called, offers):
    async with OpenAIServer(play=play, **BOTH) as server:
        listing = await lister.list_models(Endpoint(server.api_base))
    assert listing.server == called
    assert told(listing) == offers
    assert list(told(listing)) == list(offers)
    assert {(offer.label.api_base, offer.label.server) for offer in listing.offers} == {(server.api_base, called)}


@pytest.mark.parametrize("sees", [True, False])
async def test_sglang_tells_whether_its_model_sees(lister, sees):
    models = {"models": ("house-model",)} if sees else {"models": (), "text_models": ("house-model",)}
    async with OpenAIServer(play="sglang", **models) as server:
        listing = await lister.list_models(Endpoint(server.api_base))
    assert (listing.server, told(listing)) == ("SGLang", {"house-model": sees})


async def test_an_older_llamacpp_is_asked_for_its_properties(lister):
    async with OpenAIServer(play="llamacpp") as server:
        server.list_body = b'{"data": [{"id": "house-model", "owned_by": "llamacpp"}]}'
        assert told(await lister.list_models(Endpoint(server.api_base))) == {"house-model": True}
        server.models = ()  # started again without --mmproj
        assert told(await lister.list_models(Endpoint(server.api_base))) == {"house-model": False}


async def test_a_nim_that_says_it_is_vllm_is_recognised(lister):
    async with OpenAIServer(play="nim") as server:
        server.list_body = b'{"data": [{"id": "nvidia/cosmos-reason2-2b", "owned_by": "vllm"}]}'
        listing = await lister.list_models(Endpoint(server.api_base))
    assert (listing.server, told(listing)) == ("NIM", {"nvidia/cosmos-reason2-2b": True})


async def test_the_name_behind_a_name_tells(lister):
    async with OpenAIServer(play="vllm") as server:
        server.list_body = b'{"data": [{"id": "cam", "root": "Qwen/Qwen2.5-VL-7B-Instruct", "owned_by": "vllm"}]}'
        assert told(await lister.list_models(Endpoint(server.api_base))) == {"cam": True}


async def test_models_for_other_work_are_not_offered(lister):
    async with OpenAIServer(play="ollama", models=("llava:7b", "nomic-embed-text", "whisper-1")) as server:
        assert list(told(await lister.list_models(Endpoint(server.api_base)))) == ["llava:7b"]


async def test_ollama_is_asked_about_its_models_once(lister):
    async with OpenAIServer(play="ollama", **BOTH) as server:
        for _ in range(3):
            await lister.list_models(Endpoint(server.api_base))
        assert sum(received.path == "/api/show" for received in server.requests) == 3
        server.models += ("gemma3:4b",)
        assert told(await lister.list_models(Endpoint(server.api_base)))["gemma3:4b"] is True


async def test_the_key_goes_along(lister):
    async with OpenAIServer(play="ollama", api_key="sk-right", **BOTH) as server:
        listing = await lister.list_models(Endpoint(server.api_base, Secret("sk-right")))
        assert told(listing)["house-model"] is True
        assert (await failure_of(lister, Endpoint(server.api_base))).code == "unauthorised"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[" * 100_000,
        b'{"data": 7}',
        b'{"error": "x"}',
        b"null",
        b"\xff\xfe",
        b'{"data": [' + b" " * LONGEST_LIST + b"]}",
    ],
)
async def test_what_is_no_list_of_models_is_a_failure_and_no_more(lister, body):
    async with OpenAIServer() as server:
        server.list_body = body
        assert (await failure_of(lister, Endpoint(server.api_base))).code == "bad-answer"


async def test_odd_entries_are_passed_over_and_their_number_is_limited(lister):
    odd = [None, 3, "x", [], {}, {"id": 7}, {"id": ""}, {"id": "a\nb"}, {"id": "x" * 300}, {"id": "ok", "root": [1]}]
    async with OpenAIServer() as server:
        server.list_body = json.dumps({"data": odd, "models": [None, {"name": []}]}).encode()
        assert list(told(await lister.list_models(Endpoint(server.api_base)))) == ["ok"]
        server.list_body = json.dumps([{"id": f"m{number}"} for number in range(MOST_MODELS + 10)]).encode()
        assert len((await lister.list_models(Endpoint(server.api_base))).offers) == MOST_MODELS


async def test_a_server_that_does_not_list_in_time_is_not_waited_for(http):
    async with OpenAIServer() as server:
        server.list_delay = 600
        began = time.monotonic()
        assert (await failure_of(Lister(http, HASTE_SECONDS), Endpoint(server.api_base))).code == "timeout"
        assert time.monotonic() - began < 60


async def test_the_usual_ports_are_asked_all_at_once(http):
    busy = [OpenAIServer(), OpenAIServer(), OpenAIServer()]
    async with AsyncExitStack() as stack:
        for server in busy:
            server.list_delay = 30
            await stack.enter_async_context(server)
        ollama = await stack.enter_async_context(OpenAIServer(play="ollama", **BOTH))
        vllm = await stack.enter_async_context(OpenAIServer(play="vllm"))
        site = await stack.enter_async_context(web_site())
        ports = [*(server.port for server in busy), ollama.port, site, vllm.port, 1]
        discovery = Discovery(Lister(http, 5.0), Keyring(), ports)
        began = time.monotonic()
        found = await discovery.find({})
        assert time.monotonic() - began < 15  # what three of them would take in turn
        assert {api_base: listing.server for api_base, listing in found.items()} == {
            ollama.api_base: "Ollama",
            vllm.api_base: "vLLM",
        }


async def test_a_server_that_is_too_busy_to_list_is_still_there(lister, http):
    async with OpenAIServer() as server:
        patient = Discovery(lister, Keyring(), [server.port])
        hasty = Discovery(Lister(http, HASTE_SECONDS), Keyring(), [server.port])
        found = await patient.find({})
        server.list_delay = 600
        assert await hasty.find(found) == found
        await server.stop()
        assert await patient.find(found) == {}


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
async def test_a_server_that_is_asked_elsewhere_is_not_found_again(lister, name):
    async with OpenAIServer() as server:
        discovery = Discovery(lister, Keyring(), [server.port])
        assert await discovery.find({}, [Endpoint(f"http://{name}:{server.port}")]) == {}
        assert await discovery.find({}, [Endpoint(f"http://{name}:{server.port}/other")])
        assert await discovery.find({}, [Endpoint(f"http://box:{server.port}")])


@asynccontextmanager
async def web_site() -> AsyncIterator[int]:
    """A server of something else; gives its port."""

    async def page(_request):
        return web.Response(text="<!doctype html><title>Welcome</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
