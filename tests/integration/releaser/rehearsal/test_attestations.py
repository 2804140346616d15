"""Attestations at the rehearsal's index: taken from a trusted publisher, checked as PyPI does, served again."""

from __future__ import annotations

import base64
import copy
import json

import pytest
import requests
from attested import PUBLISH, SLSA, attest, identity
from index_server import OIDC_SECRET, TOKEN
from pypi_attestations import Attestation, Provenance

JOB = {"workflow": "release.yml", "environment": "release"}


@pytest.fixture(scope="module")
def publisher(shared_index):
    """The index with one publisher, and that publisher's token."""
    listed = [{"project": "attested", "repository": "me/demo", **JOB, "pending": True}]
    (shared_index.world / "publishers.json").write_text(json.dumps(listed))
    body = {"token": identity("pypi", OIDC_SECRET, **JOB)}
    shared_index.token = requests.post(f"{shared_index.url}/_/oidc/mint-token", json=body, timeout=60).json()["token"]
    return shared_index


@pytest.fixture
def wheel(files, request):
    """A wheel of a version of its own for each test."""
    number = sum(request.node.name.encode())
    return files.wheel("attested", f"1.{number}")


def signed(publisher, wheel, claims=None, **changes):
    return attest(publisher.url, wheel, identity("sigstore", OIDC_SECRET, **{**JOB, **(claims or {})}), **changes)


def send(publisher, wheel, *attestations, token=None):
    login = ("__token__", token or publisher.token)
    return publisher.post(wheel, auth=login, attestations=json.dumps(attestations))


def refusal(answer):
    assert answer.status_code == 400
    opening = "Invalid attestations supplied during upload: "
    assert answer.reason.startswith(opening)
    return answer.reason.removeprefix(opening)


def test_attestations_come_back_as_the_provenance_object_that_the_library_reads(publisher, wheel):
    sent = [signed(publisher, wheel), signed(publisher, wheel, predicate=SLSA)]
    assert send(publisher, wheel, *sent).status_code == 200
    listed = next(one for one in publisher.simple("attested")["files"] if one["filename"] == wheel.name)
    answer = requests.get(listed["provenance"], timeout=60)
    assert answer.headers["Content-Type"].startswith("application/vnd.pypi.integrity.v1+json")
    (bundle,) = Provenance.model_validate_json(answer.content).attestation_bundles
    assert bundle.publisher.model_dump() == {"kind": "GitHub", "repository": "me/demo", **JOB}
    assert [one.statement["predicateType"] for one in bundle.attestations] == [PUBLISH, SLSA]
    assert [one.statement["subject"][0]["name"] for one in bundle.attestations] == [wheel.name] * 2
    assert bundle.attestations[0].to_bundle().signing_certificate


def test_a_file_without_attestations_has_no_provenance(publisher, wheel):
    publisher.post(wheel, auth=("__token__", publisher.token))
    version = wheel.name.split("-")[1]
    answer = publisher.get(f"/integrity/attested/{version}/{wheel.name}/provenance")
    assert (answer.status_code, answer.json()["message"]) == (404, f"No provenance available for {wheel.name}")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "attested-9.0-py3-none-any.whl"}, "subject does not match distribution name: attested-9.0"),
        ({"name": "notes.txt"}, "invalid subject: "),
        ({"sha256": "0" * 64}, "subject does not match distribution digest"),
        ({"predicate": "https://example.invalid/v1"}, "unknown attestation type: https://example.invalid/v1"),
    ],
    ids=["another file", "no distribution", "other bytes", "another kind"],
)
def test_a_statement_about_something_else_is_refused(publisher, wheel, changes, words):
    said = refusal(send(publisher, wheel, signed(publisher, wheel, **changes)))
    opening = "Could not verify the uploaded artifact using the included attestation: Verification failed: "
    assert said.startswith(opening + words)


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"repository": "you/demo"}, "Certificate's OIDCSourceRepositoryURI does not match"),
        ({"workflow": "other.yml"}, "does not match expected Trusted Publisher (release.yml @ me/demo)"),
        ({"workflow_ref": "me/demo/.github/workflows/caller.yml@refs/heads/main"}, "Certificate's Build Config URI"),
        ({"environment": None}, "Certificate's Deployment Environment (none)"),
        ({"environment": "testpypi"}, "Certificate's Deployment Environment (testpypi)"),
    ],
    ids=["repository", "workflow", "reusable workflow", "no environment", "environment"],
)
def test_a_certificate_of_another_job_than_the_publisher_is_refused(publisher, wheel, claims, words):
    assert words in refusal(send(publisher, wheel, signed(publisher, wheel, claims)))


def test_a_certificate_of_another_authority_and_a_changed_statement_or_signature_are_refused(
    publisher, wheel, start_index, tmp_path
):
    other = start_index("--oidc-secret-file", str(tmp_path / "secret"))
    strange = attest(other.url, wheel, identity("sigstore", OIDC_SECRET, **JOB))
    assert "failed to build chain" in refusal(send(publisher, wheel, strange))
    genuine = signed(publisher, wheel)
    changed = copy.deepcopy(genuine)
    statement = base64.b64decode(genuine["envelope"]["statement"])
    changed["envelope"]["statement"] = base64.b64encode(statement + b" ").decode()
    assert "DSSE: invalid signature" in refusal(send(publisher, wheel, changed))
    changed = {**genuine, "envelope": {**genuine["envelope"], "signature": base64.b64encode(b"no").decode()}}
    assert "DSSE: invalid signature" in refusal(send(publisher, wheel, changed))
    assert send(publisher, wheel, genuine).status_code == 200


def test_two_of_a_kind_more_than_there_are_kinds_and_none_are_refused(publisher, wheel):
    one = signed(publisher, wheel)
    said = refusal(send(publisher, wheel, one, one))
    assert said == (
        f"Multiple attestations for the same file with the same predicate type ({PUBLISH}) are not supported"
    )
    assert refusal(send(publisher, wheel, one, one, one)) == "A maximum of 2 attestations per file are supported"
    words = "Malformed attestations: an empty attestation set is not permitted"
    assert refusal(send(publisher, wheel)) == words


@pytest.mark.parametrize("text", ["{}", "no json", '[{"version": 2}]', '[{"version": 1, "envelope": {}}]'])
def test_what_is_no_attestation_object_is_refused(publisher, wheel, text):
    answer = publisher.post(wheel, auth=("__token__", publisher.token), attestations=text)
    assert refusal(answer).startswith("Malformed attestations: ")


def test_without_trusted_publishing_there_are_none(publisher, wheel):
    said = refusal(send(publisher, wheel, signed(publisher, wheel), token=TOKEN))
    assert said == "Attestations are only supported when using Trusted Publishing"


@pytest.mark.parametrize(
    ("audience", "secret", "status"), [("pypi", OIDC_SECRET, 401), ("sigstore", "x" * 40, 401)], ids=["audience", "key"]
)
def test_the_authority_signs_for_the_identity_of_a_job_alone(publisher, audience, secret, status):
    body = {"token": identity(audience, secret, **JOB), "name": "a.whl", "sha256": "0" * 64}
    assert requests.post(f"{publisher.url}/_/sigstore/attest", json=body, timeout=60).status_code == status
    assert requests.post(f"{publisher.url}/_/sigstore/attest", json={}, timeout=60).status_code == 400


def test_the_certificate_says_what_fulcios_would(publisher, wheel):
    claims = Attestation.model_validate(signed(publisher, wheel)).certificate_claims
    prefix = "1.3.6.1.4.1.57264.1."
    assert claims[f"{prefix}8"] == "https://token.actions.githubusercontent.com"
    assert claims[f"{prefix}12"] == "https://github.com/me/demo"
    assert claims[f"{prefix}18"] == "https://github.com/me/demo/.github/workflows/release.yml@refs/heads/main"
