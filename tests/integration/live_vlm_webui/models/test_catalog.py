from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest
from openai_server import OpenAIServer

from live_vlm_webui.errors import ForbiddenError, InputError, ModelError, WrongValueError
from live_vlm_webui.models.catalog import Catalog
from live_vlm_webui.models.endpoint import Endpoint, Keyring
from live_vlm_webui.models.model import BUILT_IN, DESCRIBER, ModelLabel
from live_vlm_webui.secret import Secret


class Describer:
    label = DESCRIBER


@pytest.fixture
async def catalog(http):
    """Makes catalogs; those that are open at the end are closed."""
    made = []

    def make(ports=(), *, api_base=None, model=None, api_key=None, **options) -> Catalog:
        settings = SimpleNamespace(api_base=api_base, model=model, api_key=api_key)
        made.append(Catalog(settings, http, Describer, ports=ports, **options))
        return made[-1]

    yield make
    for one in made:
        await one.close()


def names(catalog) -> list[str]:
    return [offer.label.name for offer in catalog.offers]


async def test_without_any_server_the_describer_is_there(catalog):
    none = catalog([1])
    assert names(none) == ["describer"]
    await none.refresh()
    assert names(none) == ["describer"]
    assert none.default() == DESCRIBER
    assert isinstance(none.open(none.default(), none.keyring), Describer)


async def test_starting_waits_for_nothing(catalog):
    async with OpenAIServer() as slow:
        slow.list_delay = 0.7
        looking = catalog([slow.port])
        began = time.monotonic()
        looking.start()
        assert looking.default() == DESCRIBER
        await looking.ready(0.05)
        assert time.monotonic() - began > 0.04
        assert names(looking) == ["describer"]
        await looking.ready(60)
        assert names(looking) == ["test-vlm", "describer"]


async def test_a_server_that_comes_later_is_found_and_one_that_goes_is_forgotten(catalog):
    server = OpenAIServer()
    async with server:
        looking = catalog([server.port], interval=0.05)
    looking.start()
    await looking.ready(60)
    assert names(looking) == ["describer"]
    async with server:
        await until(lambda: names(looking) == ["test-vlm", "describer"])
    await until(lambda: names(looking) == ["describer"])


async def test_models_that_see_come_first_and_the_describer_last(catalog):
    async with (
        OpenAIServer(play="vllm", models=("odd",), text_models=("llama3",)) as one,
        OpenAIServer(play="ollama", models=("seer",), text_models=("blind",)) as other,
    ):
        looking = catalog([one.port, other.port])
        await looking.refresh()
    assert names(looking) == ["seer", "odd", "llama3", "blind", "describer"]
    assert looking.default() == ModelLabel(other.api_base, "seer", "Ollama")


async def test_a_text_model_is_not_chosen_unasked(catalog):
    async with OpenAIServer(play="ollama", models=(), text_models=("llama3",)) as server:
        looking = catalog([server.port])
        await looking.refresh()
        named = catalog(api_base=server.api_base)
        await named.refresh()
    assert names(looking) == ["llama3", "describer"]
    assert looking.default() == DESCRIBER
    assert named.default() == DESCRIBER


async def test_the_server_of_the_settings_comes_before_those_found(catalog):
    async with OpenAIServer(models=("gemma3",)) as found, OpenAIServer(models=("llava",), api_key="sk-it") as given:
        looking = catalog([found.port], api_base=given.api_base, api_key=Secret("sk-it"))
        await looking.refresh()
        assert names(looking) == ["llava", "gemma3", "describer"]
        assert looking.default().api_base == given.api_base
        assert looking.trouble is None


async def test_a_model_of_an_odd_name_is_asked_at_the_server_of_the_settings(catalog):
    async with OpenAIServer(models=("my-model",), play="vllm") as given:
        looking = catalog(api_base=given.api_base)
        await looking.refresh()
        assert looking.default() == ModelLabel(given.api_base, "my-model", "vLLM")


async def test_a_model_of_the_settings_is_asked_even_before_its_server_is_there(catalog):
    looking = catalog(api_base="http://127.0.0.1:1", model="llava")
    await looking.refresh()
    assert looking.default() == ModelLabel("http://127.0.0.1:1/v1", "llava")
    assert looking.trouble is not None
    assert looking.trouble.code == "unreachable"


@pytest.mark.parametrize("model", ["llava:7b", "llama3", "phi4:latest", "phi4"])
async def test_a_model_of_the_settings_is_looked_for_on_this_machine(catalog, model):
    async with OpenAIServer(
        play="ollama", models=("gemma3:4b", "llava:7b"), text_models=("llama3", "phi4:latest")
    ) as it:
        looking = catalog([it.port], model=model)
        await looking.refresh()
        assert looking.default().name.startswith(model)
        assert looking.default().api_base == it.api_base


async def test_a_model_of_the_settings_that_is_nowhere_leaves_the_best_there_is(catalog):
    async with OpenAIServer(models=("gemma3",)) as server:
        looking = catalog([server.port], model="no-such-model")
        await looking.refresh()
        assert looking.default().name == "gemma3"


@pytest.mark.parametrize("model", ["built-in", "describer"])
async def test_the_describer_can_be_asked_for(catalog, model):
    async with OpenAIServer(models=("gemma3",)) as server:
        looking = catalog([server.port], model=model)
        await looking.refresh()
        assert looking.default() == DESCRIBER


async def test_a_server_elsewhere_is_asked_again_only_on_request_once_it_has_answered(catalog, monkeypatch):
    monkeypatch.setattr("live_vlm_webui.models.endpoint.Endpoint.is_local", False)
    async with OpenAIServer() as server:
        await server.stop()
        looking = catalog(api_base=server.api_base, interval=0.05)
        looking.start()
        await looking.ready(60)
        assert looking.trouble is not None
        await server.start()
        await until(lambda: looking.trouble is None)
        lists = len(server.requests)
        await asyncio.sleep(0.3)
        assert len(server.requests) == lists
        await looking.refresh()
        assert len(server.requests) > lists
        assert names(looking) == ["test-vlm", "describer"]


async def test_a_look_on_request_joins_one_that_is_under_way(catalog):
    async with OpenAIServer() as server:
        server.list_delay = 0.1
        looking = catalog([server.port])
        await asyncio.gather(*(looking.refresh() for _ in range(10)))
        assert sum(received.path == "/v1/models" for received in server.requests) == 1
        assert names(looking) == ["test-vlm", "describer"]


async def test_closing_ends_a_look_that_is_under_way(catalog):
    async with OpenAIServer() as server:
        server.list_delay = 30
        looking = catalog([server.port])
        looking.start()
        await until(lambda: server.requests)
        await asyncio.wait_for(looking.close(), 20)
        assert await server.ended(server.requests[-1]) == "disconnected"
        assert {task.get_name() for task in asyncio.all_tasks()}.isdisjoint({"catalog", "catalog-look"})


async def test_the_models_of_another_server_are_listed_on_request(catalog):
    async with OpenAIServer(models=("odd", "llava"), api_key="sk-mine") as server:
        looking = catalog()
        session = Keyring(looking.keyring)
        with pytest.raises(ModelError) as caught:
            await looking.models(session.endpoint(server.api_base))
        assert caught.value.code == "unauthorised"
        session.give(server.api_base, Secret("sk-mine"))
        offers = await looking.models(session.endpoint(server.api_base))
        assert [offer.label.name for offer in offers] == ["llava", "odd"]
        assert names(looking) == ["describer"]


async def test_foreign_endpoints_can_be_forbidden(catalog):
    async with OpenAIServer() as found, OpenAIServer() as given, OpenAIServer() as foreign:
        looking = catalog([found.port], api_base=given.api_base, foreign_endpoints=False)
        await looking.refresh()
        for known in (found, given):
            await looking.models(Endpoint(known.api_base))
            looking.open(ModelLabel(known.api_base, "test-vlm"), looking.keyring)
        looking.open(DESCRIBER, looking.keyring)
        with pytest.raises(ForbiddenError, match="may not use models"):
            await looking.models(Endpoint(foreign.api_base))
        with pytest.raises(ForbiddenError, match="may not use models"):
            looking.open(ModelLabel(foreign.api_base, "test-vlm"), looking.keyring)
        assert not foreign.requests


async def test_an_opened_model_is_labelled_with_its_server(catalog):
    async with OpenAIServer(play="ollama", models=("llava:7b",)) as server:
        looking = catalog([server.port])
        await looking.refresh()
        model = looking.open(ModelLabel(server.api_base.upper().replace("/V1", "/"), "llava:7b"), looking.keyring)
    assert model.label == ModelLabel(server.api_base, "llava:7b", "Ollama")


@pytest.mark.parametrize(
    "label",
    [
        ModelLabel("http://127.0.0.1:1", ""),
        ModelLabel("http://127.0.0.1:1", "a\nb"),
        ModelLabel("http://127.0.0.1:1", "x" * 300),
        ModelLabel("file:///etc/passwd", "llava"),
        ModelLabel("", "llava"),
    ],
)
async def test_what_cannot_be_a_model_is_not_opened(catalog, label):
    with pytest.raises(InputError):
        catalog().open(label, Keyring())


@pytest.mark.parametrize(
    ("api_base", "key"),
    [("http://user:pw@box/v1", None), ("http://169.254.169.254/v1", None), ("http://box/v1", Secret("two words"))],
)
async def test_settings_that_cannot_be_used_are_refused_at_the_start(catalog, api_base, key):
    with pytest.raises(WrongValueError):
        catalog(api_base=api_base, api_key=key)


async def test_a_key_without_an_address_is_not_sent(catalog):
    async with OpenAIServer() as server:
        looking = catalog([server.port], api_key=Secret("sk-lost"))
        await looking.refresh()
        assert {received.key for received in server.requests} == {None}


async def test_the_built_in_describer_keeps_its_place_in_the_api():
    assert DESCRIBER.api_base == BUILT_IN


async def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.01)
