"""Whether an attestation's signature is sigstore's, as far as sigstore's trusted root can be had here."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Literal

from cryptography import x509

from releaser.adapters.index.provenance import SIGSTORE, Attestation
from releaser.adapters.publishers import Publisher

_OBJECTS = re.compile(r" \((?:encountered processing )?<.*>\)")
"""What the libraries print of Python's objects."""


@dataclass(frozen=True)
class Signature:
    """What is known of a signature, and why."""

    kind: Literal["right", "wrong", "unproven"]
    says: str


def verify_signature(attestation: Attestation, file: str, sha256: str, publisher: Publisher) -> Signature:
    """Verify an attestation of a file against sigstore's trusted root.

    The root that the library brings is tried first, without the network; where it does not fit, as after a change of
    sigstore's keys, the newest one is fetched.

    Args:
        attestation: As the index serves it.
        file: The file's name.
        sha256: What the file's bytes are.
        publisher: Who must have signed.
    """
    if not attestation.text:
        return Signature("unproven", "the attestation cannot be read")
    if attestation.certificate.issuer != SIGSTORE:
        issuer = attestation.certificate.issuer or "an authority without a name"
        return Signature("unproven", f"the certificate is of {issuer}, not of sigstore")
    logging.getLogger("sigstore").addHandler(logging.NullHandler())  # else it warns on stderr of each root it tries
    from pypi_attestations import Attestation as Parsed
    from pypi_attestations import AttestationError, Distribution, GitHubPublisher
    from sigstore.errors import Error as SigstoreError
    from sigstore.errors import TUFError

    parsed = Parsed.model_validate_json(attestation.text)
    dist = Distribution(name=file, digest=sha256)
    signer = GitHubPublisher(repository=_as_signed(publisher, attestation), workflow=publisher.workflow)
    why = ""
    for offline in (True, False):
        try:
            parsed.verify(signer, dist, offline=offline)
        except TUFError:
            return Signature("unproven", f"{why}; sigstore's newest trusted root cannot be fetched here")
        except (AttestationError, SigstoreError, x509.ExtensionNotFound) as error:
            why = _OBJECTS.sub("", str(error))
        else:
            return Signature("right", "verified against sigstore's trusted root")
    return Signature("wrong", why)


def _as_signed(publisher: Publisher, attestation: Attestation) -> str:
    """Return the repository in the certificate's case: GitHub's names have none, and the library compares letters."""
    signer = attestation.certificate.signer
    same = signer and signer.repository.lower() == publisher.repository.lower()
    return signer.repository if signer and same else publisher.repository
