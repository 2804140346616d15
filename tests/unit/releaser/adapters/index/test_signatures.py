"""Signatures of attestations, with a real one: that of a release of pypi-attestations, as PyPI serves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sigstore.errors import TUFError
from sigstore.verify import Verifier

from releaser.adapters.index.provenance import PROVENANCE, Attestation
from releaser.adapters.index.signatures import verify_signature
from releaser.adapters.publishers import Publisher

FILE = "pypi_attestations-0.0.19.tar.gz"
DIGEST = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3"
PUBLISHER = Publisher("trailofbits/pypi-attestations", "release.yml")


@pytest.fixture
def attestation() -> Attestation:
    (found,) = PROVENANCE.validate_json(Path(__file__).with_name(f"{FILE}.provenance").read_bytes()).records()
    return found


@pytest.fixture
def newest(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Give sigstore's newest root: the one that the library brings, or the error in this list."""
    errors: list[Exception] = []
    brought = Verifier.production

    def production(*, offline: bool = False) -> Any:
        if errors and not offline:
            raise errors[0]
        return brought(offline=True)

    monkeypatch.setattr(Verifier, "production", production)
    return errors


def test_a_real_signature_is_verified_without_the_network(attestation: Attestation, newest: list[Exception]) -> None:
    newest.append(AssertionError("the newest root was asked for"))
    assert attestation.subjects == {FILE: DIGEST}
    assert (attestation.certificate.signer, attestation.certificate.issuer) == (PUBLISHER, "sigstore.dev")
    for publisher in (
        PUBLISHER,
        Publisher("TrailOfBits/PyPI-attestations", "release.yml"),
    ):  # GitHub's names have no case
        found = verify_signature(attestation, FILE, DIGEST, publisher)
        assert (found.kind, found.says) == ("right", "verified against sigstore's trusted root")


@pytest.mark.parametrize(
    ("publisher", "digest", "says"),
    [
        (
            Publisher("trailofbits/pypi-attestations", "other.yml"),
            DIGEST,
            "(other.yml @ trailofbits/pypi-attestations)",
        ),
        (Publisher("you/pypi-attestations", "release.yml"), DIGEST, "OIDCSourceRepositoryURI does not match"),
        (PUBLISHER, "0" * 64, "subject does not match distribution digest"),
    ],
    ids=["workflow", "repository", "bytes"],
)
def test_a_signature_of_someone_else_or_for_other_bytes_is_wrong_and_unproven_without_the_newest_root(
    attestation: Attestation, newest: list[Exception], publisher: Publisher, digest: str, says: str
) -> None:
    found = verify_signature(attestation, FILE, digest, publisher)
    assert (found.kind, says in found.says, "<" in found.says) == ("wrong", True, False), found
    newest.append(TUFError("no network"))
    found = verify_signature(attestation, FILE, digest, publisher)
    assert found.kind == "unproven"
    assert found.says.endswith("sigstore's newest trusted root cannot be fetched here")
