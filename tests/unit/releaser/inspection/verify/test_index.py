"""What is said of an index's attestations and page."""

from __future__ import annotations

from pathlib import Path

import pytest

from releaser.adapters.git import Git
from releaser.adapters.index.provenance import Attestation
from releaser.adapters.index.responses import ReleasePage
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
    "pypi": {"via": "ci", "workflow": "release.yml"},
}
OURS = {"kind": "GitHub", "repository": "someone/thing", "workflow": "release.yml"}


@pytest.fixture
def release(tmp_path: Path) -> Release:
    config = Config.model_validate(CONFIG)
    return Release(config, Version.parse("1.0.0"), Git(tmp_path), ReleaseStore(tmp_path), Credentials())


@pytest.mark.parametrize(
    ("publisher", "sha256", "kind", "says"),
    [
        (OURS, "ab", "right", "1 for these bytes; the index says that someone/thing release.yml published them"),
        (OURS, "cd", "wrong", "other bytes"),
        ({**OURS, "repository": "else/thing"}, "ab", "wrong", "expected someone/thing"),
        ({**OURS, "workflow": "other.yml"}, "ab", "warning", "the configured workflow is release.yml"),
    ],
)
def test_attestations_are_compared(release: Release, publisher: dict, sha256: str, kind: str, says: str) -> None:
    attestation = Attestation(publisher, {"thing.whl": sha256})
    (notes,) = look_at_attestations(release, {"thing.whl": [attestation]}, {"thing.whl": "ab"})
    found, signatures = notes.found
    assert found.kind == kind
    assert says in found.says
    assert (signatures.name, signatures.kind) == ("signatures", "unproven")
    assert "https://github.com/someone/thing pypi:thing.whl` for each" in signatures.remedy


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
