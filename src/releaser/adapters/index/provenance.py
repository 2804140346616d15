"""The attestations of a file on an index (PEP 740): by whom it was published, and for which bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter


class _Envelope(BaseModel):
    statement: str = ""


class _Attestation(BaseModel):
    model_config = ConfigDict(frozen=True)

    envelope: _Envelope = _Envelope()


class _Bundle(BaseModel):
    publisher: dict[str, Any] = {}
    attestations: list[_Attestation] = []


class ProvenanceResponse(BaseModel):
    """An index's provenance object."""

    attestation_bundles: list[_Bundle]

    def records(self) -> list[Attestation]:
        """Return each attestation in our words."""
        return [
            Attestation(bundle.publisher, _subjects(one.envelope.statement))
            for bundle in self.attestation_bundles
            for one in bundle.attestations
        ]


@dataclass(frozen=True)
class Attestation:
    """One attestation; its signature is not verified here.

    Attributes:
        publisher: Who published, as the index tells it: kind, repository, workflow, environment.
        subjects: The sha256 of each file that it speaks of, by name.
    """

    publisher: Mapping[str, Any]
    subjects: Mapping[str, str]

    @property
    def by(self) -> str:
        """The publisher in words."""
        named = [
            str(self.publisher[key]) for key in ("repository", "workflow", "environment") if self.publisher.get(key)
        ]
        return " ".join(named) or str(self.publisher.get("kind", "nobody named"))


PROVENANCE = TypeAdapter(ProvenanceResponse)


def _subjects(statement: str) -> dict[str, str]:
    try:
        document = json.loads(base64.b64decode(statement, validate=True))
        return {str(one["name"]): str(one["digest"]["sha256"]) for one in document["subject"]}
    except (ValueError, KeyError, TypeError):
        return {}
