"""What this machine's environment says of the network."""

from __future__ import annotations

from pathlib import Path

from releaser.inspection.doctor.machine import look_at_network_settings


def test_a_file_of_certificates_that_is_missing_is_wrong(tmp_path: Path) -> None:
    (notes,) = look_at_network_settings({"SSL_CERT_FILE": str(tmp_path / "gone.pem")})
    (found,) = notes.found
    assert (found.kind, found.name) == ("wrong", "SSL_CERT_FILE")


def test_a_proxy_is_shown_without_its_password() -> None:
    (notes,) = look_at_network_settings({"https_proxy": "http://me:sesame@proxy.example:3128"})
    (found,) = notes.found
    assert found.says == "proxy.example:3128, with a password"


def test_a_proxy_without_an_address_is_wrong() -> None:
    (notes,) = look_at_network_settings({"HTTPS_PROXY": "http://"})
    assert [one.kind for one in notes.found] == ["wrong"]


def test_nothing_set_is_said() -> None:
    (notes,) = look_at_network_settings({})
    assert [one.kind for one in notes.found] == ["none"]
