from __future__ import annotations

import base64
import dataclasses
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releaser.secret import HIDDEN, Redactor, Secret


def test_a_secret_shows_itself_to_nobody_who_does_not_ask_for_it() -> None:
    secret = Secret("hunter2hunter2")

    @dataclasses.dataclass
    class Holder:
        token: Secret

    for shown in (str(secret), repr(secret), f"{secret}", f"{[secret]}", repr(Holder(secret)), str(KeyError(secret))):
        assert "hunter2" not in shown
    assert secret.reveal() == "hunter2hunter2"


def test_known_secrets_are_hidden_wherever_they_stand() -> None:
    redact = Redactor()
    redact.learn([Secret("first-secret"), None, Secret("other secret")])

    assert redact("a first-secret, a other secret and first-secretive") == f"a {HIDDEN}, a {HIDDEN} and {HIDDEN}ive"


def test_a_secret_that_holds_another_is_hidden_whole() -> None:
    redact = Redactor()
    redact.learn([Secret("abcdef")])
    redact.learn([Secret("abcdef-and-more")])

    assert redact("abcdef-and-more") == HIDDEN


def test_a_value_too_short_to_be_a_secret_hides_no_ordinary_words() -> None:
    redact = Redactor()
    redact.learn([Secret(""), Secret("a"), Secret("wheel")])

    assert redact("a wheel") == "a wheel"


SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F), min_size=6, max_size=60)


@given(SECRETS)
def test_a_secret_is_hidden_as_urls_json_and_pages_write_it(value: str) -> None:
    redact = Redactor()
    redact.learn([Secret(value)])

    for form in (
        value,
        json.dumps(value)[1:-1],
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        html.escape(value),
    ):
        assert redact(f"< {form} >") == f"< {HIDDEN} >"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@given(SECRETS, st.binary(max_size=5), st.binary(max_size=5))
def test_nothing_of_a_secret_is_left_of_the_base64_of_whatever_it_is_part_of(
    encode: Callable[[bytes], bytes], value: str, before: bytes, after: bytes
) -> None:
    redact = Redactor()
    redact.learn([Secret(value)])
    encoded = encode(before + value.encode() + after).decode()
    # A character holds six bits. What is before and after these holds none of the secret's.
    first, last = len(before) * 8 // 6, -(-len(before + value.encode()) * 8 // 6)
    expected = f"{encoded[:first]}{HIDDEN}{encoded[last:] if after else ''}"

    assert redact(encoded) == expected
    assert redact(encoded.rstrip("=")) == expected.rstrip("=")
    assert HIDDEN in redact(quote(encoded, safe=""))


def test_the_secret_in_a_login_of_http_is_hidden() -> None:
    redact = Redactor()
    redact.learn([Secret("first-secret")])
    pair = base64.b64encode(b"__token__:first-secret").decode()
    assert redact(f"sent {pair}.") == f"sent X190b2tlbl9fO{HIDDEN}."
    assert Redactor()(f"Authorization: Basic {pair}, Accept: */*") == f"Authorization: Basic {HIDDEN}, Accept: */*"
    assert Redactor()('{"authorization": "Bearer abc.def"}') == '{"authorization": "Bearer [hidden]"}'


def test_of_a_key_each_line_is_hidden_because_output_comes_in_lines() -> None:
    redact = Redactor()
    redact.learn([Secret("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nAgEAAoIBAQC7\n-----END KEY-----\n")])

    assert redact("MIIEvQIBADANBgkqhkiG") == HIDDEN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://me:secret@example.invalid/x", "https://example.invalid/x"),
        ("https://token@example.invalid", "https://example.invalid"),
        ("https://:token@example.invalid/x", "https://example.invalid/x"),
        ("https://me:p@ss@example.invalid/x", "https://example.invalid/x"),
        (
            "from https://a:b@one.invalid/ to http://c:d@two.invalid/",
            "from https://one.invalid/ to http://two.invalid/",
        ),
        ("https://example.invalid/@user/x@1", "https://example.invalid/@user/x@1"),
        ("https://example.invalid me@example.invalid", "https://example.invalid me@example.invalid"),
        ('{"a":"https://example.invalid","b":"me@x"}', '{"a":"https://example.invalid","b":"me@x"}'),
        ("git@example.invalid:owner/name", "git@example.invalid:owner/name"),
    ],
)
def test_credentials_in_addresses_are_taken_out_and_nothing_else(text: str, expected: str) -> None:
    assert Redactor()(text) == expected


@pytest.mark.parametrize(
    "token",
    [
        "pypi-AgEIcHlwaS5vcmcCJDAwMDAwMDAw",
        "ghp_" + "a1B2" * 9,
        "ghs_" + "a1B2" * 9,
        "github_pat_" + "11ABC_def" * 5,
    ],
)
def test_tokens_that_nobody_told_of_are_known_by_their_shape(token: str) -> None:
    assert Redactor()(f"refused: {token}.") == f"refused: {HIDDEN}."


@pytest.mark.parametrize("text", ["pypi-simple", "a ghp_ prefix", "live-vlm-webui 0.2.0", "sha256 " + "a1" * 32])
def test_ordinary_words_stay(text: str) -> None:
    assert Redactor()(text) == text
