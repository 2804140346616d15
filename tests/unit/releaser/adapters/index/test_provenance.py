"""Attestations as an index shows them."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

from attested import PUBLISH

from releaser.adapters.index.provenance import PROVENANCE
from releaser.adapters.publishers import Publisher
from releaser.rehearsal.authority import Authority, statement_of
from releaser.rehearsal.identity import claims_of_job

PUBLISHER = {"kind": "GitHub", "repository": "someone/thing", "workflow": "release.yml", "environment": "pypi"}


def provenance(attestation: object) -> bytes:
    bundle = {"publisher": PUBLISHER, "attestations": [attestation]}
    return json.dumps({"version": 1, "attestation_bundles": [bundle]}).encode()


def test_an_attestation_names_its_publisher_its_bytes_and_the_job_that_signed(tmp_path: Path) -> None:
    authority = Authority(tmp_path, lambda: datetime.now(timezone.utc))
    job = claims_of_job("someone/thing", "other.yml", environment="staging", ref="refs/tags/v1@2.yml")
    made = authority.attest(statement_of("thing-1.0.tar.gz", "ab", PUBLISH), job)
    (found,) = PROVENANCE.validate_json(provenance(made)).records()
    assert found.by == "someone/thing release.yml pypi"
    assert (found.subjects, found.is_publish) == ({"thing-1.0.tar.gz": "ab"}, True)
    assert found.certificate.signer == Publisher("someone/thing", "other.yml", "staging")
    assert found.certificate.issuer == "releaser rehearsal"


def test_an_attestation_that_cannot_be_read_speaks_of_no_bytes() -> None:
    envelope = {"statement": "not base64", "signature": "x"}
    (found,) = PROVENANCE.validate_json(provenance({"version": 1, "envelope": envelope})).records()
    assert (found.subjects, found.certificate.signer, found.text) == ({}, None, "")
