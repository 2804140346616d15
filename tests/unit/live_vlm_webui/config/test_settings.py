from __future__ import annotations

import dataclasses

import pytest

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.errors import WrongValueError
from live_vlm_webui.secret import Secret


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]  # what the test is about


def test_the_default_is_https_on_loopback_without_sign_in():
    settings = Settings()
    assert (settings.host, settings.port, settings.ssl) == ("127.0.0.1", 8090, True)
    assert settings.on_loopback
    assert not settings.login_required


@pytest.mark.parametrize(
    ("host", "address", "loopback"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.8.9.10", "127.8.9.10", True),
        ("::1", "::1", True),
        ("[::1]", "::1", True),
        ("localhost", "127.0.0.1", True),
        ("LocalHost", "127.0.0.1", True),
        ("0.0.0.0", "0.0.0.0", False),
        ("::", "::", False),
        ("192.168.1.20", "192.168.1.20", False),
        ("128.0.0.1", "128.0.0.1", False),
        ("2001:db8::1", "2001:db8::1", False),
        ("::ffff:127.0.0.1", None, False),
    ],
)
def test_addresses_are_taken_and_only_loopback_counts_as_such(host, address, loopback):
    settings = Settings(host=host)
    assert address is None or str(settings.address) == address
    assert settings.on_loopback is loopback


@pytest.mark.parametrize(
    "host", ["", "::1%lo", "camera.example", "localhost.example", "127.0.0.1.example", "127.1", "2130706433", "[::1"]
)
def test_what_is_no_address_is_refused(host):
    with pytest.raises(WrongValueError, match="not an IP address") as wrong:
        Settings(host=host)
    assert wrong.value.setting == "host"
    assert "0.0.0.0" in wrong.value.remedy


@pytest.mark.parametrize(
    "others_come",
    [
        {"host": "0.0.0.0"},
        {"host": "192.168.1.20"},
        {"token": Secret("long-enough")},
        {"allow_hosts": ("cam.example",)},
    ],
    ids=str,
)
def test_sign_in_is_required_in_a_network_or_with_a_token(others_come):
    assert Settings(**others_come).login_required


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("port", -1),
        ("port", 65536),
        ("process_every", 0),
        ("process_every", 100_001),
        ("monitor_interval", 0.0),
        ("monitor_interval", 3601.0),
        ("monitor_interval", float("nan")),
        ("monitor_interval", float("inf")),
        ("log_level", "loud"),
        ("model", ""),
        ("model", "a\nb"),
        ("model", "m" * 257),
        ("prompt", "  "),
        ("prompt", "p" * 16_385),
        ("prompt", "caf\udce9"),
        ("system_prompt", ""),
        ("system_prompt", "p" * 16_385),
        ("system_prompt", "caf\udce9"),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("api_base", ""),
        ("api_base", "ftp://host/v1"),
        ("api_base", "http://"),
        ("api_base", "http://host:99999/v1"),
        ("api_base", "http://[::1/v1"),
        ("api_base", "host:8000/v1"),
        ("api_base", "http://host/v1 "),
        ("api_base", "http://host/v1#part"),
        ("allow_hosts", ("https://cam.example",)),
        ("allow_hosts", ("",)),
        ("allow_hosts", ("cam.example:99999",)),
        ("allow_hosts", ("cam example",)),
        ("allow_hosts", ("*",)),
        ("allow_hosts", ("Cam.example",)),
        ("root_path", "vlm"),
        ("root_path", "/vlm/"),
        ("root_path", "/.."),
        ("root_path", "/a//b"),
        ("root_path", "/{name}"),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_its_name(setting, value):
    with pytest.raises(WrongValueError) as wrong:
        Settings(**{setting: value})
    assert wrong.value.setting == setting
    assert wrong.value.remedy


@pytest.mark.parametrize(
    "address", ["https://user:planted@host/v1", "http://planted@host/v1", "http://host/v1?key=planted", "planted://x"]
)
def test_a_refused_api_address_is_not_repeated_for_it_may_hold_a_key(address):
    with pytest.raises(WrongValueError) as wrong:
        Settings(api_base=address)
    assert "planted" not in str(wrong.value)


@pytest.mark.parametrize("setting", ["token", "api_key"])
@pytest.mark.parametrize("value", ["", "two words", "planted\nplanted", "plantéd-planted", "planted\x00planted"])
def test_a_secret_that_no_header_can_carry_is_refused_and_not_repeated(setting, value):
    with pytest.raises(WrongValueError) as wrong:
        Settings(**{setting: Secret(value)})
    assert wrong.value.setting == setting
    assert "plant" not in str(wrong.value)


def test_a_token_that_could_be_guessed_is_refused():
    with pytest.raises(WrongValueError, match="shorter than 8"):
        Settings(token=Secret("1234567"))


@pytest.mark.parametrize(
    "name", ["cam", "cam.example", "cam.example:8443", "192.168.1.20", "[2001:db8::1]:443", "a_b.c"]
)
def test_names_of_a_reverse_proxy_are_taken(name):
    assert Settings(allow_hosts=(name,)).allow_hosts == (name,)


def test_settings_show_no_secret():
    shown = repr(Settings(token=Secret("planted-token"), api_key=Secret("planted-key"), api_base="http://host/v1"))
    assert "planted" not in shown
