"""A release's images: what is built of them here, which tags they get, and why there may be none."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from releaser.adapters.docker.buildx import Bake
from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import Descriptor, images
from releaser.dists.built import Dists
from releaser.images.build import ImageBuild
from releaser.images.tags import Tag, in_push_order, released_in
from releaser.release import Release
from releaser.versions.version import Version


def built(release: Release) -> OciLayout | None:
    """Return the layout with every image of this version; None before it is complete.

    Raises:
        ConflictError: A part of it is gone or was changed.
    """
    layout, wanted = OciLayout(release.store.images), {target.name for target in release.config.images.targets}
    if not wanted or not layout.exists() or not wanted <= layout.roots().keys():
        return None
    layout.check()
    return layout


def roots(release: Release, layout: OciLayout) -> dict[str, Descriptor]:
    """Return the index of each of the release's images, by target."""
    found = layout.roots()
    return {target.name: found[target.name] for target in release.config.images.targets}


def without(release: Release) -> str | None:
    """Return why this release has no images, and will have none from this machine; None if it has or can have."""
    if not release.config.images.targets:
        return "the project has no images"
    return f"{release.no_engine}, so no image is built" if release.no_engine and built(release) is None else None


def identity(layout: OciLayout) -> str:
    """Return what tells these images from any others, in a few characters."""
    digests = "".join(root.digest for root in layout.roots().values())
    return hashlib.sha256(digests.encode()).hexdigest()[:16]


def receipt_name(step: str, release: Release) -> str:
    """Return the name of a step's receipt, with the images that it is for."""
    layout = built(release)
    return f"{step}-{identity(layout)}" if layout else step


def tags(release: Release) -> tuple[Tag, ...]:
    """Return the tags that this version's images have to have, in the order in which they are pushed.

    Raises:
        ServiceError: The registry or the git remote did not answer.
    """
    return in_push_order(release.config.images.targets, release.version, released(release))


def released(release: Release) -> set[Version]:
    """Return the final versions that are out: those that git's tags name, and those in the registry."""
    return released_in(release.registry.tags(), release.config.images.targets) | set(release.history.finals())


def described(layout: OciLayout, root: Descriptor) -> str:
    """Return an image's digest and platforms, for people."""
    platforms = ", ".join(image.platform for image in images(layout, root))
    return f"{root.digest[:19]} ({platforms})"


def build_from(release: Release, dists: Dists | None) -> ImageBuild:
    """Return what the images are built from: the wheel and its bill of materials, and the tree with the bake file.

    Args:
        release: The release.
        dists: The built files; None where only the command matters, not what it builds.
    """
    commit = release.must_have_commit()
    bills = [dists.directory / name for name in dists.sha256 if name.endswith(".cdx.json")] if dists else []
    return ImageBuild(
        release.config.images,
        release.tree,
        release.version,
        commit,
        release.git.time_of(commit),
        [dists.wheel, *bills] if dists else [],
    )


def bake(release: Release, dists: Dists | None, room: Path, settings: Sequence[str] = ()) -> Bake:
    """Return the call of bake that builds the release's images with its options.

    Args:
        release: The release.
        dists: See `build_from`.
        room: A directory for the wheel.
        settings: `--set` values, such as where the images go.
    """
    options = release.bake_options
    build = build_from(release, dists)
    return build.bake(release.config.images.targets, room, settings, options.words(), options.variables())


def references(release: Release) -> dict[str, str]:
    """Return the reference with the version's own tag, such as REGISTRY/NAME:0.2.0-arm, of each image by target."""
    repository, version = release.registry.repository, release.version
    return {target.name: f"{repository}:{version}{target.suffix}" for target in release.config.images.targets}
