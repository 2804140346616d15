from __future__ import annotations

import pytest

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.errors import InputError, SettingsError
from live_vlm_webui.models.endpoint import check_key
from live_vlm_webui.secret import LONGEST_KEY, Secret, can_be_sent
from live_vlm_webui.security.access_token import kept_token, token_path
from live_vlm_webui.sessions.faults import FaultError
from live_vlm_webui.sessions.settings import key_in

UNUSABLE = ["with a space", "two\nlines", "schlüssel-geheim", "x" * (LONGEST_KEY + 1)]


@pytest.mark.parametrize("value", ["sk-1", "x" * LONGEST_KEY, "!~"])
def test_what_a_header_takes_can_be_a_key(value):
    assert can_be_sent(value)


@pytest.mark.parametrize("value", [*UNUSABLE, ""])
def test_what_a_header_does_not_take_can_be_none(value):
    assert not can_be_sent(value)


@pytest.mark.parametrize("value", UNUSABLE)
def test_the_rule_is_the_same_wherever_a_key_or_token_comes_from(value, tmp_path):
    with pytest.raises(SettingsError):
        Settings(token=Secret(value), data_dir=tmp_path)
    with pytest.raises(SettingsError):
        Settings(api_base="http://127.0.0.1:1/v1", api_key=Secret(value), data_dir=tmp_path)
    with pytest.raises(InputError):
        check_key(Secret(value))
    with pytest.raises(FaultError):
        key_in({"api_key": value})
    token_path(tmp_path).write_text(value, "utf-8")
    with pytest.raises(SettingsError):
        kept_token(tmp_path)
