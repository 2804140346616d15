"""The images of the fault table's project: made by hand for its release commit, and read without the engine."""

from __future__ import annotations

from pathlib import Path

from harness.projects import Project, git
from image_layouts import made

from releaser.adapters.registry.client import Registry
from releaser.adapters.registry.oci import LABEL, LABELS

NAME = "of/thing"
PLATFORMS = ("linux/amd64", "linux/arm64")
BUILT = ("--skip", "start_images", "--skip", "upgrade_from_pypi")
"""What a release of images that are built already is given: starting them needs an engine, an upgrade seconds."""
TAKEN_OVER = ("0.1.0", "0.1", "latest")
"""The tags of the version before."""

_CONFIGURATION = """
[tool.releaser.images]
repository = "{host}/{name}"
targets = [{{ name = "image", platforms = ["linux/amd64", "linux/arm64"] }}]
"""


def configure(project: Project, host: str) -> None:
    """Give the project images."""
    path = project.path / "pyproject.toml"
    path.write_text(path.read_text("utf-8") + _CONFIGURATION.format(host=host, name=NAME), "utf-8")


def keep_images(world: Path) -> None:
    """Have the engine keep images of 0.2.0, as it does once it has built them."""
    (store,) = (world / "state").glob("*/0.2.0")
    commit = git(world / "checkout", "rev-parse", "refs/releaser/v0.2.0")
    made(store / "images", "0.2.0", PLATFORMS, _labels("0.2.0", commit))


def publish_earlier(layouts: Path, host: str, version: str = "0.1.0", tags: tuple[str, ...] = TAKEN_OVER) -> None:
    """Push images of another version, with its tags."""
    layout = made(layouts / version, version, PLATFORMS, _labels(version, "0" * 40))
    root, registry = layout.roots()["image"], Registry.of(f"{host}/{NAME}")
    registry.push(layout, root)
    for tag in tags:
        registry.put(tag, root, layout.read(root))


def tags(registry: Path) -> dict[str, str]:
    """Return where each tag points, as the registry keeps it."""
    kept = registry / "docker" / "registry" / "v2" / "repositories" / NAME / "_manifests" / "tags"
    return {path.parts[-3]: path.read_text("ascii") for path in sorted(kept.glob("*/current/link"))}


def _labels(version: str, commit: str) -> dict[str, str]:
    own = {"version": version, "revision": commit}
    return {f"{LABEL}{name}": own.get(name, "of the fault table") for name in LABELS}
