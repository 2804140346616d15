"""The environments that workflows name, as GitHub has them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness.scene import Scene

from releaser.inspection.findings import Finding
from releaser.inspection.setup.environments import look_at_environments
from releaser.rehearsal.injection import Injection, RequestFault

WORKFLOW = """\
on: {release: {types: [published]}, workflow_dispatch: {}}
permissions: {}
jobs:
  upload:
    runs-on: ubuntu-latest
    environment: release
    permissions: {id-token: write}
    steps: []
"""
RIGHT = {"branches": ["main"], "tags": ["v*"], "reviewers": ["maintainer"]}


def found(scene: Scene, *there: dict[str, Any]) -> Finding:
    scene.project.write(".github/workflows/publish.yml", WORKFLOW)
    settings = {"environments": dict(zip(("release",), there, strict=False))}
    (scene.forge.folder / "settings.json").write_text(json.dumps(settings))
    ((finding,),) = [side.found for side in look_at_environments(scene.release())]
    return finding


def test_one_that_lets_in_the_tags_alone_and_needs_approval_is_right(scene: Scene) -> None:
    assert found(scene, RIGHT).says == "limited to main, v*; 1 may approve, self-review prevented"
    assert found(scene, {**RIGHT, "tags": ["v[0-9]*", "v0.2.0"]}).kind == "right"


def test_one_that_is_limited_to_the_release_branch_is_right(scene: Scene) -> None:
    scene.project.configure("[tool.releaser]\n", '[tool.releaser]\nrelease-workflow = "publish.yml"\n')
    assert found(scene, {**RIGHT, "tags": []}).says == "limited to main; 1 may approve, self-review prevented"
    stray = found(scene, RIGHT)
    assert (stray.kind, stray.remedy) == ("wrong", "Limit it to branch main (`invoke setup`).")
    assert (
        "lets other refs in by the tag pattern v*: an altered workflow there can be upload (publish.yml)" in stray.says
    )


def test_self_review_is_wrong_where_another_could_review_and_a_warning_where_none_can(scene: Scene) -> None:
    alone = found(scene, {**RIGHT, "prevent_self_review": False})
    assert alone.kind == "warning"
    assert "its only reviewer may approve a run that the same person started" in alone.says
    several = found(scene, {**RIGHT, "reviewers": ["one", "two"], "prevent_self_review": False})
    assert (several.kind, several.remedy) == ("wrong", "Prevent self-review.")
    assert "lets reviewers approve runs that they started" in several.says


def test_the_case_of_a_name_does_not_matter(scene: Scene) -> None:
    scene.project.write(".github/workflows/publish.yml", WORKFLOW)
    (scene.forge.folder / "settings.json").write_text(json.dumps({"environments": {"Release": RIGHT}}))
    ((finding,),) = [side.found for side in look_at_environments(scene.release())]
    assert finding.kind == "right"


def test_all_that_is_wrong_with_one_is_told_at_once(scene: Scene) -> None:
    finding = found(scene, {"branches": ["main", "*/*"], "tags": ["v*"], "reviewers": []})
    assert "by the branch pattern */*" in finding.says
    assert "needs no approval" in finding.says
    assert finding.remedy.startswith("Limit it to tag v* (`invoke setup`). Require a reviewer.")


@pytest.mark.parametrize(
    ("there", "kind", "says"),
    [
        ((), "wrong", "does not exist, so that nothing protects upload (publish.yml)"),
        (({"reviewers": ["maintainer"]},), "wrong", "lets every branch in"),
        (({**RIGHT, "tags": ["release-*"]},), "wrong", "does not let v0.2.0 in, where upload (publish.yml) begins"),
        (({**RIGHT, "branches": ["*"]},), "wrong", "lets other refs in by the branch pattern *"),
        (({**RIGHT, "branches": ["main", "**"]},), "wrong", "by the branch pattern **"),
        (({**RIGHT, "branches": ["main", "*/*"]},), "wrong", "by the branch pattern */*"),
        (({**RIGHT, "branches": ["main", "feature/*"]},), "wrong", "by the branch pattern feature/*"),
        (({**RIGHT, "tags": ["v*", "*"]},), "wrong", "by the tag pattern *"),
        (({**RIGHT, "tags": ["v*", "v*/*"]},), "wrong", "by the tag pattern v*/*"),
        (({**RIGHT, "reviewers": []},), "wrong", "needs no approval: upload (publish.yml)"),
    ],
    ids=[
        *("none", "no limits", "other tags", "any branch", "all branches", "nested branches", "other branches"),
        *("any tag", "nested tags", "no reviewer"),
    ],
)
def test_one_that_protects_nothing_or_keeps_the_release_out_is_told(
    scene: Scene, there: tuple[dict[str, Any], ...], kind: str, says: str
) -> None:
    finding = found(scene, *there)
    assert (finding.kind, finding.name) == (kind, "release")
    assert says in finding.says
    assert finding.remedy


def test_what_github_does_not_tell_is_not_called_wrong(scene: Scene) -> None:
    scene.project.write(".github/workflows/publish.yml", WORKFLOW)
    fault = RequestFault.parse("GET:/environments:1+:before:status=404")
    scene.forge.serve(scene.forge.folder, scene.project.origin, injections=[Injection(fault, scene.forge.folder)])
    ((finding,),) = [side.found for side in look_at_environments(scene.release())]
    assert (finding.kind, finding.says) == ("unproven", "GitHub does not tell this token")


def test_a_project_without_environments_needs_none(scene: Scene) -> None:
    ((finding,),) = [side.found for side in look_at_environments(scene.release())]
    assert finding.kind == "none"
