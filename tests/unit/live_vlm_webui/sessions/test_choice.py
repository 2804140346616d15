from __future__ import annotations

import asyncio

import pytest
from session_parts import LABEL, Shelf, until

from live_vlm_webui.errors import ModelError
from live_vlm_webui.models.endpoint import Keyring
from live_vlm_webui.models.model import BUILT_IN, ModelLabel
from live_vlm_webui.models.offer import Offer
from live_vlm_webui.sessions import choice
from live_vlm_webui.sessions.choice import ModelChoice
from live_vlm_webui.sessions.settings import SessionSettings

DESCRIBER = Offer(ModelLabel(BUILT_IN, "describer", "built-in describer"), vision=True)


@pytest.fixture
async def shelf():
    return Shelf()


async def chosen(shelf, **settings):
    choice = ModelChoice(shelf, Keyring())
    try:
        return (await choice.get(SessionSettings(**settings))).label
    finally:
        await choice.close()


async def test_nothing_chosen_takes_the_default(shelf):
    assert await chosen(shelf) == LABEL


async def test_a_name_alone_is_looked_for_among_what_was_found(shelf):
    assert (await chosen(shelf, model="second")).api_base == LABEL.api_base


async def test_a_name_that_was_not_found_is_asked_of_the_server_in_use(shelf):
    label = await chosen(shelf, model="just-loaded")

    assert (label.api_base, label.name) == (LABEL.api_base, "just-loaded")


async def test_a_name_that_was_not_found_is_not_asked_of_the_describer(shelf):
    shelf.offers = (DESCRIBER,)
    with pytest.raises(ModelError) as missing:
        await chosen(shelf, model="llava")

    assert missing.value.code == "model-missing"
    assert "llava" in missing.value.message


async def test_an_address_and_a_name_are_taken_as_they_are(shelf):
    label = await chosen(shelf, api_base="http://models.example/v1", model="mine")

    assert (label.api_base, label.name) == ("http://models.example/v1", "mine")


async def test_the_describer_is_taken_where_it_is_chosen(shelf):
    shelf.offers = (*shelf.offers, DESCRIBER)

    assert await chosen(shelf, api_base=BUILT_IN) == DESCRIBER.label


async def test_a_server_without_models_is_told_as_such(shelf):
    shelf.offers = ()
    with pytest.raises(ModelError) as missing:
        await chosen(shelf, api_base="http://models.example/v1")

    assert missing.value.code == "model-missing"


async def test_a_model_is_opened_once_and_closed_when_another_is_chosen(shelf):
    models = ModelChoice(shelf, Keyring())
    first = await models.get(SessionSettings())
    assert await models.get(SessionSettings(prompt="another")) is first
    second = await models.get(SessionSettings(model="second"))
    await until(lambda: first.closed == 1)

    assert (len(shelf.opened), second.closed) == (2, 0)
    await models.close()
    assert second.closed == 1


async def test_a_model_that_cannot_be_closed_stops_nothing(shelf, monkeypatch, caplog):
    monkeypatch.setattr(choice, "CLOSE_SECONDS", 0.01)
    models = ModelChoice(shelf, Keyring())
    model = await models.get(SessionSettings())
    model.close = asyncio.Event().wait
    await models.close()

    assert "closing a model failed" in caplog.text
    assert models.label is None
