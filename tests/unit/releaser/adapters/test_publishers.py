"""Publishers: how jobs and certificates are compared with what is registered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from releaser.adapters.publishers import REPOSITORY, WORKFLOW, Publisher, read_certificate, workflow_file

REGISTERED = Publisher("me/demo", "release.yml", "release")


@pytest.mark.parametrize(
    ("job", "misfits"),
    [
        (Publisher("Me/Demo", "release.yml", "Release"), []),
        (Publisher("you/demo", "release.yml", "release"), ["its repository is you/demo, not me/demo"]),
        (Publisher("me/demo", "Release.yml", "release"), ["its workflow file is Release.yml, not release.yml"]),
        (Publisher("me/demo", "release.yml", "other"), ["its environment is other, not release"]),
        (Publisher("me/demo", "release.yml"), ["it has no environment, and needs release"]),
        (
            Publisher("me/demo", "", ""),
            ["its workflow file is unknown, not release.yml", "it has no environment, and needs release"],
        ),
    ],
    ids=["case", "repository", "file", "environment", "no environment", "nothing"],
)
def test_a_job_is_told_in_what_it_is_not_the_publisher(job: Publisher, misfits: list[str]) -> None:
    assert REGISTERED.misfits(job) == misfits
    assert Publisher("me/demo", "release.yml").misfits(Publisher("me/demo", "release.yml", "any")) == []


@pytest.mark.parametrize(
    ("reference", "file"),
    [
        ("me/demo/.github/workflows/release.yml@refs/heads/main", "release.yml"),
        ("me/demo/.github/workflows/at@home.yaml@refs/tags/v1@x.yml", "at@home.yaml"),
        ("me/demo", ""),
    ],
)
def test_the_files_name_is_found_in_a_workflows_reference(reference: str, file: str) -> None:
    assert workflow_file(reference) == file


def certificate(extensions: Mapping[str, bytes]) -> bytes:
    """A certificate with these extensions, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(minutes=1))
    for oid, value in extensions.items():
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_a_long_claim_is_read_whole() -> None:
    repository = "https://github.com/me/" + "d" * 200
    found = read_certificate(certificate({REPOSITORY: b"\x0c\x81" + bytes([len(repository)]) + repository.encode()}))
    assert (found.claims, found.issuer, found.signer) == ({REPOSITORY: repository}, "", None)


@pytest.mark.parametrize("value", [b"", b"\x0c", b"\x0c\x02\xff\xfe"], ids=["empty", "cut", "no UTF-8"])
def test_a_claim_in_another_form_is_no_traceback(value: bytes) -> None:
    with pytest.raises(ValueError):
        read_certificate(certificate({WORKFLOW: value}))


def test_what_is_no_certificate_is_no_traceback() -> None:
    with pytest.raises(ValueError):
        read_certificate(b"no certificate")
