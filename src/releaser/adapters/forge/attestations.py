"""GitHub's artifact attestations: which workflow says that it built bytes; their signatures are not verified here."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field, TypeAdapter

from releaser.adapters.forge.http import Subject
from releaser.adapters.forge.responses import Response
from releaser.adapters.publishers import Publisher, read_certificate

_AT_ONCE = 100


class _Envelope(Response):
    payload: str


class _Certificate(Response):
    raw_bytes: str = Field(alias="rawBytes")


class _Chain(Response):
    certificates: tuple[_Certificate, ...] = ()


class _Material(Response):
    certificate: _Certificate | None = None
    chain: _Chain | None = Field(None, alias="x509CertificateChain")  # bundles before version 0.3


class BundleResponse(Response):
    """A bundle of sigstore's, as far as it is read."""

    envelope: _Envelope = Field(alias="dsseEnvelope")
    material: _Material = Field(alias="verificationMaterial")


class _Digest(Response):
    sha256: str = ""


class _Named(Response):
    name: str = ""
    digest: _Digest


class _Statement(Response):
    subject: list[_Named]
    predicate_type: str = Field(alias="predicateType")


@dataclass(frozen=True)
class ArtifactAttestation:
    """One attestation.

    Attributes:
        predicate: Its kind, an address; empty if it cannot be read.
        subjects: The sha256 of each file that it speaks of, by name.
        signer: The job whose certificate signed; None if the certificate names none.
    """

    predicate: str = ""
    subjects: Mapping[str, str] | None = None
    signer: Publisher | None = None


class _ArtifactResponse(Response):
    """One attestation; GitHub may give a bundle's address alone."""

    bundle: BundleResponse | None = None

    def read(self) -> ArtifactAttestation:
        """Return what it says, unverified; nothing if it cannot be read."""
        if self.bundle is None:
            return ArtifactAttestation()
        chain = self.bundle.material.chain.certificates if self.bundle.material.chain else ()
        certificate = self.bundle.material.certificate or next(iter(chain), None)
        try:
            statement = _Statement.model_validate_json(base64.b64decode(self.bundle.envelope.payload, validate=True))
            signer = read_certificate(base64.b64decode(certificate.raw_bytes)).signer if certificate else None
        except ValueError:  # so are pydantic's and base64's
            return ArtifactAttestation()
        subjects = {one.name: one.digest.sha256 for one in statement.subject}
        return ArtifactAttestation(statement.predicate_type, subjects, signer)


class AttestationsResponse(Response):
    """The attestations of one digest."""

    attestations: list[_ArtifactResponse]


ATTESTATIONS = TypeAdapter(AttestationsResponse)


class Attestations(Subject):
    """The artifact attestations of one repository."""

    def of(self, sha256: str) -> list[ArtifactAttestation]:
        """Return the attestations of a file by its digest in hex; none if there are none, or GitHub tells none.

        Raises:
            ServiceError: GitHub refused, or did not respond.
        """
        found = self._http.find(
            f"list the attestations of sha256 {sha256[:12]}",
            f"{self._repo}/attestations/sha256:{sha256}",
            ATTESTATIONS,
            none_for=(404, 405, 501),
            query={"per_page": _AT_ONCE},
            permission="attestations: read",
        )
        return [one.read() for one in found.attestations] if found else []
