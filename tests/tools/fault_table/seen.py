"""What of a world others can see, and how two worlds differ; nothing here asks the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.projects import digests
from harness.rehearsed import World

SERVICES = ("testpypi", "pypi", "forge")


class Published(World):
    """What was published and kept, read without the engine; the remote lies next to the checkout."""

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.path / "checkout.git"


def public(path: Path, version: str) -> dict[str, str]:
    """Return what others can see of a world: the remote's refs, and what the services hold and were asked to change."""
    held = {
        f"{name}/{file}": digest
        for name in SERVICES
        for file, digest in digests(path / name, skip=("holding", "faults")).items()
    }
    return {**Published(path, version).refs(), **held}


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
    missing += [ref for ref in expected["refs"] if ref not in facts["refs"]]
    return sorted(twice), sorted(missing)
