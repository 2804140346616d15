from __future__ import annotations

import json
from email.utils import formatdate
from time import time

import pytest

from live_vlm_webui.models.endpoint import Endpoint
from live_vlm_webui.models.failure_text import said_in, wait_of
from live_vlm_webui.secret import Secret

ENDPOINT = Endpoint("http://box:8000", Secret("sk-very-secret"))


def test_what_a_server_says_is_one_short_line():
    said = said_in(json.dumps({"error": {"message": "a\r\nb\x1b[31m\u202e" + "c" * 5000}}).encode(), ENDPOINT)
    assert said.startswith("a b [31m")
    assert said.isprintable()
    assert len(said) <= 300


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "m"}}', "m"),
        (b'{"error": "m"}', "m"),
        (b'{"message": "m"}', "m"),
        (b'{"detail": "m", "title": "t"}', "m"),
        (b'{"title": "t"}', "t"),
        (b'{"detail": [{"loc": ["body", "x"], "msg": "m", "type": "t"}]}', "body.x: m"),
        (b'[{"error": {"message": "m"}}]', "m"),
        (b'{"error": {"message": ["m", 1, null]}}', "m"),
        (b"plain words", "plain words"),
        (b"<html>a page</html>", ""),
        (b"x" * 301, ""),
        (b"", ""),
        (b'{"error": 7}', ""),
        (b"[" * 100_000, ""),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_the_message_is_found_in_all_forms(body, said):
    assert said_in(body, ENDPOINT) == said


@pytest.mark.parametrize(
    ("headers", "said", "wait"),
    [
        ({"Retry-After": "7"}, "", 7.0),
        ({"Retry-After": "1.5"}, "", 1.5),
        ({"Retry-After": "0"}, "", 0.0),
        ({"Retry-After": "999999999"}, "", 86400.0),
        ({"Retry-After": "-5"}, "", None),
        ({"Retry-After": "soon"}, "", None),
        ({"Retry-After": "٣"}, "", None),
        ({"Retry-After": "Mon, 99 Foo 2020"}, "", None),
        ({}, "Rate limit reached. Please try again in 20s.", 20.0),
        ({}, "Please try again in 350ms.", 0.35),
        ({}, "Please retry after 2 min", 120.0),
        ({}, "", None),
    ],
)
def test_how_long_to_wait_is_read(headers, said, wait):
    assert wait_of(headers, said) == (wait if wait is None else pytest.approx(wait))


def test_how_long_to_wait_may_be_a_date():
    wait = wait_of({"Retry-After": formatdate(time() + 60, usegmt=True)}, "")
    assert wait is not None
    assert 50 < wait <= 60
    assert wait_of({"Retry-After": formatdate(time() - 60, usegmt=True)}, "") == 0.0
