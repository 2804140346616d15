"""What is said of GitHub's artifact attestations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from releaser.adapters.forge.attestations import ArtifactAttestation
from releaser.adapters.git import Git
from releaser.adapters.publishers import Publisher
from releaser.config.project import Config
from releaser.inspection.verify.forge import look_at_artifacts
from releaser.release import Release
from releaser.secret import Credentials
from releaser.store import ReleaseStore
from releaser.versions.version import Version

CONFIG = {
    "distribution": "thing",
    "package": "thing",
    "version-files": [{"path": "pyproject.toml", "key": "project.version"}],
    "forge": {"repository": "someone/thing"},
    "run": "ci",
}
SLSA = "https://slsa.dev/provenance/v1"
OURS = Publisher("someone/thing", "release.yml")


@pytest.fixture
def release(tmp_path: Path) -> Release:
    config = Config.model_validate(CONFIG)
    return Release(config, Version.parse("1.0.0"), Git(tmp_path), ReleaseStore(tmp_path), Credentials())


@pytest.mark.parametrize(
    ("attestation", "kind", "says"),
    [
        (ArtifactAttestation(SLSA, {"thing.whl": "ab"}, OURS), "right", f"{SLSA} by someone/thing release.yml"),
        (ArtifactAttestation(SLSA, {"thing.whl": "cd"}, OURS), "wrong", "they are for other bytes"),
        (
            ArtifactAttestation(SLSA, {"thing.whl": "ab"}, replace(OURS, workflow="side.yml")),
            "warning",
            "its workflow file is side.yml, not release.yml",
        ),
        (ArtifactAttestation(), "unproven", "1, and none could be read"),
    ],
    ids=["ours", "other bytes", "another workflow", "unreadable"],
)
def test_artifact_attestations_are_compared_with_the_bytes_and_the_workflow(
    release: Release, attestation: ArtifactAttestation, kind: str, says: str
) -> None:
    (notes,) = look_at_artifacts(release, {"thing.whl": [attestation]}, {"thing.whl": "ab"}, "release.yml")
    found, signatures = notes.found
    assert (found.kind, says in found.says) == (kind, True), found
    assert signatures.kind == "unproven"
    assert "gh attestation verify thing.whl --repo someone/thing" in signatures.remedy


def test_without_artifact_attestations_there_is_no_signature_to_speak_of(release: Release) -> None:
    (notes,) = look_at_artifacts(release, {"thing.whl": []}, {"thing.whl": "ab"}, None)
    assert [(one.kind, one.says) for one in notes.found] == [("none", "GitHub has none")]


def test_an_image_is_verified_where_its_registry_has_it_and_may_be_of_another_workflow(release: Release) -> None:
    attestation = ArtifactAttestation(SLSA, {"ghcr.io/a/b:0.1.0": "ab"}, replace(OURS, workflow="docker-publish.yml"))
    name = "ghcr.io/a/b:0.1.0"
    for workflow in (None, "docker-publish.yml"):
        (notes,) = look_at_artifacts(release, {name: [attestation]}, {name: "ab"}, workflow, "oci://")
        assert [one.kind for one in notes.found] == ["right", "unproven"]
        assert f"gh attestation verify oci://{name} --repo someone/thing" in notes.found[1].remedy
