"""A release's images: what is built of them here, which tags they get, and why there may be none."""

from __future__ import annotations

import hashlib

from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import Descriptor, images
from releaser.images.tags import Tag, in_push_order, released_in
from releaser.release import Release
from releaser.versions.version import Version


def built(release: Release) -> OciLayout | None:
    """The layout with every image of this version; None before it is complete.

    Raises:
        ConflictError: A part of it is gone or was changed.
    """
    layout, wanted = OciLayout(release.store.images), {target.name for target in release.config.images.targets}
    if not wanted or not layout.exists() or not wanted <= layout.roots().keys():
        return None
    layout.check()
    return layout


def roots(release: Release, layout: OciLayout) -> dict[str, Descriptor]:
    """The index of each of the release's images, by target."""
    found = layout.roots()
    return {target.name: found[target.name] for target in release.config.images.targets}


def without(release: Release) -> str | None:
    """Return why this release has no images, and will have none from this machine; None if it has or can have."""
    if not release.config.images.targets:
        return "the project has no images"
    return f"{release.no_engine}, so no image is built" if release.no_engine and built(release) is None else None


def identity(layout: OciLayout) -> str:
    """What tells these images from any others, in a few characters."""
    digests = "".join(root.digest for root in layout.roots().values())
    return hashlib.sha256(digests.encode()).hexdigest()[:16]


def tags(release: Release) -> tuple[Tag, ...]:
    """The tags that this version's images have to have, in the order in which they are pushed.

    Raises:
        ServiceError: The registry or the git remote did not answer.
    """
    return in_push_order(release.config.images.targets, release.version, released(release))


def released(release: Release) -> set[Version]:
    """The final versions that are out: those that git's tags name, and those in the registry."""
    return released_in(release.registry.tags(), release.config.images.targets) | set(release.released())


def described(layout: OciLayout, root: Descriptor) -> str:
    """An image's digest and platforms, for people."""
    platforms = ", ".join(image.platform for image in images(layout, root))
    return f"{root.digest[:19]} ({platforms})"
