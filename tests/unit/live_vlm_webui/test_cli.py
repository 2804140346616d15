from __future__ import annotations

import re

import pytest

import live_vlm_webui
from live_vlm_webui.cli import build_parser, main


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
    options = capsys.readouterr().out.partition("options:")[2]
    named = set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", options, flags=re.MULTILINE))
    assert named == {"--help", "--host", "--port", "--auto-port", "--log-level", "--version"}
    for default in ("127.0.0.1", "8090", "info"):
        assert f"(default: {default})" in options


def test_defaults_are_loopback_and_port_8090():
    assert vars(build_parser().parse_args([])) == {
        "host": "127.0.0.1",
        "port": 8090,
        "auto_port": False,
        "log_level": "info",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "many"],
        ["--port"],
        ["--log-level", "loud"],
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


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_out_of_range_exits_with_2_and_says_the_range(port, capsys):
    assert main(["--port", port]) == 2
    assert capsys.readouterr().err == (
        f"live-vlm-webui: {port} is not a port.\nGive 1 to 65535, or 0 for any free port.\n"
    )
