from __future__ import annotations

import pytest

from live_vlm_webui.models.dialect import MOST_DIALECTS, QUIET, THINKING_TOKENS, Dialect, Dialects
from live_vlm_webui.models.model import ModelLabel

OPENAI = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."


def test_the_newer_name_is_learned_from_openais_words():
    assert Dialect().learn(400, OPENAI) == Dialect(limit="max_completion_tokens")


@pytest.mark.parametrize(
    "refusal",
    [
        "Unsupported parameter: 'stream_options' is not supported with this model.",
        "body.stream_options: Extra inputs are not permitted",
        "Unrecognized request argument supplied: stream_options",
        "unknown field `stream_options`, expected one of `model`, `messages`",
    ],
)
def test_a_server_without_stream_options_is_not_asked_for_them_again(refusal):
    assert Dialect().learn(422, refusal) == Dialect(usage=False)
    assert Dialect(usage=False).learn(422, refusal) is None


def test_a_server_that_takes_neither_name_is_given_none():
    refusal = "body.max_completion_tokens: Extra inputs are not permitted"
    assert Dialect(limit="max_completion_tokens").learn(422, refusal) == Dialect(limit=None)


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (400, "max_tokens is too large: 9000. This model supports at most 4096 completion tokens."),
        (
            400,
            "'max_tokens' or 'max_completion_tokens' is too large: 8192. This model's maximum context length is 4096",
        ),
        (400, "Unsupported parameter: 'messages' is not supported."),
        (400, "m is not a multimodal model"),
        (500, OPENAI),
        (401, OPENAI),
        (400, ""),
    ],
)
def test_other_refusals_teach_nothing(status, refusal):
    assert Dialect().learn(status, refusal) is None


def test_a_model_that_was_seen_to_reason_is_asked_not_to():
    assert not {name for name, _ in QUIET} & Dialect().parameters(100).keys()
    assert Dialect().seen_to_reason().parameters(100) == {
        "max_tokens": 100,
        "stream_options": {"include_usage": True},
        "reasoning_effort": "none",
        "chat_template_kwargs": {"enable_thinking": False},
        "think": False,
    }


@pytest.mark.parametrize(
    ("refusal", "name", "then"),
    [
        (
            "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported values are:"
            " 'minimal', 'low', 'medium', and 'high'.",
            "reasoning_effort",
            "minimal",
        ),
        ("body.reasoning_effort: Input should be 'low', 'medium' or 'high'", "reasoning_effort", "minimal"),
        ("body.chat_template_kwargs: Extra inputs are not permitted", "chat_template_kwargs", None),
        ("unexpected keyword argument 'enable_thinking'", "chat_template_kwargs", None),
        ("Unrecognized request argument supplied: think", "think", None),
    ],
)
def test_what_a_server_rejects_against_reasoning_is_not_sent_again(refusal, name, then):
    learned = Dialect().seen_to_reason().learn(400, refusal)
    assert learned.parameters(100).get(name) == then


def test_a_model_that_reasons_all_the_same_may_use_more_tokens():
    stubborn = Dialect().seen_to_reason().seen_to_reason()
    assert stubborn.parameters(100)["max_tokens"] == 100 + THINKING_TOKENS


def test_learning_comes_to_an_end():
    dialect, rounds = Dialect().seen_to_reason(), 0
    names = " ".join(name for name, _ in QUIET)
    while dialect is not None:
        dialect = dialect.learn(400, f"unknown: stream_options max_tokens max_completion_tokens {names} {OPENAI}")
        rounds += 1
    assert rounds == 4 + len(QUIET)


def test_dialects_are_of_a_model_at_an_address_and_limited_in_number():
    dialects = Dialects()
    first = ModelLabel("http://a/v1", "gpt-5")
    dialects.keep(first, Dialect(limit="max_completion_tokens"))
    assert dialects.of(first) == Dialect(limit="max_completion_tokens")
    assert dialects.of(ModelLabel("http://b/v1", "gpt-5")) == Dialect()
    assert dialects.of(ModelLabel("http://a/v1", "gpt-4o")) == Dialect()
    for number in range(MOST_DIALECTS):
        dialects.keep(ModelLabel("http://a/v1", str(number)), Dialect(usage=False))
    assert dialects.of(first) == Dialect()


@pytest.mark.parametrize(
    "refusal",
    [
        "Unsupported value: 'temperature' does not support 0.2 with this model."
        " Only the default (1) value is supported.",
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "body.temperature: Extra inputs are not permitted",
    ],
)
def test_a_model_that_rejects_a_temperature_is_sent_none_from_then_on(refusal):
    learned = Dialect().learn(400, refusal)
    assert "temperature" not in learned.parameters(100, temperature=0.2)
    assert learned.learn(400, refusal) is None


@pytest.mark.parametrize(
    "refusal",
    [
        "temperature: Input should be less than or equal to 1",
        "Invalid value: temperature must be between 0 and 1",
        "`temperature` must be strictly positive",
        "unknown field `think`, expected one of `model`, `messages`, `temperature`",
    ],
)
def test_a_temperature_out_of_a_servers_range_is_for_people_to_correct(refusal):
    assert Dialect().learn(422, refusal) is None


@pytest.mark.parametrize(
    "refusal",
    [
        "System role not supported",
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        "Developer instruction is not enabled; the system instruction is not supported for this model",
    ],
)
def test_a_model_without_a_system_role_is_told_in_the_prompt(refusal):
    assert Dialect().learn(400, refusal) == Dialect(system=False)
