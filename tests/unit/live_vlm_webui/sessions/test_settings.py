from __future__ import annotations

import json
import math

import pytest

from live_vlm_webui.errors import ForbiddenError, InputError
from live_vlm_webui.models.model import DESCRIBER, ModelLabel
from live_vlm_webui.sessions.sampling import EveryFrames, EverySeconds, Free, OnChange
from live_vlm_webui.sessions.settings import SessionSettings, key_in

SETTINGS = SessionSettings()

GOOD = [
    ("api_base", "http://127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
    ("api_base", "built-in", "built-in"),
    ("api_base", "", ""),
    ("model", "qwen2.5vl:7b", "qwen2.5vl:7b"),
    ("model", "", ""),
    ("prompt", "What is there?\nAnswer in JSON.", "What is there?\nAnswer in JSON."),
    ("system_prompt", "Answer in rhyme.\nAlways.", "Answer in rhyme.\nAlways."),
    ("system_prompt", " \n", ""),
    ("temperature", 0, 0.0),
    ("temperature", 1.5, 1.5),
    ("temperature", None, None),
    ("max_tokens", 1, 1),
    ("max_frame_age", 1, 1.0),
    ("frames_per_question", 8, 8),
    ("frame_spacing", 0.25, 0.25),
    ("long_side", 1280, 1280),
    ("paused", True, True),
    ("sampling", {"mode": "free"}, Free()),
    ("sampling", {"mode": "frames", "every": 30}, EveryFrames(30)),
    ("sampling", {"mode": "seconds", "every": 2}, EverySeconds(2.0)),
    ("sampling", {"mode": "change", "threshold": 0.1, "max_silence": 5}, OnChange(0.1, 5.0)),
]

BAD = [
    ("api_base", "ftp://127.0.0.1"),
    ("api_base", "http://user:secret@127.0.0.1/v1"),
    ("api_base", None),
    ("api_key", 5),
    ("api_key", "two words"),
    ("api_key", "line\r\nX-Evil: yes"),
    ("api_key", "k" * 5000),
    ("model", "m" * 257),
    ("model", "a\nb"),
    ("model", ["a"]),
    ("prompt", ""),
    ("prompt", "  \n"),
    ("prompt", "p" * 16385),
    ("prompt", "\ud800"),
    ("prompt", "a\0b"),
    ("prompt", 3),
    ("system_prompt", None),
    ("system_prompt", "p" * 16385),
    ("system_prompt", "a\0b"),
    ("temperature", "0.5"),
    ("temperature", True),
    ("temperature", -0.1),
    ("temperature", 2.1),
    ("temperature", math.nan),
    ("temperature", 10**400),
    ("max_tokens", True),
    ("max_tokens", 0),
    ("max_tokens", -1),
    ("max_tokens", 8193),
    ("max_tokens", 10**4000),
    ("max_tokens", 1.5),
    ("max_tokens", "256"),
    ("max_tokens", None),
    ("max_frame_age", math.nan),
    ("max_frame_age", math.inf),
    ("max_frame_age", -math.inf),
    ("max_frame_age", 0),
    ("max_frame_age", 10**400),
    ("max_frame_age", False),
    ("frames_per_question", 0),
    ("frames_per_question", 9),
    ("frame_spacing", 0),
    ("long_side", 63),
    ("long_side", 4097),
    ("paused", 1),
    ("paused", "true"),
    ("sampling", "free"),
    ("sampling", None),
    ("sampling", {}),
    ("sampling", {"mode": ["free"]}),
    ("sampling", {"mode": "sometimes"}),
    ("sampling", {"mode": "free", "every": 3}),
    ("sampling", {"mode": "frames"}),
    ("sampling", {"mode": "frames", "every": 2.5}),
    ("sampling", {"mode": "frames", "every": True}),
    ("sampling", {"mode": "seconds", "every": 0}),
    ("sampling", {"mode": "seconds", "every": math.nan}),
    ("sampling", {"mode": "change", "threshold": 1.1}),
    ("sampling", {"mode": "change", "threshold": "0.1"}),
    ("sampling", {"mode": "change", "max_silence": None}),
]


@pytest.mark.parametrize(("name", "given", "kept"), GOOD)
def test_a_good_value_is_taken(name, given, kept):
    assert getattr(SETTINGS.patched({name: given}), name) == kept


@pytest.mark.parametrize(("name", "given"), BAD, ids=[f"{name}-{number}" for number, (name, _) in enumerate(BAD)])
def test_a_wrong_value_is_refused_by_its_name(name, given):
    with pytest.raises(InputError) as refusal:
        SETTINGS.patched({name: given})

    assert refusal.value.message.startswith(f"{name}: ")
    assert len(refusal.value.message) < 300
    assert refusal.value.remedy


def test_all_faults_of_a_patch_are_told_at_once():
    with pytest.raises(InputError) as refusal:
        SETTINGS.patched({"max_tokens": 0, "paused": 1, "sampling": {"mode": "freee"}, "promt": "x", "long_side": 640})

    message = refusal.value.message
    assert [name in message for name in ("max_tokens:", "paused:", "sampling:", "'promt':")] == [True] * 4
    assert "long_side" not in message


def test_an_unknown_name_is_told_with_the_nearest_that_there_is():
    with pytest.raises(InputError, match=r"'promt': unknown name; did you mean prompt\?"):
        SETTINGS.patched({"promt": "What is there?"})


def test_a_thousand_unknown_names_make_a_short_message():
    with pytest.raises(InputError) as refusal:
        SETTINGS.patched({f"{number}" * 100: 1 for number in range(1000)})

    assert len(refusal.value.message) < 3000
    assert "and 992 more" in refusal.value.message


def test_a_message_that_tells_of_strange_characters_can_itself_be_sent():
    with pytest.raises(InputError) as refusal:
        SETTINGS.patched({"\ud800\n": "\udfff", "sampling": {"mode": "\ud800"}})

    refusal.value.message.encode()
    assert "\n" not in refusal.value.message


def test_a_wrong_key_is_never_repeated():
    with pytest.raises(InputError) as refusal:
        SETTINGS.patched({"api_key": "sk-very secret", "api_base": "http://me:sk-very@host"})

    assert "sk-very" not in str(refusal.value)


def test_a_fault_changes_nothing():
    with pytest.raises(InputError):
        SETTINGS.patched({"prompt": "new", "max_tokens": 0})

    assert SessionSettings() == SETTINGS


def test_another_address_forgets_the_model_of_the_last():
    chosen = SETTINGS.patched({"api_base": "http://127.0.0.1:11434", "model": "llava"})

    assert chosen.patched({"api_base": "http://127.0.0.1:8000"}).model == ""
    assert chosen.patched({"api_base": "http://127.0.0.1:11434/v1/"}).model == "llava"
    assert chosen.patched({"api_base": "http://127.0.0.1:8000", "model": "qwen"}).model == "qwen"


def test_an_address_that_hands_out_credentials_is_forbidden():
    with pytest.raises(ForbiddenError):
        SETTINGS.patched({"api_base": "http://169.254.169.254/v1"})


def test_what_is_told_is_what_can_be_sent_back():
    settings = SETTINGS.patched({"sampling": {"mode": "change"}, "api_base": "http://127.0.0.1:8000", "api_key": "k"})

    told = json.loads(json.dumps(settings.to_json()))

    assert SETTINGS.patched(told) == settings
    assert "api_key" not in told


def test_a_key_comes_out_as_a_secret():
    assert key_in({"api_key": "sk-1"}).reveal() == "sk-1"
    assert key_in({"api_key": None}) is None
    assert key_in({}) is None
    assert "sk-1" not in repr(key_in({"api_key": "sk-1"}))


def test_a_model_is_asked_with_system_prompt_and_temperature_and_the_describer_which_knows_neither_without():
    settings = SETTINGS.patched({"system_prompt": "Be brief.", "temperature": 0.3})
    asked = settings.question((), ModelLabel("http://127.0.0.1:8000/v1", "llava"))
    assert (asked.system_prompt, asked.temperature) == ("Be brief.", 0.3)
    asked = settings.question((), DESCRIBER)
    assert (asked.system_prompt, asked.temperature) == ("", None)
