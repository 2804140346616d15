"""What of a world others can see, and how two worlds differ; nothing here asks the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.projects import digests, git
from harness.rehearsed import World

from .images import tags

SERVICES = ("testpypi", "pypi", "forge")


class Published(World):
    """What was published and kept, read without the engine; the remote lies next to the checkout."""

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.path / "checkout.git"

    def taken_back(self, built: Mapping[str, str], commit: str) -> dict[str, Any]:
        """Return all that matters after a rollback; for the arguments see `public_facts`."""
        checkout, held = self.path / "checkout", json.loads((self.path / "forge" / "forge.json").read_bytes())
        return {
            **self.public_facts(built, commit),
            "branch": git(self.origin, "rev-parse", "main^{tree}"),
            "workflow runs": [one["status"] for one in held["workflow_runs"]],
            "burned": held["burned_tags"],
            "images": tags(self.path / "registry"),
            "checkout": git(checkout, "for-each-ref", "--format=%(refname) %(objecttype)"),
            "checkout at": git(checkout, "rev-parse", "HEAD") + git(checkout, "status", "--porcelain"),
            "working trees": len(git(checkout, "worktree", "list").splitlines()),
            # Who ran last is kept where a killed run left nothing more to do, and says nothing of the version.
            "kept": [name for name in self.kept() if name != "holder.json"],
        }

    def left(self, tag: str) -> list[str]:
        """Return what there still is of the version, where anybody can see it."""
        found = [f"{index}: {name}" for index in ("testpypi", "pypi") for name in self.served(index)]
        found += [f"release {one['tag_name']}" for one in self.releases() if one["tag_name"] == tag]
        found += [ref for ref in self.refs() if ref == f"refs/tags/{tag}"]
        declared = git(self.origin, "show", "main:pyproject.toml")
        found += ["the branch's version"] if f'version = "{self.version}"' in declared else []
        return found + [f"image {name}" for name in tags(self.path / "registry") if name == self.version]


def public(path: Path, version: str) -> dict[str, str]:
    """Return what others can see of a world: the remote's refs, and what the services hold and were asked to change."""
    held = {
        f"{name}/{file}": digest
        for name in SERVICES
        for file, digest in digests(path / name, skip=("holding", "faults")).items()
    }
    images = {f"registry/{name}": digest for name, digest in tags(path / "registry").items()}
    return {**Published(path, version).refs(), **held, **images}


def compared(facts: dict[str, Any], expected: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return what is there twice or with other bytes, and what is missing."""
    twice, missing = [], []
    for index in ("testpypi", "pypi"):
        twice += [f"{index}: {name}" for name, state in facts[index].items() if state != "as built"]
        sent = facts["uploads"][index]
        twice += [f"{index}: {name} sent {sent.count(name)} times" for name in set(sent) if sent.count(name) > 1]
        missing += [f"{index}: {name}" for name in expected[index] if name not in facts[index]]
    if facts["releases made"] > expected["releases made"]:
        twice.append(f"releases made: {facts['releases made']}")
    assets = {name for release in facts["releases"] for name in release["assets"]}
    missing += [f"asset {name}" for release in expected["releases"] for name in release["assets"] if name not in assets]
    missing += [f"image {name}" for name in expected.get("images", ()) if name not in facts["images"]]
    missing += [ref for ref in expected["refs"] if ref not in facts["refs"]]
    return sorted(twice), sorted(missing)
