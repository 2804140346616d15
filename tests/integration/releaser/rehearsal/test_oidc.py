"""Trusted publishing at the rehearsal's index: identities, tokens, attestations."""

from __future__ import annotations

import json
import os
import time

import jwt
import pytest
import requests

OIDC_SECRET = "a secret that is long enough for HS256"


@pytest.fixture
def index(shared_index):
    publisher = {"repository": "me/demo", "workflow": "release.yml", "environment": ""}
    publishers = [
        {**publisher, "project": "pending", "pending": True},
        {**publisher, "project": "attested", "pending": True},
        {**publisher, "project": "guarded", "workflow": "guarded.yml", "environment": "pypi", "pending": False},
    ]
    (shared_index.world / "publishers.json").write_text(json.dumps(publishers))
    return shared_index


def mint(index, *, secret=OIDC_SECRET, **changes):
    claims = {
        "aud": index.get("/_/oidc/audience").json().get("audience"),
        "exp": int(time.time()) + 60,
        "jti": os.urandom(8).hex(),
        "repository": "me/demo",
        "workflow_ref": "me/demo/.github/workflows/release.yml@refs/tags/v1.0",
    }
    token = jwt.encode({**claims, **changes}, secret, algorithm="HS256")
    return requests.post(f"{index.url}/_/oidc/mint-token", json={"token": token}, timeout=10)


def test_a_pending_publisher_creates_its_project(index, files, twine):
    minted = mint(index).json()
    assert 14 * 60 < minted["expires"] - time.time() <= 15 * 60
    uploaded = twine(f"{index.url}/legacy/", files.wheel("pending", "1.0"), token=minted["token"])
    assert uploaded.returncode == 0, uploaded.stdout
    assert minted["token"] not in (index.world / "index.json").read_text()


def test_an_identity_works_once_even_after_a_restart(index, start_index, tmp_path):
    publishers = (index.world / "publishers.json").read_text()
    index = start_index("--oidc-secret-file", str(tmp_path / "secret"))
    (index.world / "publishers.json").write_text(publishers)
    assert mint(index, jti="one").status_code == 200
    assert code(mint(index, jti="one")) == "invalid-reuse-token"
    index.stop()
    index = start_index("--oidc-secret-file", str(tmp_path / "secret"))
    assert code(mint(index, jti="one")) == "invalid-reuse-token"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"repository": "you/demo"}, "invalid-publisher"),
        ({"workflow_ref": "me/demo/.github/workflows/other.yml@refs/heads/main"}, "invalid-publisher"),
        ({"workflow_ref": "me/demo/.github/workflows/guarded.yml@refs/heads/main"}, "invalid-publisher"),
        ({"aud": "elsewhere"}, "invalid-token"),
        ({"exp": 1}, "invalid-token"),
        ({"secret": "another secret that is long enough too"}, "invalid-token"),
    ],
)
def test_any_other_identity_is_refused_with_its_code(index, changes, expected):
    refused = mint(index, **changes)
    assert (refused.status_code, code(refused)) == (422, expected)


def test_the_environment_is_part_of_the_publisher(index):
    ref = "me/demo/.github/workflows/guarded.yml@refs/heads/main"
    assert mint(index, workflow_ref=ref, environment="pypi").status_code == 200


def test_a_body_that_is_no_token_is_refused(index):
    refused = requests.post(f"{index.url}/_/oidc/mint-token", data="hello", timeout=10)
    assert (refused.status_code, code(refused)) == (422, "invalid-payload")


def test_it_is_not_enabled_without_a_secret(start_index):
    index = start_index()
    assert index.get("/_/oidc/audience").status_code == 403
    assert code(mint(index)) == "not-enabled"


def test_the_token_is_for_that_project_only(index, files):
    token = mint(index).json()["token"]
    refused = index.post(files.wheel("other", "1.0"), auth=("__token__", token))
    assert (refused.status_code, "not valid for project 'other'" in refused.reason) == (403, True)
    url = f"{index.url}/manage/project/pending/release/1.0/"
    assert requests.get(url, auth=("__token__", token), timeout=10).status_code == 401


def test_a_publisher_that_is_not_pending_creates_nothing(index, files):
    ref = "me/demo/.github/workflows/guarded.yml@refs/heads/main"
    token = mint(index, workflow_ref=ref, environment="pypi").json()["token"]
    refused = index.post(files.wheel("guarded", "1.0"), auth=("__token__", token))
    assert (refused.status_code, "cannot create new projects" in refused.reason) == (400, True)
    index.post(files.wheel("guarded", "0.9"))
    assert index.post(files.wheel("guarded", "1.0"), auth=("__token__", token)).status_code == 200


def test_attestations_come_back_as_provenance(index, files):
    token = mint(index).json()["token"]
    wheel = files.wheel("attested", "1.0")
    sent = [{"version": 1, "envelope": {"statement": "c29tZQ=="}}]
    assert index.post(wheel, auth=("__token__", token), attestations=json.dumps(sent)).status_code == 200
    url = f"{index.url}/integrity/attested/1.0/{wheel.name}/provenance"
    assert index.simple("attested")["files"][0]["provenance"] == url
    bundle = requests.get(url, timeout=10).json()["attestation_bundles"][0]
    assert bundle["attestations"] == sent
    assert bundle["publisher"]["repository"] == "me/demo"


def test_malformed_attestations_are_refused(index, files):
    token = mint(index).json()["token"]
    refused = index.post(files.wheel("attested", "2.0"), auth=("__token__", token), attestations="{}")
    assert (refused.status_code, "Malformed attestations" in refused.reason) == (400, True)


def code(answer):
    """The first error code of a refused token request."""
    return answer.json()["errors"][0]["code"]
