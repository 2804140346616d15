"""Upload tokens, read without asking anybody."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone

import pytest

from releaser.adapters.index.token import TokenSays, read_token


def field(kind: int, data: bytes) -> bytes:
    return bytes([kind, len(data)]) + data


def token(location: str, *caveats: object) -> str:
    content = b"\x02" + field(1, location.encode()) + field(2, b"an id") + b"\x00"
    for caveat in caveats:
        content += field(2, json.dumps(caveat).encode()) + b"\x00"
    content += b"\x00" + field(6, b"s" * 32)
    return "pypi-" + base64.urlsafe_b64encode(content).decode().rstrip("=")


def test_it_names_its_index_its_projects_and_its_end() -> None:
    says = read_token(token("index.example", [1, ["thing"]], [0, 1_800_000_000, 1]))
    assert says == TokenSays("index.example", ("thing",), datetime.fromtimestamp(1_800_000_000, timezone.utc))


def test_an_older_one_names_its_projects_in_an_object() -> None:
    says = read_token(token("index.example", {"version": 1, "permissions": {"projects": ["thing"]}}))
    assert says == TokenSays("index.example", ("thing",))


def test_an_end_that_no_calendar_has_is_none() -> None:
    assert read_token(token("index.example", [0, 10**20, 1])) == TokenSays("index.example")


def test_one_for_all_projects_names_none() -> None:
    assert read_token(token("index.example", [3, "a user"])) == TokenSays("index.example")


@pytest.mark.parametrize("text", ["", "sesame", "pypi-", "pypi-!!!", "pypi-AgE", "pypi-AgEIcHlwaS5v", "pypi-AwEB"])
def test_what_is_no_such_token_says_nothing(text: str) -> None:
    assert read_token(text) is None
