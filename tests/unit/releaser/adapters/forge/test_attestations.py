"""Artifact attestations as GitHub sends them."""

from __future__ import annotations

import json

import pytest

from releaser.adapters.forge.attestations import ATTESTATIONS, ArtifactAttestation


@pytest.mark.parametrize("payload", ["no base64!", "bm8ganNvbg==", "e30="], ids=["base64", "JSON", "statement"])
def test_a_bundle_whose_statement_cannot_be_read_says_nothing(payload: str) -> None:
    bundle = {"dsseEnvelope": {"payload": payload, "signatures": []}, "verificationMaterial": {}}
    response = ATTESTATIONS.validate_json(json.dumps({"attestations": [{"bundle": bundle}, {"bundle": None}]}))
    assert [one.read() for one in response.attestations] == [ArtifactAttestation(), ArtifactAttestation()]
