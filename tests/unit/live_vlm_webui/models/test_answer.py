from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_vlm_webui.errors import ModelCode, ModelError
from live_vlm_webui.models.answer import Answer
from live_vlm_webui.models.endpoint import Endpoint
from live_vlm_webui.models.model import Delta

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "delta",
                    "message",
                    "content",
                    "usage",
                    "completion_tokens",
                    "error",
                    "code",
                    "text",
                    "object",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def new(longest=1000) -> Answer:
    return Answer(Endpoint("http://box"), "some-vlm", 1, longest)


def piece(finish=None, **delta) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode()


def test_pieces_that_come_together_are_one_delta():
    assert new().take([piece(role="assistant", content=""), piece(content="A"), piece(content=" cat")]) == Delta(
        "A cat"
    )


def test_what_holds_neither_text_nor_number_is_no_delta():
    assert new().take([piece(role="assistant", content=""), piece(), piece(content=None), b""]) is None


def test_the_number_of_tokens_comes_with_or_without_text():
    answer = new()
    usage = {"usage": {"completion_tokens": 3}}
    assert answer.take([json.dumps({"choices": [], **usage}).encode()]) == Delta("", 3)
    assert answer.take([piece(content="A"), json.dumps({"choices": None, **usage}).encode()]) == Delta("A", 3)


@pytest.mark.parametrize("tokens", [-1, True, "3", None, 1.5])
def test_a_number_of_tokens_that_is_none_is_passed_over(tokens):
    assert new().take([json.dumps({"choices": [], "usage": {"completion_tokens": tokens}}).encode()]) is None


def test_nothing_counts_after_the_end():
    answer = new()
    assert answer.take([piece(content="A"), b"[DONE]", piece(content="B"), b"garbage"]) == Delta("A")
    assert answer.done


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking"])
def test_thoughts_in_their_own_field_are_a_sign_of_life_but_no_text(field):
    answer = new()
    assert answer.take([piece(**{field: "hmm"})]) == Delta("", None, "hmm")
    assert answer.begun


def test_thoughts_in_tags_are_no_text():
    answer = new()
    assert answer.take([piece(content="<think>"), piece(content="hm</think>")]) == Delta("", None, "hm")
    assert answer.begun
    assert answer.take([piece(content="\nA cat")]) == Delta("A cat")


@pytest.mark.parametrize("pieces", [[piece(content="<think>hm")], [piece(reasoning="hm"), piece("length", content="")]])
def test_a_model_that_only_thought_is_a_failure_that_says_so(pieces):
    answer = new()
    answer.take(pieces)
    with pytest.raises(ModelError, match="while still reasoning") as caught:
        answer.end()
    assert caught.value.code == "bad-answer"


def test_text_held_back_as_a_possible_thought_comes_at_the_end():
    answer = new()
    assert answer.take([piece(content="<th")]) is None
    assert answer.end() == Delta("<th")


def test_a_whole_answer_is_read_like_a_piece():
    whole = {"choices": [{"message": {"content": "A cat"}}], "usage": {"completion_tokens": 2}}
    assert new().take([json.dumps(whole).encode()]) == Delta("A cat", 2)


def test_parts_of_an_answer_are_joined():
    assert new().take([piece(content=[{"type": "text", "text": "A"}, {"type": "x"}, 3, {"text": 4}])]) == Delta("A")


def test_bytes_that_are_not_utf_8_do_not_end_an_answer():
    assert new().take([b'{"choices": [{"delta": {"content": "caf\xe9"}}]}']) == Delta("caf\ufffd")


@pytest.mark.parametrize("event", [b"{half", b"ping", b"[" * 100_000, b"9" * 5000])
def test_what_is_no_json_fails(event):
    with pytest.raises(ModelError) as caught:
        new().take([event])
        new().end()
    assert caught.value.code == "bad-answer"


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"error": {"message": "CUDA out of memory", "code": 500}}, "refused"),
        ({"error": {"message": "x is not a multimodal model"}}, "not-vision"),
        ({"error": {"message": "slow down", "code": 429}}, "rate-limited"),
        ({"error": "it broke"}, "refused"),
        ({"object": "error", "message": "The model `x` does not exist.", "code": 404}, "model-missing"),
        ({"error": {"message": "odd", "code": "invalid"}}, "refused"),
        ({"error": {"message": "odd", "code": 10**30}}, "refused"),
        ({"error": True}, "refused"),
    ],
)
def test_an_error_amid_the_stream_is_that_error(event, code):
    with pytest.raises(ModelError) as caught:
        new().take([piece(content="A"), json.dumps(event).encode()])
    assert caught.value.code == code


def test_an_answer_without_end_is_stopped():
    answer = new(longest=100)
    answer.take([piece(content="x" * 100)])
    with pytest.raises(ModelError, match="stopped at 100 characters"):
        answer.take([piece(content="x")])


def test_no_answer_at_all_is_a_failure():
    with pytest.raises(ModelError, match="no answer"):
        new().end()


def test_an_empty_answer_is_an_answer():
    answer = new()
    answer.take([piece("stop")])
    assert answer.end() is None


def test_a_withheld_answer_says_so():
    answer = new()
    answer.take([piece("content_filter")])
    with pytest.raises(ModelError, match="filter"):
        answer.end()


@given(st.lists(ANY_JSON, max_size=5))
def test_json_of_any_shape_is_passed_over_or_a_cause(events):
    answer = new()
    try:
        answer.take([json.dumps(event).encode() for event in events])
        answer.end()
    except ModelError as error:
        assert error.code in get_args(ModelCode)
