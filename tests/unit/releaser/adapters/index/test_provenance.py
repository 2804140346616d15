"""Attestations as an index shows them."""

from __future__ import annotations

import base64
import json

from releaser.adapters.index.provenance import PROVENANCE

PUBLISHER = {"kind": "GitHub", "repository": "someone/thing", "workflow": "release.yml", "environment": "pypi"}


def provenance(statement: str) -> bytes:
    attestation = {"version": 1, "verification_material": {}, "envelope": {"statement": statement, "signature": "x"}}
    return json.dumps(
        {"version": 1, "attestation_bundles": [{"publisher": PUBLISHER, "attestations": [attestation]}]}
    ).encode()


def test_an_attestation_names_its_publisher_and_its_bytes() -> None:
    subject = {"subject": [{"name": "thing.whl", "digest": {"sha256": "ab"}}]}
    statement = base64.b64encode(json.dumps(subject).encode()).decode()
    (found,) = PROVENANCE.validate_json(provenance(statement)).records()
    assert found.by == "someone/thing release.yml pypi"
    assert found.subjects == {"thing.whl": "ab"}


def test_a_statement_that_cannot_be_read_speaks_of_no_bytes() -> None:
    (found,) = PROVENANCE.validate_json(provenance("not base64")).records()
    assert found.subjects == {}
