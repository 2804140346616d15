"""Trusted publishing at the rehearsal's index: who gets a token, and what it is good for, in PyPI's words."""

from __future__ import annotations

import json
import time

import pytest
import requests
from attested import identity
from index_server import OIDC_SECRET

BRANCH = {"ref": "refs/heads/side", "job_workflow_ref": "me/demo/.github/workflows/guarded.yml@refs/heads/side"}


@pytest.fixture
def index(shared_index):
    publisher = {"repository": "me/demo", "workflow": "release.yml"}
    publishers = [
        {**publisher, "project": "pending", "workflow": "first.yml", "pending": True},
        {**publisher, "project": "both-a"},
        {**publisher, "project": "both-b"},
        {**publisher, "project": "guarded", "workflow": "guarded.yml", "environment": "Release"},
        {**publisher, "project": "owned", "workflow": "owned.yml", "owner_id": "42"},
    ]
    (shared_index.world / "publishers.json").write_text(json.dumps(publishers))
    return shared_index


def mint(index, *, audience="pypi", secret=OIDC_SECRET, **claims):
    token = identity(audience, secret, **claims)
    return requests.post(f"{index.url}/_/oidc/mint-token", json={"token": token}, timeout=60)


def error(answer):
    """The one error of a refused token request."""
    assert answer.status_code == 422, answer.text
    (found,) = answer.json()["errors"]
    return found["code"], found["description"]


def test_a_pending_publisher_creates_its_project_and_is_then_one_like_any_other(index, files, twine):
    minted = mint(index, workflow="first.yml").json()
    assert 14 * 60 < minted["expires"] - time.time() <= 15 * 60
    assert index.simple("pending")["files"] == []
    uploaded = twine(f"{index.url}/legacy/", files.wheel("pending", "1.0"), token=minted["token"])
    assert uploaded.returncode == 0, uploaded.stdout
    assert minted["token"] not in (index.world / "index.json").read_text()
    assert mint(index, workflow="first.yml").status_code == 200


def test_a_pending_publisher_of_a_project_that_another_created_is_over(start_index, tmp_path, files):
    index = start_index("--oidc-secret-file", str(tmp_path / "secret"))
    pending = {"project": "taken", "repository": "me/demo", "workflow": "release.yml", "pending": True}
    (index.world / "publishers.json").write_text(json.dumps([pending]))
    index.post(files.wheel("taken", "1.0"))
    assert error(mint(index)) == ("invalid-pending-publisher", "valid token, but project already exists")
    assert error(mint(index))[0] == "invalid-publisher"


def test_an_identity_works_once_even_after_a_restart(index, start_index, tmp_path):
    publishers = (index.world / "publishers.json").read_text()
    index = start_index("--oidc-secret-file", str(tmp_path / "secret"))
    (index.world / "publishers.json").write_text(publishers)
    assert mint(index, jti="one").status_code == 200
    assert error(mint(index, jti="one")) == ("invalid-reuse-token", "invalid token: already used")
    index.stop()
    index = start_index("--oidc-secret-file", str(tmp_path / "secret"))
    assert error(mint(index, jti="one"))[0] == "invalid-reuse-token"


@pytest.mark.parametrize(
    ("changes", "code", "description"),
    [
        ({"repository": "you/demo"}, "invalid-publisher", "Publisher with matching claims was not found"),
        ({"workflow": "other.yml"}, "invalid-publisher", "Publisher with matching claims was not found"),
        ({"workflow": "Release.yml"}, "invalid-publisher", "Publisher with matching claims was not found"),
        ({"workflow": "owned.yml"}, "invalid-publisher", "Publisher with matching claims was not found"),
        ({"job_workflow_ref": "x"}, "invalid-publisher", "Could not job extract workflow filename from OIDC claims"),
        ({"sub": "repo:you/demo:ref:x"}, "invalid-publisher", "Check failed for required claim 'sub'"),
        (
            {"ref": "refs/heads/side"},
            "invalid-publisher",
            "The job_workflow_ref claim does not match, expecting one of",
        ),
        ({"sha": None}, "invalid-publisher", "Missing claim 'sha'"),
        ({"repository_owner_id": None}, "invalid-publisher", "Missing claim 'repository_owner_id'"),
        ({"audience": "testpypi"}, "invalid-token", "malformed or invalid token"),
        ({"aud": ["pypi", "testpypi"]}, "invalid-token", "malformed or invalid token"),
        ({"exp": 1}, "invalid-token", "malformed or invalid token"),
        ({"iat": None}, "invalid-token", "malformed or invalid token"),
        ({"secret": "another secret that is long enough too"}, "invalid-token", "malformed or invalid token"),
        ({"iss": "https://example.invalid"}, "invalid-payload", "unknown trusted publishing issuer"),
    ],
    ids=str,
)
def test_any_other_identity_is_refused_with_its_code_and_pypis_words(index, changes, code, description):
    found = error(mint(index, **changes))
    assert found[0] == code
    assert description in found[1]
    if code == "invalid-publisher":
        assert found[1].startswith("valid token, but no corresponding publisher (")


def test_owners_repositories_and_environments_have_no_case(index):
    assert mint(index, repository="Me/Demo").status_code == 200
    assert mint(index, workflow="guarded.yml", environment="rElease").status_code == 200
    assert mint(index, workflow="owned.yml", repository_owner_id="42").status_code == 200


def test_no_branch_is_part_of_the_publisher_and_an_altered_workflow_without_the_environment_gets_no_token(index):
    """Only the environment, which GitHub gives to no side branch, stands between such a workflow and the index."""
    refused = error(mint(index, workflow="guarded.yml", **BRANCH))
    assert refused[0] == "invalid-publisher"
    assert mint(index, workflow="guarded.yml", environment="release", **BRANCH).status_code == 200


@pytest.mark.parametrize("body", [b"hello", b"{}", b'{"token": 1}', b'{"token": "no jwt"}'])
def test_a_body_that_is_no_token_is_refused(index, body):
    refused = requests.post(f"{index.url}/_/oidc/mint-token", data=body, timeout=60)
    assert error(refused)[0] == "invalid-payload"


def test_it_is_not_enabled_without_a_secret(start_index):
    index = start_index()
    assert index.get("/_/oidc/audience").status_code == 403
    assert error(mint(index)) == ("not-enabled", "GitHub trusted publishing functionality not enabled")


def test_the_token_is_for_the_projects_of_that_publisher_alone(index, files):
    token = mint(index).json()["token"]
    for name in ("both-a", "both-b", "other"):
        index.post(files.wheel(name, "0.9"))
    for name in ("both-a", "both-b"):
        assert index.post(files.wheel(name, "1.0"), auth=("__token__", token)).status_code == 200
    refused = index.post(files.wheel("other", "1.0"), auth=("__token__", token))
    words = "Invalid API Token: OIDC scoped token is not valid for project 'other'"
    assert (refused.status_code, refused.reason) == (403, words)
    url = f"{index.url}/manage/project/both-a/release/1.0/"
    assert requests.get(url, auth=("__token__", token), timeout=60).status_code == 401


def test_a_publisher_that_is_not_pending_creates_nothing(index, files):
    token = mint(index, workflow="guarded.yml", environment="release").json()["token"]
    refused = index.post(files.wheel("guarded", "1.0"), auth=("__token__", token))
    assert (refused.status_code, "cannot create new projects" in refused.reason) == (400, True)
    index.post(files.wheel("guarded", "0.9"))
    assert index.post(files.wheel("guarded", "1.0"), auth=("__token__", token)).status_code == 200
