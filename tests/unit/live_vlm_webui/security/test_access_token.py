from __future__ import annotations

import re
import stat

import pytest

from live_vlm_webui.errors import SettingsError
from live_vlm_webui.security.access_token import kept_token, token_path


def test_a_token_is_made_once_and_kept_for_its_owner_alone(tmp_path):
    first, second = kept_token(tmp_path / "data"), kept_token(tmp_path / "data")
    path = token_path(tmp_path / "data")
    assert first == second
    assert path.read_text() == f"{first.reveal()}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_tokens_are_random_long_and_easy_to_type(tmp_path):
    tokens = {kept_token(tmp_path / str(number)).reveal() for number in range(20)}
    assert len(tokens) == 20
    assert all(re.fullmatch(r"([2-9a-km-np-z]{4}-){5}[2-9a-km-np-z]{4}", token) for token in tokens)


def test_a_token_of_ones_own_in_the_file_is_taken(tmp_path):
    token_path(tmp_path).write_text("my-own-token")
    assert kept_token(tmp_path).reveal() == "my-own-token"


@pytest.mark.parametrize(
    "content", [b"", b"short\n", b"\xff\xfe\x00\x01\x02\x03\x04\x05\x06", b"planted planted planted"]
)
def test_a_file_that_holds_no_token_is_an_error_that_does_not_repeat_it(tmp_path, content):
    token_path(tmp_path).write_bytes(content)
    with pytest.raises(SettingsError, match="does not contain a token") as error:
        kept_token(tmp_path)
    assert "planted" not in str(error.value)
