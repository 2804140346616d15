from __future__ import annotations

import pytest

from live_vlm_webui.errors import InputError
from live_vlm_webui.http.body import check_names, parse_object, text_of


def test_an_object_is_read_as_it_is():
    assert parse_object('{"a": [1, 2.5, null, true], "\\u00e9": "\\ud83d\\ude00"}') == {
        "a": [1, 2.5, None, True],
        "é": "😀",
    }
    assert parse_object(b'{"a": "\xc3\xa9"}') == {"a": "é"}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "The JSON is invalid: Expecting value at character 0"),
        (b'{"a": 1', "The JSON is invalid"),
        (b'{"a": 1}}', "The JSON is invalid: Extra data at character 8"),
        (b"\xff\xfe", "The JSON is not valid UTF-8"),
        (b'{"a": "\\ud800"}', "The JSON is not valid UTF-8"),
        (b'{"\\udfff": 1}', "The JSON is not valid UTF-8"),
        ('{"a": "\ud800"}', "The JSON is not valid UTF-8"),
        (b'{"a": 1, "a": 2}', "The name 'a' occurs twice"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number"),
        (b'{"a": 1e999}', "The number '1e999' is too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "A number has 5000 digits"),
        (b'{"a": ' + b"[" * 20 + b"]" * 20 + b"}", "The JSON is nested too deeply"),
        (b"[" * 50_000 + b"]" * 50_000, "The JSON is nested too deeply"),
        (b'{"a":' * 50_000, "The JSON is nested too deeply"),
        (b"[]", "The JSON is an array, not an object"),
        (b"null", "The JSON is null, not an object"),
        (b'""', "The JSON is an empty string, not an object"),
        (b"3", "The JSON is a number, not an object"),
        (b"true", "The JSON is a boolean, not an object"),
    ],
)
def test_anything_else_is_told_apart(sent, said):
    with pytest.raises(InputError) as caught:
        parse_object(sent)
    assert caught.value.message.startswith(said)
    assert caught.value.remedy


def test_a_text_is_taken_up_to_its_limit():
    assert text_of({"sdp": "abc"}, "sdp", 3) == "abc"
    with pytest.raises(InputError, match="sdp has 4 characters"):
        text_of({"sdp": "abcd"}, "sdp", 3)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "sdp is missing"),
        ({"sdp": ""}, "sdp is an empty string"),
        ({"sdp": None}, "sdp is null"),
        ({"sdp": ["v=0"]}, "sdp is an array"),
    ],
)
def test_what_is_no_text_is_named(body, said):
    with pytest.raises(InputError, match=said):
        text_of(body, "sdp", 10)


def test_a_name_that_is_not_known_is_told_with_those_that_are():
    check_names({"a": 1}, "a", "b")
    with pytest.raises(InputError, match=r"Unknown name 'adress'\n-> Use only: address\."):
        check_names({"adress": 1}, "address")
