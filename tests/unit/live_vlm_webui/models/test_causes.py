from __future__ import annotations

import json

import pytest
from openai_failures import FAILURES

from live_vlm_webui.errors import ModelError
from live_vlm_webui.models.causes import cause_of_status
from live_vlm_webui.models.endpoint import Endpoint
from live_vlm_webui.secret import Secret

ENDPOINT = Endpoint("http://box:8000", Secret("sk-very-secret"))
NAMES = ("llama3.2-vision:11b", "not-supported-image/model", "a")
"""Names that by themselves look like a cause, or are part of every word."""


def cause(status, body, *, model="some-vlm", headers=None, pictures=1, endpoint=ENDPOINT) -> ModelError:
    body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return cause_of_status(status, headers or {}, body, endpoint=endpoint, model=model, pictures=pictures)


@pytest.mark.parametrize("model", NAMES)
@pytest.mark.parametrize(
    ("failure", "code"),
    [
        ("openai-401", "unauthorised"),
        ("openai-403", "unauthorised"),
        ("openai-404", "model-missing"),
        ("openai-not-vision", "not-vision"),
        ("openai-429", "rate-limited"),
        ("openai-quota", "rate-limited"),
        ("openai-500", "refused"),
        ("openai-503", "rate-limited"),
        ("ollama-404", "model-missing"),
        ("ollama-not-vision", "not-vision"),
        ("ollama-503", "rate-limited"),
        ("vllm-401", "unauthorised"),
        ("vllm-404", "model-missing"),
        ("vllm-404-old", "model-missing"),
        ("vllm-not-vision", "not-vision"),
        ("vllm-too-many-images", "refused"),
        ("vllm-too-long", "refused"),
        ("sglang-401", "unauthorised"),
        ("sglang-not-vision", "not-vision"),
        ("llamacpp-401", "unauthorised"),
        ("llamacpp-not-vision", "not-vision"),
        ("llamacpp-not-vision-400", "not-vision"),
        ("llamacpp-not-vision-old", "not-vision"),
        ("llamacpp-503", "unreachable"),
        ("nim-401", "unauthorised"),
        ("nim-403", "unauthorised"),
        ("nim-404", "model-missing"),
        ("nim-404-text", "bad-answer"),
        ("nim-429", "rate-limited"),
        ("proxy-502", "unreachable"),
    ],
)
def test_each_servers_words_are_understood(failure, code, model):
    status, body = FAILURES[failure]
    text = body if isinstance(body, str) else json.dumps(body).replace("{model}", model)
    error = cause(status, text, model=model)
    assert error.code == code
    assert "http://box:8000/v1" in error.message
    assert error.remedy


def test_no_failure_of_the_test_server_is_left_out():
    tested = next(
        mark.args[1]
        for mark in test_each_servers_words_are_understood.pytestmark
        if mark.args[0] == ("failure", "code")
    )
    assert {failure for failure, _ in tested} == FAILURES.keys()


@pytest.mark.parametrize(
    "said",
    [
        "this model does not support image input",
        "This model doesn't support images.",
        "No endpoints found that support image input",
        "Failed to deserialize: messages[0]: unknown variant `image_url`, expected `text`",
        'Failed to parse messages: Unsupported content part type: "image_url"',
        "At most 0 image(s) may be provided in one prompt.",
        "vision is not enabled for this deployment",
        "Multimodal inputs are not supported by this model",
    ],
)
def test_a_blind_model_is_known_by_many_words(said):
    assert cause(400, {"error": {"message": said}}).code == "not-vision"


@pytest.mark.parametrize(
    "said",
    [
        "Image size 9000x9000 is too large.",
        "This model does not support image format image/webp",
        "Invalid base64 image_url.",
        "temperature must be between 0 and 2",
    ],
)
def test_other_faults_of_a_picture_do_not_make_a_model_blind(said):
    assert cause(400, {"error": {"message": said}}).code == "refused"


def test_too_many_pictures_is_no_blindness():
    error = cause(400, {"message": "At most 1 image(s) may be provided in one prompt."}, pictures=4)
    assert error.code == "refused"
    assert "4 pictures" in error.message
    assert "frames per question" in error.remedy


def test_without_a_key_the_remedy_is_to_give_one():
    without = cause(401, {"error": "Unauthorized"}, endpoint=Endpoint("http://box:8000"))
    assert "none is set" in without.message
    assert "--api-key" in without.remedy
    assert "rejected the API key" in cause(401, {"error": "Unauthorized"}).message


def test_a_key_that_the_server_repeats_is_not_repeated_here():
    error = cause(401, {"error": {"message": "Incorrect API key provided: sk-very-secret."}})
    assert "sk-very-secret" not in str(error)
    assert "***" in error.message


def test_a_redirect_names_where_it_goes_without_path_or_query():
    error = cause(307, b"", headers={"Location": "https://user:pw@evil.example/path?token=SECRET"})
    assert error.code == "refused"
    assert "redirects to https://evil.example;" in error.message
    assert "SECRET" not in str(error)
    assert "pw" not in error.message


def test_a_strange_redirect_is_told_without_its_target():
    assert "redirects;" in cause(302, b"", headers={"Location": "javascript:alert(1)"}).message
    assert "redirects;" in cause(302, b"").message
    for location in ("http://\udcff.example/", "http://[::1/", ""):
        assert "redirects;" in cause(302, b"", headers={"Location": location}).message


def test_a_limit_says_how_long():
    error = cause(429, {"error": {"message": "slow down"}}, headers={"Retry-After": "7"})
    assert error.retry_after == 7.0
    assert "7 s" in error.message


def test_used_up_credit_is_told_from_a_rate():
    status, body = FAILURES["openai-quota"]
    assert "bill" in cause(status, body).remedy


@pytest.mark.parametrize(("status", "code"), [(408, "timeout"), (504, "timeout"), (413, "refused"), (418, "refused")])
def test_other_statuses_have_a_cause_too(status, code):
    assert cause(status, b"").code == code
