from __future__ import annotations

import socket
import ssl
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_pem_x509_certificate

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.errors import SettingsError
from live_vlm_webui.tls import context as tls
from live_vlm_webui.tls.certificate import Wanted, make
from live_vlm_webui.tls.context import server_context, wanted_names

ADDRESSES = tuple(map(ip_address, ("127.0.0.1", "::1", "192.168.1.20", "2001:db8::7")))


@pytest.fixture(autouse=True)
def one_machine(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "workshop")
    monkeypatch.setattr(tls, "own_addresses", lambda: ADDRESSES)


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of the user's own, and its key."""
    return write_own(tmp_path, datetime.now(timezone.utc))


def write_own(directory: Path, now: datetime) -> tuple[Path, Path]:
    pem, key = make(Wanted(("cam.example",)), now)
    (directory / "cert.pem").write_bytes(pem)
    (directory / "key.pem").write_bytes(key)
    return directory / "cert.pem", directory / "key.pem"


def load(cert: Path, key: Path | None = None) -> ssl.SSLContext:
    return server_context(Settings(ssl_cert=cert, ssl_key=key, data_dir=cert.parent / "data"))[0]


@pytest.mark.parametrize(
    ("settings", "needed"),
    [
        ({}, "localhost 127.0.0.1 ::1"),
        ({"host": "::1"}, "localhost 127.0.0.1 ::1"),
        ({"host": "127.0.0.9"}, "localhost 127.0.0.1 ::1 127.0.0.9"),
        ({"host": "0.0.0.0"}, "localhost 127.0.0.1 ::1 192.168.1.20 workshop workshop.local"),
        ({"host": "::"}, "localhost 127.0.0.1 ::1 192.168.1.20 workshop workshop.local"),
        ({"host": "2001:db8::7"}, "localhost 127.0.0.1 ::1 2001:db8::7 workshop workshop.local"),
        ({"allow_hosts": ("cam.example:8443", "10.0.0.9")}, "localhost 127.0.0.1 ::1 cam.example 10.0.0.9"),
    ],
    ids=str,
)
def test_a_certificate_must_be_for_how_the_server_is_reached_and_is_for_all_that_there_is(settings, needed):
    wanted = wanted_names(Settings(**settings))
    assert [str(one) for one in dict.fromkeys(wanted.needed)] == list(dict.fromkeys([*needed.split()]))
    assert set(wanted.more) >= {"localhost", "workshop", "workshop.local", *ADDRESSES}


def test_one_is_made_and_kept_in_the_data_directory(tmp_path):
    first = server_context(Settings(data_dir=tmp_path))[1]
    assert first.path == tmp_path / "tls" / "certificate.pem"
    assert first.names == ("localhost", "workshop", "workshop.local", *map(str, ADDRESSES))
    assert server_context(Settings(data_dir=tmp_path))[1] == first


def test_nothing_older_than_tls_1_2_is_spoken(tmp_path):
    assert server_context(Settings(data_dir=tmp_path))[0].minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_data_directory_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written") as error:
        server_context(Settings(data_dir=tmp_path / "file"))
    assert "LIVE_VLM_DATA" in error.value.remedy


def test_the_users_own_are_taken_and_none_is_made(own, tmp_path):
    _, told = server_context(Settings(ssl_cert=own[0], ssl_key=own[1], data_dir=tmp_path / "data"))
    assert told.path == own[0]
    assert told.names == ("cam.example",)
    assert not (tmp_path / "data").exists()


def test_one_file_may_hold_both(own, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes(own[1].read_bytes() + own[0].read_bytes())
    load(both)


def test_a_missing_certificate_is_named(own, tmp_path):
    with pytest.raises(SettingsError, match=r"--ssl-cert: .*/gone\.pem cannot be read: No such file"):
        load(tmp_path / "gone.pem", own[1])


def test_a_missing_key_is_named(own, tmp_path):
    with pytest.raises(SettingsError, match=r"--ssl-key: .*/gone\.pem cannot be read: No such file"):
        load(own[0], tmp_path / "gone.pem")


def test_a_directory_is_no_certificate(own):
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(own[0].parent, own[1])


def test_a_certificate_without_its_key_says_which_option_is_missing(own):
    with pytest.raises(SettingsError, match="without its key") as error:
        load(own[0])
    assert "--ssl-key" in error.value.remedy


def test_the_two_exchanged_are_told(own):
    with pytest.raises(SettingsError, match="contains a key and no certificate"):
        load(own[1], own[0])


def test_a_certificate_in_the_place_of_the_key_is_told(own):
    with pytest.raises(SettingsError, match=r"--ssl-key: .*cert\.pem contains no private key"):
        load(own[0], own[0])


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 100])
def test_what_is_no_certificate_is_told(own, content):
    own[0].write_bytes(content)
    with pytest.raises(SettingsError, match="contains no certificate"):
        load(*own)


def test_a_certificate_in_der_is_told_with_the_command_that_converts_it(own):
    der = load_pem_x509_certificate(own[0].read_bytes()).public_bytes(serialization.Encoding.DER)
    own[0].write_bytes(der)
    with pytest.raises(SettingsError, match="is DER") as error:
        load(*own)
    assert "openssl x509 -inform der" in error.value.remedy


def test_a_key_in_der_is_told_with_the_command_that_converts_it(own):
    key = serialization.load_pem_private_key(own[1].read_bytes(), None)
    own[1].write_bytes(
        key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    with pytest.raises(SettingsError, match="is DER") as error:
        load(*own)
    assert "openssl pkey -inform der" in error.value.remedy


def test_the_key_of_another_certificate_is_told(own):
    own[1].write_bytes(make(Wanted(("x",)), datetime.now(timezone.utc))[1])
    with pytest.raises(SettingsError, match="does not match the first certificate"):
        load(*own)


def test_an_encrypted_key_is_told_and_no_password_asked_for(own):
    key = serialization.load_pem_private_key(own[1].read_bytes(), None)
    encryption = serialization.BestAvailableEncryption(b"password")
    own[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    with pytest.raises(SettingsError, match="is encrypted") as error:
        load(*own)
    assert "openssl pkey" in error.value.remedy


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_cut_off_in_the_middle_is_told(own, which):
    lines = own[which].read_bytes().splitlines(keepends=True)
    own[which].write_bytes(b"".join([*lines[:2], lines[-1]]))
    with pytest.raises(SettingsError, match="is damaged"):
        load(*own)


@pytest.mark.parametrize(("days", "told"), [(-900, "expired on"), (30, "is not valid before")])
def test_one_that_has_ended_or_not_begun_is_served_with_a_warning(tmp_path, caplog, days, told):
    load(*write_own(tmp_path, datetime.now(timezone.utc) + timedelta(days=days)))
    assert told in caplog.text
