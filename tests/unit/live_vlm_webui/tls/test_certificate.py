from __future__ import annotations

import hashlib
import ssl
import stat
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from live_vlm_webui.tls.certificate import CERTIFICATE_FILE, KEY_FILE, Wanted, describe, kept_certificate, make

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)
WANTED = Wanted(("localhost", ip_address("127.0.0.1"), ip_address("::1")), ("workshop", ip_address("192.168.1.20")))


def kept(directory: Path, wanted: Wanted = WANTED, now: datetime = NOW) -> tuple[bytes, bytes]:
    certificate, key = kept_certificate(directory, wanted, now)
    return certificate.read_bytes(), key.read_bytes()


def test_one_is_made_for_all_names_and_addresses(tmp_path):
    path, _ = kept_certificate(tmp_path, WANTED, NOW)
    assert describe(path).names == ("localhost", "workshop", "127.0.0.1", "::1", "192.168.1.20")


def test_it_is_valid_from_a_day_ago_and_not_longer_than_apple_allows(tmp_path):
    path, _ = kept_certificate(tmp_path, WANTED, NOW)
    told = describe(path)
    assert told.not_before == NOW - timedelta(days=1)
    assert timedelta(days=700) < told.not_after - told.not_before <= timedelta(days=825)


def test_its_key_is_p_256_and_its_owners_alone(tmp_path):
    path, key_path = kept_certificate(tmp_path / "tls", WANTED, NOW)
    key = load_pem_private_key(key_path.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert stat.S_IMODE(key_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert b"PRIVATE" not in path.read_bytes()


def test_trusting_it_does_not_extend_to_other_names():
    certificate = x509.load_pem_x509_certificate(make(WANTED, NOW)[0])
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)


def test_the_next_start_takes_the_same_one(tmp_path):
    assert kept(tmp_path) == kept(tmp_path, now=NOW + timedelta(days=300))


@pytest.mark.parametrize(("days", "same"), [(768, True), (770, False), (900, False)])
def test_a_new_one_is_created_thirty_days_before_it_expires(tmp_path, days, same):
    assert (kept(tmp_path) == kept(tmp_path, now=NOW + timedelta(days=days))) is same


@pytest.mark.parametrize("needed", ["other-name", ip_address("10.0.0.1")])
def test_a_new_one_is_created_for_a_missing_name_or_address(tmp_path, needed, caplog):
    caplog.set_level("INFO")
    first = kept(tmp_path)
    assert kept(tmp_path, Wanted((*WANTED.needed, needed))) != first
    assert f"does not cover {needed}" in caplog.text


def test_no_new_one_is_created_for_fewer_or_optional_names(tmp_path):
    first = kept(tmp_path)
    assert kept(tmp_path, Wanted(("localhost",), ("another", ip_address("10.0.0.1")))) == first


@pytest.mark.parametrize("file", [CERTIFICATE_FILE, KEY_FILE])
@pytest.mark.parametrize(
    "content", [None, b"", b"not PEM", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_both_are_created_again_when_one_is_missing_or_damaged(tmp_path, file, content):
    first = kept(tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    second = kept(tmp_path)
    assert second[0] != first[0]
    assert second[1] != first[1]
    assert second == kept(tmp_path)


def test_both_are_created_again_when_the_key_does_not_match(tmp_path):
    first = kept(tmp_path)
    (tmp_path / KEY_FILE).write_bytes(make(WANTED, NOW)[1])
    second = kept(tmp_path)
    assert second != first
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / CERTIFICATE_FILE, tmp_path / KEY_FILE)


def test_a_key_that_others_could_read_is_put_right_and_told(tmp_path, caplog):
    first = kept(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    assert kept(tmp_path) == first
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert "was readable by others" in caplog.text


def test_very_many_addresses_and_a_very_long_name_still_make_one():
    wanted = Wanted(
        ("w" * 63 + ".example",), tuple(ip_address(f"10.0.{number // 256}.{number % 256}") for number in range(1000))
    )
    certificate = x509.load_pem_x509_certificate(make(wanted, NOW)[0])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert len(list(names)) == 65


def test_the_fingerprint_is_as_browsers_show_it(tmp_path):
    path, _ = kept_certificate(tmp_path, WANTED, NOW)
    der = ssl.PEM_cert_to_DER_cert(path.read_text())
    assert describe(path).fingerprint.replace(":", "").lower() == hashlib.sha256(der).hexdigest()


def test_on_a_machine_with_more_addresses_than_it_covers_the_next_start_takes_the_same_one(tmp_path):
    wanted = Wanted(("localhost", *(ip_address(f"10.0.0.{number}") for number in range(1, 201))))
    assert kept(tmp_path, wanted) == kept(tmp_path, wanted)
