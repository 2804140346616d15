"""Cut GitHub's OpenAPI description to what the forge adapter uses, without its prose.

``python cut_openapi.py api.github.com.json [github-openapi.json]``; the first file is ``generated/api.github.com.json``
of the package ``@octokit/openapi``. Only the operations below are kept, with the components that they refer to.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPO = "/repos/{owner}/{repo}"
OPERATIONS = {
    "/user": ["get"],
    REPO: ["get"],
    f"{REPO}/releases": ["get", "post"],
    f"{REPO}/releases/latest": ["get"],
    f"{REPO}/releases/tags/{{tag}}": ["get"],
    f"{REPO}/releases/{{release_id}}": ["get", "patch", "delete"],
    f"{REPO}/releases/{{release_id}}/assets": ["get", "post"],
    f"{REPO}/releases/assets/{{asset_id}}": ["get", "delete"],
    f"{REPO}/git/ref/{{ref}}": ["get"],
    f"{REPO}/git/matching-refs/{{ref}}": ["get"],
    f"{REPO}/git/tags/{{tag_sha}}": ["get"],
    f"{REPO}/milestones": ["get"],
    f"{REPO}/milestones/{{milestone_number}}": ["patch"],
    f"{REPO}/issues": ["get"],
    f"{REPO}/attestations": ["post"],
    f"{REPO}/attestations/{{subject_digest}}": ["get"],
    f"{REPO}/branches/{{branch}}": ["get"],
    f"{REPO}/branches/{{branch}}/protection": ["get"],
    f"{REPO}/rules/branches/{{branch}}": ["get"],
    f"{REPO}/rulesets": ["get"],
    f"{REPO}/rulesets/{{ruleset_id}}": ["get"],
    f"{REPO}/actions/workflows/{{workflow_id}}/runs": ["get"],
    f"{REPO}/actions/workflows/{{workflow_id}}/dispatches": ["post"],
    f"{REPO}/actions/runs/{{run_id}}": ["get"],
    f"{REPO}/actions/runs/{{run_id}}/jobs": ["get"],
    f"{REPO}/actions/runs/{{run_id}}/artifacts": ["get"],
    f"{REPO}/actions/runs/{{run_id}}/pending_deployments": ["get", "post"],
    f"{REPO}/actions/runs/{{run_id}}/rerun-failed-jobs": ["post"],
    f"{REPO}/actions/runs/{{run_id}}/cancel": ["post"],
    f"{REPO}/actions/jobs/{{job_id}}/logs": ["get"],
}
PROSE = {"description", "summary", "title", "example", "examples", "externalDocs", "tags", "deprecated", "headers"}
# Below these keys stand names of things, not OpenAPI's own words.
NAMES = {"properties", "schemas", "parameters", "responses", "content", "paths"}


def cut(whole: dict[str, Any]) -> dict[str, Any]:
    """The description of the operations above, with all that they refer to."""
    paths = {path: {method: whole["paths"][path][method] for method in kept} for path, kept in OPERATIONS.items()}
    kept: dict[str, Any] = {
        "openapi": whole["openapi"],
        "info": {"title": "cut by cut_openapi.py from @octokit/openapi", "version": whole["info"]["version"]},
        "paths": _bare(paths, names=True),
        "components": {},
    }
    waiting = sorted(set(_references(kept["paths"])))
    while waiting:
        _, _, kind, name = waiting.pop().split("/")
        group = kept["components"].setdefault(kind, {})
        if name not in group:
            group[name] = _bare(whole["components"][kind][name])
            waiting += _references(group[name])
    return kept


def _bare(node: Any, *, names: bool = False) -> Any:
    if isinstance(node, list):
        return [_bare(element) for element in node]
    if not isinstance(node, dict):
        return node
    if node.get("nullable") is True and None not in node.get("enum", [None]):
        node = {**node, "enum": [*node["enum"], None]}  # which OpenAPI 3.0.3 asks for, and GitHub leaves out
    return {
        key: value if key == "enum" and not names else _bare(value, names=key in NAMES and not names)
        for key, value in node.items()
        if names or not (key in PROSE or key.startswith("x-"))
    }


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for element in node:
            yield from _references(element)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)


def _by_line(document: dict[str, Any]) -> str:
    # One path or component a line: small, and a difference between two versions can still be read.
    def lines(group: dict[str, Any]) -> str:
        rows = (f"{json.dumps(name)}:{json.dumps(group[name], separators=(',', ':'))}" for name in sorted(group))
        return "{\n" + ",\n".join(rows) + "\n}"

    components = ",\n".join(f"{json.dumps(kind)}:{lines(group)}" for kind, group in document["components"].items())
    head = ",\n".join(f"{json.dumps(key)}:{json.dumps(document[key])}" for key in ("openapi", "info"))
    return f'{{\n{head},\n"paths":{lines(document["paths"])},\n"components":{{\n{components}\n}}\n}}\n'


if __name__ == "__main__":
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_name("github-openapi.json")
    target.write_text(_by_line(cut(json.loads(Path(sys.argv[1]).read_bytes()))))
