"""What is said of an index's attestations and page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from releaser.adapters.git import Git
from releaser.adapters.index.provenance import Attestation
from releaser.adapters.index.responses import ReleasePage
from releaser.adapters.index.signatures import Signature
from releaser.adapters.publishers import ENVIRONMENT, REPOSITORY, WORKFLOW, Certificate
from releaser.config.project import Config
from releaser.inspection.findings import Findings
from releaser.inspection.verify.index import look_at_attestations, look_at_description
from releaser.inspection.verify.links import links_of
from releaser.release import Release
from releaser.secret import Credentials
from releaser.store import ReleaseStore
from releaser.versions.version import Version

CONFIG = {
    "distribution": "thing",
    "package": "thing",
    "version-files": [{"path": "pyproject.toml", "key": "project.version"}],
    "forge": {"repository": "someone/thing"},
    "pypi": {"via": "ci", "workflow": "release.yml", "environment": "pypi"},
}
OURS = {"kind": "GitHub", "repository": "someone/thing", "workflow": "release.yml", "environment": "pypi"}
UNPROVEN = Signature("unproven", "the certificate is of another authority")


@pytest.fixture
def release(tmp_path: Path) -> Release:
    config = Config.model_validate(CONFIG)
    return Release(config, Version.parse("1.0.0"), Git(tmp_path), ReleaseStore(tmp_path), Credentials())


@pytest.mark.parametrize(
    ("publisher", "sha256", "kind", "says"),
    [
        (OURS, "ab", "right", "1 for these bytes; the index says that someone/thing release.yml pypi published them"),
        (OURS, "cd", "wrong", "other bytes"),
        ({**OURS, "repository": "else/thing"}, "ab", "wrong", "expected someone/thing"),
        (
            {**OURS, "workflow": "other.yml"},
            "ab",
            "warning",
            "its workflow file is other.yml, not release.yml, as configured",
        ),
        ({**OURS, "environment": "other"}, "ab", "warning", "its environment is other, not pypi, as configured"),
        ({**OURS, "environment": None}, "ab", "warning", "it has no environment, and needs pypi, as configured"),
    ],
)
def test_attestations_are_compared(release: Release, publisher: dict, sha256: str, kind: str, says: str) -> None:
    attestation = Attestation(publisher, {"thing.whl": sha256})
    (notes,) = look_at_attestations(
        release, {"thing.whl": [attestation]}, {"thing.whl": "ab"}, {"thing.whl": [UNPROVEN]}
    )
    found, signatures = notes.found
    assert found.kind == kind
    assert says in found.says
    assert (signatures.name, signatures.kind) == ("signatures", "unproven")
    assert signatures.says.startswith("the certificate is of another authority; so ")
    assert "https://github.com/someone/thing pypi:thing.whl` for each" in signatures.remedy


@pytest.mark.parametrize(
    ("claims", "kind", "says"),
    [
        ({WORKFLOW: "https://github.com/someone/thing/.github/workflows/release.yml@refs/tags/v1"}, "right", "1 for"),
        (
            {WORKFLOW: "https://github.com/someone/thing/.github/workflows/x.yml@r"},
            "wrong",
            "file is x.yml, not release",
        ),
        ({REPOSITORY: "https://github.com/you/thing"}, "wrong", "its repository is you/thing, not someone/thing"),
        ({ENVIRONMENT: "staging"}, "wrong", "its environment is staging, not pypi"),
    ],
)
def test_the_certificate_must_be_of_the_publisher_that_the_index_tells(release: Release, claims, kind, says) -> None:
    job = {
        REPOSITORY: "https://github.com/someone/thing",
        WORKFLOW: "https://github.com/someone/thing/.github/workflows/release.yml@refs/heads/main",
        ENVIRONMENT: "pypi",
    }
    attestation = Attestation(OURS, {"thing.whl": "ab"}, certificate=Certificate({**job, **claims}))
    (notes,) = look_at_attestations(release, {"thing.whl": [attestation]}, {"thing.whl": "ab"})
    assert (notes.found[0].kind, says in notes.found[0].says) == (kind, True)


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_a_signature_that_sigstores_root_decides_on_is_no_longer_unproven(release: Release, kind) -> None:
    signatures = {"thing.whl": [Signature(kind, "decided")]}
    found = {"thing.whl": [Attestation(OURS, {"thing.whl": "ab"})]}
    (notes,) = look_at_attestations(release, found, {"thing.whl": "ab"}, signatures)
    assert notes.found[-1].kind == kind


def test_a_signature_that_could_not_be_looked_at_leaves_all_of_them_unproven(release: Release) -> None:
    found = {name: [Attestation(OURS, {name: "ab"})] for name in ("thing.whl", "thing.tar.gz")}
    signatures = {"thing.whl": [Signature("right", "decided")]}
    (notes,) = look_at_attestations(release, found, dict.fromkeys(found, "ab"), signatures)
    assert (notes.found[-1].kind, notes.found[-1].says[:17]) == ("unproven", "1 of 2 verified; ")


def test_attestations_that_are_configured_and_missing_are_a_warning(release: Release) -> None:
    pypi = release.config.pypi.model_copy(update={"attestations": True})
    configured = replace(release, config=release.config.model_copy(update={"pypi": pypi}))
    (notes,) = look_at_attestations(configured, {"thing.whl": []}, {"thing.whl": "ab"})
    assert [one.kind for one in notes.found] == ["warning"]
    assert "cannot be added later" in notes.found[0].remedy


def test_without_attestations_there_is_no_signature_to_speak_of(release: Release) -> None:
    (notes,) = look_at_attestations(release, {"thing.whl": None}, {"thing.whl": "ab"})
    assert [one.kind for one in notes.found] == ["none"]


@pytest.mark.parametrize(
    ("description", "kind"),
    [("# A title", "right"), ("![shot](docs/shot.png)", "warning"), ("", "wrong")],
)
def test_the_description_is_rendered(description: str, kind: str) -> None:
    notes = Findings("page")
    look_at_description(notes, ReleasePage(description=description, description_content_type="text/markdown"))
    (found,) = notes.found
    assert found.kind == kind


def test_links_are_those_of_the_metadata_and_of_the_description() -> None:
    html = (
        '<a href="https://b.example/#part">b</a> <img src="https://c.example/x?a=1&amp;b=2"> <a href="#here">here</a>'
    )
    assert links_of({"Home": "https://a.example"}, html) == {
        "https://a.example": "Home",
        "https://b.example/": "in the description",
        "https://c.example/x?a=1&b=2": "in the description",
    }
