from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from live_vlm_webui.cli import build_parser
from live_vlm_webui.config.data_dir import VARIABLE
from live_vlm_webui.config.environment import SOURCES, data_dir_of, read_settings
from live_vlm_webui.config.settings import Settings
from live_vlm_webui.errors import SettingsError

ROOT = Path(__file__).parents[4]


def read(*arguments: str, **environ: str) -> Settings:
    return read_with_warnings(*arguments, **environ)[0]


def read_with_warnings(*arguments: str, **environ: str) -> tuple[Settings, tuple[str, ...]]:
    return read_settings(vars(build_parser().parse_args(arguments)), {"LIVE_VLM_DATA": "/data", **environ})


def test_without_flags_and_environment_the_defaults_hold():
    settings, warnings = read_with_warnings()
    assert settings == Settings(data_dir=Path("/data"))
    assert warnings == ()


EXAMPLES = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("9000", 9000),
    "log_level": ("DEBUG", "debug"),
    "api_base": ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
    "model": ("a-model", "a-model"),
    "prompt": ("What is there?", "What is there?"),
    "system_prompt": ("Be brief.", "Be brief."),
    "temperature": ("0.2", 0.2),
    "process_every": ("30", 30),
    "monitor_interval": ("0.5", 0.5),
    "ssl_cert": ("/tls/cert.pem", Path("/tls/cert.pem")),
    "allow_hosts": ("Cam.Example:8443", ("cam.example:8443",)),
    "root_path": ("/tools/vlm/", "/tools/vlm"),
}


@pytest.mark.parametrize("source", [one for one in SOURCES if one.setting in EXAMPLES], ids=lambda one: one.setting)
def test_a_flag_sets_its_setting(source):
    text, value = EXAMPLES[source.setting]
    assert getattr(read(source.flag, text), source.setting) == value


@pytest.mark.parametrize(
    "source", [one for one in SOURCES if one.setting in EXAMPLES and one.variable], ids=lambda one: one.setting
)
def test_a_variable_sets_its_setting_and_the_flag_beats_it(source):
    text, value = EXAMPLES[source.setting]
    other = {
        "process_every": "7",
        "monitor_interval": "7",
        "api_base": "https://other.example/v1",
        "root_path": "/other",
    }.get(source.setting, "other")
    assert getattr(read(**{source.variable: text}), source.setting) == value
    assert getattr(read(source.flag, text, **{source.variable: other}), source.setting) == value


def test_the_variables_are_those_that_are_documented():
    listed = set(re.findall(r"`(LIVE_VLM_[A-Z_]+)`", (ROOT / "docs" / "containers.md").read_text("utf-8")))
    assert listed == {source.variable for source in SOURCES if source.variable} | {VARIABLE}
    assert {source.variable for source in SOURCES if source.variable} == {
        "LIVE_VLM_API_BASE",
        "LIVE_VLM_DEFAULT_MODEL",
        "LIVE_VLM_PROCESS_EVERY",
        "LIVE_VLM_API_KEY",
        "LIVE_VLM_MONITOR_INTERVAL",
        "LIVE_VLM_ROOT_PATH",
        "LIVE_VLM_TOKEN",
    }


def test_an_empty_variable_counts_as_absent_and_an_empty_flag_does_not():
    assert read(LIVE_VLM_DEFAULT_MODEL="").model is None
    with pytest.raises(SettingsError, match=r"^--model: "):
        read("--model", "", LIVE_VLM_DEFAULT_MODEL="a-model")


@pytest.mark.parametrize(
    ("arguments", "environ", "told"),
    [
        (["--port", "many"], {}, "--port: 'many' is not a whole number"),
        (["--port", "1_0"], {}, "--port: '1_0' is not a whole number"),
        (["--port", "\u0663"], {}, "--port: '\u0663' is not a whole number"),
        (["--port", "70000"], {}, "--port: 70000 is not a valid port"),
        (["--temperature", "warm"], {}, "--temperature: 'warm' is not a number"),
        (["--temperature", "2.1"], {}, "--temperature: A temperature of 2.1 is out of range"),
        (["--system-prompt", " "], {}, "--system-prompt: The system prompt has 1 characters"),
        (["--process-every", "0"], {}, "--process-every: 0 is not a valid number of frames"),
        ([], {"LIVE_VLM_PROCESS_EVERY": "often"}, "LIVE_VLM_PROCESS_EVERY: 'often' is not a whole number"),
        ([], {"LIVE_VLM_PROCESS_EVERY": "0"}, "LIVE_VLM_PROCESS_EVERY: 0 is not a valid number of frames"),
        ([], {"LIVE_VLM_MONITOR_INTERVAL": "fast"}, "LIVE_VLM_MONITOR_INTERVAL: 'fast' is not a number"),
        ([], {"LIVE_VLM_MONITOR_INTERVAL": "nan"}, "LIVE_VLM_MONITOR_INTERVAL: A monitor interval of nan seconds"),
        (["--monitor-interval", "0.01"], {}, "--monitor-interval: A monitor interval of 0.01 seconds"),
        ([], {"LIVE_VLM_API_BASE": "localhost:8000"}, "LIVE_VLM_API_BASE: The API address is not an http"),
        ([], {"LIVE_VLM_TOKEN": "short"}, "LIVE_VLM_TOKEN: The token is shorter than 8"),
        (["--token", "short"], {"LIVE_VLM_TOKEN": "long-enough"}, "--token: The token is shorter than 8"),
        (["--ssl-key", "/key.pem"], {}, "--ssl-key: The key has no certificate"),
        (["--ssl-cert", "/cert.pem", "--no-ssl"], {}, "--ssl-cert: A certificate is set, but --no-ssl"),
        (["--allow-host", "https://x"], {}, "--allow-host: 'https://x' is not a host name"),
        (["--media-dir", "/no/such/place"], {}, "--media-dir: /no/such/place is not a directory"),
        (
            ["--ssl-cert", "~nobody-there/cert.pem"],
            {},
            "--ssl-cert: '~nobody-there/cert.pem' refers to an unknown home directory",
        ),
    ],
)
def test_a_wrong_value_is_told_with_where_it_came_from(arguments, environ, told):
    with pytest.raises(SettingsError) as wrong:
        read(*arguments, **environ)
    assert wrong.value.message.startswith(told)
    assert wrong.value.remedy


ADDRESS = {"LIVE_VLM_API_BASE": "http://host/v1"}


@pytest.mark.parametrize(
    ("flag", "variable", "setting"),
    [("--token", "LIVE_VLM_TOKEN", "token"), ("--api-key", "LIVE_VLM_API_KEY", "api_key")],
)
class TestSecrets:
    """Tokens and keys, which others must not read in the list of processes; a key needs an address."""

    def test_a_file_holds_it(self, flag, variable, setting, tmp_path):
        file = tmp_path / "secret"
        file.write_text("planted-secret\n")
        for settings, warnings in (
            read_with_warnings(flag, f"@{file}", **ADDRESS),
            read_with_warnings(**{variable: f"@{file}"}, **ADDRESS),
        ):
            assert getattr(settings, setting).reveal() == "planted-secret"
            assert not any(flag in warning for warning in warnings)

    def test_the_environment_holds_it_and_a_flag_beats_it(self, flag, variable, setting, tmp_path):
        file = tmp_path / "secret"
        file.write_text("from-the-file")
        planted = {variable: "planted-secret", **ADDRESS}
        assert getattr(read(**planted), setting).reveal() == "planted-secret"
        assert getattr(read(flag, f"@{file}", **planted), setting).reveal() == "from-the-file"

    def test_a_literal_works_and_warns_without_repeating_it(self, flag, variable, setting):
        settings, warnings = read_with_warnings(flag, "planted-secret", **ADDRESS)
        assert getattr(settings, setting).reveal() == "planted-secret"
        assert f"{flag}: other users of this machine can read it" in warnings[0]
        assert variable in warnings[0]
        assert "planted" not in " ".join(warnings)


@pytest.mark.parametrize("flag", ["--token", "--api-key"])
@pytest.mark.parametrize(
    "content", [b"", b"\n", b"planted planted\n", b"planted\nplanted\n", b"plant\xc3\xa9d", b"p" * 9000]
)
def test_a_file_that_does_not_hold_one_secret_is_refused_and_not_repeated(flag, tmp_path, content):
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=rf"{flag}: .* does not contain exactly one secret") as wrong:
        read(flag, f"@{file}")
    assert "plant" not in str(wrong.value)


@pytest.mark.parametrize("variable", ["LIVE_VLM_TOKEN", "LIVE_VLM_API_KEY"])
@pytest.mark.parametrize("name", ["no-such-file", "", "."])
def test_a_file_that_cannot_be_read_is_named(variable, tmp_path, name):
    with pytest.raises(SettingsError, match=rf"{variable}: .* cannot be read"):
        read(**{variable: f"@{tmp_path}/{name}"})


def test_several_directories_and_names_may_be_given(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "link").symlink_to("b")
    settings = read(
        "--media-dir",
        str(tmp_path / "a"),
        "--media-dir",
        str(tmp_path / "link"),
        "--allow-host",
        "x",
        "--allow-host",
        "y",
    )
    assert settings.media_dirs == (tmp_path / "a", tmp_path / "b")
    assert settings.allow_hosts == ("x", "y")


def test_a_slip_of_the_pen_in_a_variables_name_is_told_and_other_programs_variables_are_not():
    _, warnings = read_with_warnings(LIVE_VLM_API_BSE="x", LIVE_VLM_WEBUI_PORT="1", LIVE_VLM_ZZZ="x", OTHER="x")
    assert warnings == (
        "LIVE_VLM_API_BSE is not a known setting. Did you mean LIVE_VLM_API_BASE?",
        "LIVE_VLM_ZZZ is not a known setting.",
    )


def test_http_where_others_come_is_warned_of():
    assert any("unencrypted" in warning for warning in read_with_warnings("--no-ssl", "--host", "0.0.0.0")[1])
    assert read_with_warnings("--no-ssl")[1] == ()


def test_a_key_without_an_address_is_refused():
    with pytest.raises(SettingsError) as told:
        read_with_warnings(LIVE_VLM_API_KEY="a-key")
    assert "LIVE_VLM_API_KEY: An API key needs an API address" in told.value.message
    assert "--api-base" in told.value.remedy
    assert "a-key" not in str(told.value)
    assert read_with_warnings(LIVE_VLM_API_KEY="a-key", **ADDRESS)[1] == ()


def test_other_servers_may_be_named_unless_told_otherwise():
    assert read().known_servers_only is False
    assert read("--known-servers-only").known_servers_only is True


def test_the_data_directory_is_made_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/u")
    assert data_dir_of({"LIVE_VLM_DATA": "data"}) == tmp_path / "data"
    assert data_dir_of({"LIVE_VLM_DATA": "~/data"}) == Path("/home/u/data")
    assert data_dir_of({"XDG_DATA_HOME": "/share"}) == Path("/share/live-vlm-webui")


def test_a_directory_that_cannot_be_looked_at_is_told(tmp_path):
    with pytest.raises(SettingsError, match=r"--media-dir: .* cannot be read: File name too long"):
        read("--media-dir", str(tmp_path / ("n" * 300)))


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS keeps the name of a deleted directory")
@pytest.mark.parametrize("flag", ["--media-dir", "--ssl-cert"])
def test_a_relative_path_in_a_directory_that_was_deleted_is_told(tmp_path, monkeypatch, flag):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(SettingsError, match=f"{flag}: 'there' is relative to the current directory, which was deleted"):
        read(flag, "there")
