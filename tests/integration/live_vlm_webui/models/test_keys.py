"""Whose key goes where: never to another address than the one it was given for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from openai_server import OpenAIServer

from live_vlm_webui.errors import ModelError
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.catalog import Catalog
from live_vlm_webui.models.endpoint import Keyring
from live_vlm_webui.models.model import ModelLabel, Question
from live_vlm_webui.secret import Secret

QUESTION = Question("What is this?", (Picture(b"jpeg", 4, 3),), 100)


@pytest.fixture
async def home():
    async with OpenAIServer(api_key="sk-home") as server:
        yield server


@pytest.fixture
async def foreign():
    async with OpenAIServer(play="ollama") as server:
        yield server


@pytest.fixture
async def catalog(http, home, foreign):
    settings = SimpleNamespace(api_base=home.api_base, api_key=Secret("sk-home"), model=None)
    catalog = Catalog(settings, http, describer_factory=None, ports=[foreign.port])
    yield catalog
    await catalog.close()


async def ask(catalog, api_base, keyring):
    model = catalog.open(ModelLabel(api_base, "some-vlm"), keyring)
    return "".join([delta.text async for delta in model.answer(QUESTION)])


def keys_at(server) -> set[str | None]:
    assert server.requests
    return {received.headers.get("Authorization") for received in server.requests}


async def test_a_session_uses_the_servers_key_at_the_servers_address(catalog, home):
    assert await ask(catalog, home.api_base, Keyring(catalog.keyring))
    assert keys_at(home) == {"Bearer sk-home"}


async def test_a_session_that_names_another_address_does_not_take_the_servers_key_there(catalog, foreign):
    session = Keyring(catalog.keyring)
    assert await ask(catalog, foreign.api_base, session)
    assert await catalog.models(session.endpoint(foreign.api_base))
    assert keys_at(foreign) == {None}


async def test_another_path_on_the_same_host_is_another_address(catalog, home):
    with pytest.raises(ModelError):
        await ask(catalog, f"{home.origin}/other/v1", Keyring(catalog.keyring))
    assert keys_at(home) == {None}


async def test_a_sessions_key_goes_to_its_own_address_alone(catalog, home, foreign):
    session = Keyring(catalog.keyring)
    session.give(foreign.api_base, Secret("sk-session"))
    await ask(catalog, foreign.api_base, session)
    await ask(catalog, home.api_base, session)
    await ask(catalog, foreign.api_base, Keyring(catalog.keyring))  # of somebody else
    assert [received.key for received in foreign.asked] == ["sk-session", None]
    assert keys_at(home) == {"Bearer sk-home"}


async def test_the_look_for_servers_takes_the_key_to_its_own_address_alone(catalog, home, foreign):
    await catalog.refresh()
    assert {offer.label.api_base for offer in catalog.offers} >= {home.api_base, foreign.api_base}
    assert keys_at(home) == {"Bearer sk-home"}
    assert keys_at(foreign) == {None}


async def test_no_redirect_takes_key_or_picture_elsewhere(catalog, home, foreign):
    home.behave(fault="redirect", location=f"{foreign.api_base}/chat/completions")
    with pytest.raises(ModelError, match="redirects") as caught:
        await ask(catalog, home.api_base, catalog.keyring)
    assert caught.value.code == "refused"
    home.list_location = f"{foreign.api_base}/models"
    with pytest.raises(ModelError, match="redirects"):
        await catalog.models(catalog.keyring.endpoint(home.api_base))
    assert not foreign.requests


async def test_a_failure_never_shows_the_key(catalog, home, caplog):
    home.api_key = "sk-another"
    with pytest.raises(ModelError) as caught:
        await ask(catalog, home.api_base, catalog.keyring)
    await catalog.refresh()
    shown = f"{caught.value!r} {caught.value} {caught.value.to_json()} {catalog.trouble} {caplog.text} {vars(catalog)}"
    assert "sk-home" not in shown
