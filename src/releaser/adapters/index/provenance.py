"""The attestations of a file on an index (PEP 740): by whom it was published, and for which bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from releaser.adapters.index.identity import Publisher

SIGSTORE = "sigstore.dev"
"""The organization that sigstore's own certificates are issued by."""

# https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
_FULCIO = "1.3.6.1.4.1.57264.1"
ISSUER, REPOSITORY, REF, WORKFLOW = f"{_FULCIO}.8", f"{_FULCIO}.12", f"{_FULCIO}.14", f"{_FULCIO}.18"
ENVIRONMENT = f"{_FULCIO}.23"


class _Bundle(BaseModel):
    publisher: dict[str, Any] = {}
    attestations: list[dict[str, JsonValue]] = []


class ProvenanceResponse(BaseModel):
    """An index's provenance object."""

    attestation_bundles: list[_Bundle]

    def records(self) -> list[Attestation]:
        """Return each attestation in our words."""
        return [
            read_attestation(json.dumps(one), bundle.publisher)
            for bundle in self.attestation_bundles
            for one in bundle.attestations
        ]


@dataclass(frozen=True)
class Attestation:
    """One attestation; `signatures.py` verifies its signature.

    Attributes:
        publisher: Who published, as the index tells it: kind, repository, workflow, environment.
        subjects: The sha256 of each file that it speaks of, by name.
        predicate: Its kind, an address.
        is_publish: Whether that is the kind that says who published a file; PyPI takes it and SLSA's provenance.
        claims: What its certificate says of the job that signed, by Fulcio's object identifiers.
        issuer: Whose certificate it is.
        text: The attestation itself, in JSON; empty if it is in no form that pypi-attestations reads.
    """

    publisher: Mapping[str, Any] = field(default_factory=dict)
    subjects: Mapping[str, str] = field(default_factory=dict)
    predicate: str = ""
    is_publish: bool = False
    claims: Mapping[str, str] = field(default_factory=dict)
    issuer: str = ""
    text: str = ""

    @property
    def by(self) -> str:
        """The publisher in words."""
        named = [
            str(self.publisher[key]) for key in ("repository", "workflow", "environment") if self.publisher.get(key)
        ]
        return " ".join(named) or str(self.publisher.get("kind", "nobody named"))

    @property
    def told(self) -> Publisher:
        """The publisher as the index tells it."""
        told = {key: str(self.publisher.get(key) or "") for key in ("repository", "workflow", "environment")}
        return Publisher(**told)

    @property
    def signer(self) -> Publisher | None:
        """The job that the certificate was issued to; None if it names none."""
        if WORKFLOW not in self.claims:
            return None
        repository = "/".join(self.claims.get(REPOSITORY, "").split("/")[-2:])
        workflow = self.claims[WORKFLOW].partition("@")[0].rpartition("/")[2]
        return Publisher(repository, workflow, self.claims.get(ENVIRONMENT, ""))


PROVENANCE = TypeAdapter(ProvenanceResponse)


def read_attestation(text: str, publisher: Mapping[str, Any] | None = None) -> Attestation:
    """Return what an attestation says, unverified; without subjects if it is in another form."""
    from pypi_attestations import Attestation as Parsed
    from pypi_attestations import AttestationType

    publisher = publisher or {}
    try:
        found = Parsed.model_validate_json(text)
        statement = found.statement
        subjects = {str(one["name"]): str(one["digest"]["sha256"]) for one in statement["subject"]}
        certificate = x509.load_der_x509_certificate(found.verification_material.certificate)
        organization = certificate.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return Attestation(
            publisher,
            subjects,
            str(statement["predicateType"]),
            statement["predicateType"] == AttestationType.PYPI_PUBLISH_V1.value,
            {**found.certificate_claims, **_environment(certificate)},
            str(organization[0].value) if organization else "",
            text,
        )
    except (ValidationError, ValueError, KeyError, TypeError):
        return Attestation(publisher)


def _environment(certificate: x509.Certificate) -> dict[str, str]:
    """Return the claim that pypi-attestations does not read; it is a UTF8String of fewer than 128 bytes, in DER."""
    for extension in certificate.extensions:
        if extension.oid.dotted_string == ENVIRONMENT:
            return {ENVIRONMENT: extension.value.public_bytes()[2:].decode("utf-8")}
    return {}
