from __future__ import annotations

import pytest
from openai_server import OpenAIServer


async def test_the_describer_is_always_among_the_models(api):
    status, found = await api.ask("GET", "/api/models")
    assert (status, found["trouble"]) == (200, None)
    assert found["models"][-1]["api_base"] == "built-in"
    assert found["models"][-1]["vision"] is True


async def test_models_of_the_server_in_the_settings_are_found_and_one_that_sees_is_taken(serve):
    async with OpenAIServer(play="ollama", models=("llava:7b",), text_models=("llama3:8b",)) as models:
        api = await serve(api_base=models.api_base)
        _, found = await api.ask("GET", "/api/models?refresh=true")
    assert [model["name"] for model in found["models"]] == ["llava:7b", "llama3:8b", "describer"]
    assert found["default"] == {"api_base": models.api_base, "name": "llava:7b", "server": "Ollama"}


async def test_a_server_in_the_settings_that_does_not_answer_is_told(serve):
    async with OpenAIServer() as models:
        pass
    api = await serve(api_base=models.api_base)
    _, found = await api.ask("GET", "/api/models?refresh=true")
    assert found["trouble"]["code"] == "unreachable"


async def test_another_servers_models_are_listed_with_the_key_that_is_sent(api):
    async with OpenAIServer(play="vllm", models=("qwen",), api_key="sk-right") as models:
        body = {"api_base": models.api_base, "api_key": "sk-right"}
        status, found = await api.ask("POST", "/api/models", json=body)
        assert (status, [model["name"] for model in found["models"]]) == (200, ["qwen"])
        status, said = await api.ask("POST", "/api/models", json={**body, "api_key": "sk-wrong"})
    assert (status, said["error"]["code"]) == (502, "unauthorised")
    assert "sk-wrong" not in str(said)


async def test_other_servers_are_not_asked_where_only_known_ones_may_be(serve):
    async with OpenAIServer() as given, OpenAIServer() as other:
        api = await serve(api_base=given.api_base, known_servers_only=True)
        assert (await api.ask("POST", "/api/models", json={"api_base": given.api_base}))[0] == 200
        status, said = await api.ask("POST", "/api/models", json={"api_base": other.api_base})
        assert (status, len(other.requests)) == (403, 0)
        assert said["error"]["message"] == f"This server may not use models at {other.api_base}"


async def test_a_sessions_key_lists_models_without_being_sent_again_but_no_other_sessions_does(api):
    async with OpenAIServer(models=("gpt",), api_key="sk-right") as models:
        settings = {"api_base": models.api_base, "api_key": "sk-right"}
        _, mine = await api.ask("POST", "/api/sessions", json=settings)
        _, other = await api.ask("POST", "/api/sessions")
        asked = {"api_base": models.api_base}
        assert (await api.ask("POST", "/api/models", json={**asked, "session": mine["id"]}))[0] == 200
        assert (await api.ask("POST", "/api/models", json={**asked, "session": other["id"]}))[0] == 502
        assert (await api.ask("POST", "/api/models", json=asked))[0] == 502


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"api_base": ""}, 400),
        ({"api_base": "file:///etc/passwd"}, 400),
        ({"api_base": "http://user:password@127.0.0.1/v1"}, 400),
        ({"api_base": "http://169.254.169.254/v1"}, 403),
        ({"api_base": "http://127.0.0.1:9/v1", "api_key": "a b"}, 400),
        ({"api_base": "http://127.0.0.1:9/v1", "session": "nosuchsession"}, 404),
        ({"api_base": "http://127.0.0.1:9/v1", "model": "x"}, 400),
        ({"api_base": "http://127.0.0.1:9/v1"}, 502),
    ],
)
async def test_an_address_that_cannot_be_asked_is_refused_with_a_remedy(api, body, status):
    answer = await api.answer("POST", "/api/models", json=body)
    assert answer.status == status
    assert answer.json["error"]["remedy"]
    assert "password" not in answer.json["error"]["message"].replace("a user name or password", "")


async def test_a_query_that_means_nothing_is_refused(api):
    assert (await api.ask("GET", "/api/models?refresh=maybe"))[0] == 400
