from __future__ import annotations

import io
import re
import socket
from ipaddress import ip_address
from pathlib import Path

import pytest

from live_vlm_webui import __version__
from live_vlm_webui.config.settings import Settings
from live_vlm_webui.network import reach
from live_vlm_webui.secret import Secret
from live_vlm_webui.server.ready import Ready, announce, qr_code

ADDRESSES = tuple(map(ip_address, ("127.0.0.1", "::1", "172.17.0.1", "192.168.1.20", "2001:db8::7")))


@pytest.fixture(autouse=True)
def one_machine(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "workshop")
    monkeypatch.setattr(reach, "own_addresses", lambda: ADDRESSES)
    monkeypatch.setattr(reach, "_outward", lambda version: "192.168.1.20" if version == 4 else "")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def told(settings: Settings, stream: io.StringIO | None = None, code: str = "c0de", fingerprint: str = "AB:CD") -> str:
    stream = stream or io.StringIO()
    announce(Ready(settings, 8090, code if settings.login_required else "", fingerprint), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "https://127.0.0.1:8090/"),
        ({"ssl": False}, "http://127.0.0.1:8090/"),
        ({"host": "localhost"}, "https://127.0.0.1:8090/"),
        ({"host": "::1"}, "https://[::1]:8090/"),
        ({"host": "0.0.0.0"}, "https://127.0.0.1:8090/"),
        ({"host": "::"}, "https://[::1]:8090/"),
        ({"host": "192.168.1.20"}, "https://192.168.1.20:8090/"),
    ],
    ids=str,
)
def test_the_first_line_has_the_address_for_this_machine(settings, url):
    first = told(Settings(**settings)).splitlines()[0]
    assert first == f"live-vlm-webui {__version__} is ready: {url} (Ctrl-C stops)"


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_without_sign_in_there_is_no_second_line(stream):
    assert told(Settings(), stream()).count("\n") == 1


@pytest.mark.parametrize(
    ("settings", "urls"),
    [
        (
            {"host": "0.0.0.0"},
            ["https://192.168.1.20:8090/", "https://172.17.0.1:8090/", "https://workshop.local:8090/"],
        ),
        (
            {"host": "::"},
            [
                "https://192.168.1.20:8090/",
                "https://172.17.0.1:8090/",
                "https://[2001:db8::7]:8090/",
                "https://workshop.local:8090/",
            ],
        ),
        ({"host": "192.168.1.20"}, ["https://192.168.1.20:8090/", "https://workshop.local:8090/"]),
        (
            {"allow_hosts": ("cam.example", "cam.example:8443", "[2001:db8::9]:1")},
            ["https://cam.example/", "https://cam.example:8443/", "https://[2001:db8::9]:1/"],
        ),
        ({"token": Secret("planted-token")}, []),
    ],
    ids=str,
)
def test_others_are_told_every_address_the_likeliest_first(settings, urls):
    settings = Settings(**settings)
    assert list(Ready(settings, 8090).others) == urls
    text = told(settings)
    assert re.findall(r"^  (https://[^#\s]+)$", text, re.MULTILINE) == urls
    assert f"  {(*urls, 'https://127.0.0.1:8090/')[0]}#code=c0de\n" in text


def test_very_many_addresses_are_cut(monkeypatch):
    many = tuple(ip_address(f"10.0.0.{number}") for number in range(1, 200))
    monkeypatch.setattr(reach, "own_addresses", lambda: many)
    assert len(Ready(Settings(host="0.0.0.0"), 8090).others) == 8


def test_the_token_is_never_shown_and_its_file_is():
    assert "stored in /data/token." in told(Settings(host="0.0.0.0", data_dir=Path("/data")))
    given = told(Settings(host="0.0.0.0", token=Secret("planted-token")), Terminal())
    assert "planted" not in given
    assert "set by --token or LIVE_VLM_TOKEN" in given


def test_the_fingerprint_is_told_of_a_certificate_that_was_made_and_of_no_other():
    assert "  AB:CD\n" in told(Settings(host="0.0.0.0"))
    assert "AB:CD" not in told(Settings(host="0.0.0.0", ssl_cert=Path("/cert.pem")))
    assert "SHA-256" not in told(Settings(host="0.0.0.0", ssl=False), fingerprint="")


def test_only_one_line_looks_like_the_ready_line():
    assert told(Settings(host="0.0.0.0"), Terminal()).count(" is ready: ") == 1


def test_a_terminal_shows_the_address_with_the_code_as_a_qr_code():
    import segno

    shown = told(Settings(host="0.0.0.0"), Terminal())
    code = io.StringIO()
    segno.make("https://192.168.1.20:8090/#code=c0de", error="l", micro=False).terminal(
        out=code, compact=True, border=4
    )
    assert code.getvalue() in shown
    assert "█" not in told(Settings(host="0.0.0.0"))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no such encoding"])
def test_a_terminal_without_blocks_shows_none(encoding):
    assert qr_code("https://127.0.0.1/", encoding) == ""
