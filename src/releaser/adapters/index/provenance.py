"""The attestations of a file on an index (PEP 740): by whom it was published, and for which bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError

from releaser.adapters.publishers import Certificate, Publisher, read_certificate

SIGSTORE = "sigstore.dev"
"""The organization that sigstore's own certificates are issued by."""


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
        certificate: What its certificate says.
        text: The attestation itself, in JSON; empty if it is in no form that pypi-attestations reads.
    """

    publisher: Mapping[str, Any] = field(default_factory=dict)
    subjects: Mapping[str, str] = field(default_factory=dict)
    predicate: str = ""
    is_publish: bool = False
    certificate: Certificate = field(default_factory=Certificate)
    text: str = ""

    @property
    def by(self) -> str:
        """The publisher in words."""
        named = [
            str(self.publisher[key]) for key in ("repository", "workflow", "environment") if self.publisher.get(key)
        ]
        return " ".join(named) or str(self.publisher.get("kind", "an unnamed publisher"))

    @property
    def told(self) -> Publisher:
        """The publisher as the index tells it."""
        told = {key: str(self.publisher.get(key) or "") for key in ("repository", "workflow", "environment")}
        return Publisher(**told)


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
        return Attestation(
            publisher,
            subjects,
            str(statement["predicateType"]),
            statement["predicateType"] == AttestationType.PYPI_PUBLISH_V1.value,
            read_certificate(found.verification_material.certificate),
            text,
        )
    except (ValidationError, ValueError, KeyError, TypeError):
        return Attestation(publisher)
