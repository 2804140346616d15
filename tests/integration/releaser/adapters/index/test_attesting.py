"""Attestations made by a publishing job: signed for its identity, sent by real twine, read again from the index."""

from __future__ import annotations

import json

import pytest
from attested import PUBLISH, identity, identity_service
from index_server import OIDC_SECRET, TOKEN, Files, index_server

from releaser.adapters.index import attesting
from releaser.adapters.index.client import Index
from releaser.adapters.index.signatures import verify_signature
from releaser.adapters.index.twine_login import IndexAddress
from releaser.adapters.publishers import Publisher
from releaser.core.activity import Activity, bound
from releaser.core.files import sha256
from releaser.errors import CommandError, ServiceError
from releaser.secret import Secret
from releaser.versions.version import Version

REGISTERED = Publisher("me/demo", "release.yml", "release")


@pytest.fixture(autouse=True)
def no_login(monkeypatch, tmp_path):
    """No password of twine's, and no job, whoever runs the tests."""
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "TWINE_USERNAME", "TWINE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture
def served(tmp_path):
    with index_server(tmp_path) as start:
        found = start("--oidc-secret-file", str(tmp_path / "secret"))
        listed = [
            {
                "project": "demo",
                "repository": "me/demo",
                "workflow": "release.yml",
                "environment": "release",
                "pending": True,
            }
        ]
        (found.world / "publishers.json").write_text(json.dumps(listed))
        yield found


@pytest.fixture
def built(tmp_path):
    files = Files(tmp_path / "dist")
    return [files.sdist("demo", "1.0"), files.wheel("demo", "1.0")]


def known(served, token=None, files=()):
    address = IndexAddress(upload_url=f"{served.url}/legacy/", simple_url=f"{served.url}/simple/")
    vouched = {path.name: sha256(path) for path in files}
    return Index("pypi", address, token, publisher=REGISTERED, attests=True, vouched=vouched)


@pytest.fixture
def job(monkeypatch):
    """Runs the test in a job of GitHub's with these claims."""
    services = []

    def begin(**claims):
        services.append(identity_service(OIDC_SECRET, **claims))
        for name, value in services[-1].__enter__().items():
            monkeypatch.setenv(name, value)

    yield begin
    for one in services:
        one.__exit__(None, None, None)


def test_a_job_attests_each_file_and_the_index_serves_what_it_attested(served, built, job):
    job(environment="release")
    index = known(served, files=built)
    index.upload(built)
    for path in built:
        (found,) = index.provenance("demo", Version.parse("1.0.0"), path.name)
        digest = sha256(path)
        assert (found.subjects, found.predicate) == ({path.name: digest}, PUBLISH)
        assert found.certificate.signer == REGISTERED
        signature = verify_signature(found, path.name, digest, REGISTERED)
        assert signature.kind == "unproven"
        assert signature.says == "the certificate is of releaser rehearsal, not of sigstore"
    assert sorted(path.name for path in built[0].parent.iterdir()) == sorted(path.name for path in built)


def test_a_job_that_is_not_the_configured_publisher_is_told_so_before_the_index_says_it(served, built, job):
    job(workflow="other.yml")
    with pytest.raises(ServiceError) as caught:
        known(served, files=built).upload(built)
    assert caught.value.message == (
        "This job is not the publisher that is configured for pypi: its workflow file is other.yml, not release.yml; "
        "it has no environment, and needs release"
    )
    assert "correct [tool.releaser.pypi]" in caught.value.remedy
    assert (
        json.loads((served.world / "index.json").read_text() if (served.world / "index.json").exists() else "{}") == {}
    )


def test_a_job_of_a_reusable_workflow_is_refused_by_the_index_with_what_to_do(served, built, job):
    """PyPI mints for the file that the job is in, and attests for the one that called it."""
    job(environment="release", workflow_ref="me/demo/.github/workflows/caller.yml@refs/heads/main")
    with pytest.raises(CommandError, match="Invalid attestations supplied during upload") as caught:
        known(served, files=built).upload(built)
    assert "does not match expected Trusted Publisher (release.yml @ me/demo)" in caught.value.message
    assert caught.value.remedy.startswith("Upload in a job of the registered workflow's own file")
    assert known(served).all_files("demo") == []


def test_with_an_upload_token_or_outside_a_job_there_are_none(served, built, job):
    served.post(built[0])
    index = known(served, Secret(TOKEN))
    index.upload(built[1:])
    assert "GitHub Actions" in str(attesting.cannot_attest())
    assert index.provenance("demo", Version.parse("1.0.0"), built[1].name) is None


def test_another_ci_service_uploads_without_them_and_it_is_said(served, built, job, monkeypatch):
    """GitLab's identity is in a variable; only GitHub's jobs sign here."""
    told = []
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("PYPI_ID_TOKEN", identity("pypi", OIDC_SECRET, environment="release"))
    with bound(Activity(told.append)):
        known(served, files=built).upload(built)
    assert [one for one in told if one.startswith("No attestations: this is no job of GitHub Actions")]
    assert known(served).provenance("demo", Version.parse("1.0.0"), built[0].name) is None


def test_an_authority_that_does_not_sign_stops_the_upload_before_the_first_file(served, built, job):
    job(environment="release", sha=None, sub="repo:me/demo:x")
    with pytest.raises(ServiceError, match="sign an attestation"):
        attesting.Attesting("pypi", f"{served.url}/legacy/").attest(built, built[0].parent / "signed")
    assert known(served).all_files("demo") == []


def test_sigstore_out_of_reach_stops_the_upload_with_a_remedy(built, job, monkeypatch, tmp_path):
    """The real signing program, which a dead proxy keeps from sigstore's servers."""
    job(environment="release")
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    folder = tmp_path / "signed"
    with pytest.raises(ServiceError) as caught:
        attesting.Attesting("pypi", "https://index.example.invalid/legacy/").attest(built, folder)
    assert caught.value.message.startswith("No attestations for pypi: sigstore did not sign: ")
    assert caught.value.message.endswith("; nothing was uploaded")
    assert "attestations = false" in caught.value.remedy
    assert list(folder.iterdir()) == []
