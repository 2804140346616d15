from __future__ import annotations

import re

import pytest

import live_vlm_webui
from live_vlm_webui.cli import build_parser, main
from live_vlm_webui.config.environment import SOURCES


def test_version_is_the_name_and_the_version_alone(capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"live-vlm-webui {live_vlm_webui.__version__}\n"


def test_help_explains_every_option(capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    told = capsys.readouterr().out
    named = set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", told, flags=re.MULTILINE))
    assert named == {
        "--help",
        "--version",
        "--host",
        "--port",
        "--auto-port",
        "--api-base",
        "--known-servers-only",
        "--model",
        "--api-key",
        "--prompt",
        "--system-prompt",
        "--temperature",
        "--process-every",
        "--monitor-interval",
        "--ssl-cert",
        "--ssl-key",
        "--no-ssl",
        "--token",
        "--allow-host",
        "--root-path",
        "--media-dir",
        "--log-level",
    }
    together = " ".join(told.split())
    for default in ("127.0.0.1", "8090", "info", "1"):
        assert f"(default: {default})" in together
    for source in SOURCES:
        assert source.flag in named
        assert not source.variable or source.variable in told
    assert "LIVE_VLM_DATA" in told


def test_without_arguments_nothing_is_asked_for_and_the_defaults_hold():
    given = vars(build_parser().parse_args([]))
    assert {name: value for name, value in given.items() if value} == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port"],
        ["--auto"],
        ["--frobnicate"],
        ["stray"],
    ],
)
def test_arguments_that_cannot_be_read_exit_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--hots", "::"], ["--hots=::"], ["--no-ssl", "--hots", "::", "doctor"]])
def test_a_slip_of_the_pen_in_a_flag_is_told_with_the_one_that_was_meant(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert capsys.readouterr().err.endswith("error: unknown option --hots; did you mean --host?\n")


@pytest.mark.parametrize("arguments", [["--port", "9999", "doctor"], ["--port=9999", "doctor", "--json"]])
def test_the_doctor_takes_no_flags_of_the_server_rather_than_ignoring_them(arguments, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert "error: doctor does not accept --port; it reads only the environment" in capsys.readouterr().err


def test_ctrl_c_while_arguments_are_read_ends_without_a_traceback(monkeypatch):
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("live_vlm_webui.cli.build_parser", interrupted)
    assert main([]) == 130


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "-1"], "--port: -1 is not a valid port\n-> Use 1 to 65535, or 0 for any free port.\n"),
        (["--port", "65536"], "--port: 65536 is not a valid port\n-> Use 1 to 65535, or 0 for any free port.\n"),
        (["--port", "many"], "--port: 'many' is not a whole number\n-> Use digits only.\n"),
        (["--log-level", "loud"], "--log-level: 'loud' is not a log level\n-> "),
        (["--host", "camera.example"], "--host: 'camera.example' is not an IP address to listen on\n-> "),
    ],
)
def test_a_value_that_cannot_be_used_exits_with_2_and_says_what_would_be_right(arguments, told, capsys):
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(f"live-vlm-webui: {told}")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["doktor"], "error: unknown command doktor; did you mean doctor?\n"),
        (["--port", "0", "foo"], "error: unknown command foo; the only command is doctor, and serving needs none\n"),
        (["it's"], "error: unknown command it's; the only command is doctor, and serving needs none\n"),
    ],
)
def test_a_stray_word_is_told_as_such(arguments, told, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.endswith(told)
