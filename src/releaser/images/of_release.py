"""A release's images: what is built of them here, which tags they get, and why there may be none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from releaser.adapters.docker.buildx import Bake
from releaser.adapters.docker.engine import Engine
from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import LABEL, Descriptor, Source, images
from releaser.dists.built import Dists
from releaser.errors import ConflictError
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


def digests(release: Release) -> dict[str, str]:
    """Return the digest of the index of each of the release's images, by target; none before they are complete.

    Where a workflow builds them, what X.Y.Z points at is the release's image if its labels name the release commit.

    Raises:
        ServiceError: The registry did not answer.
    """
    if release.config.images.via == "push" or not release.config.images.targets:
        layout = built(release)
        return {name: root.digest for name, root in roots(release, layout).items()} if layout else {}
    found = by_workflow(release)
    return {} if None in found.values() else {name: root.digest for name, root in found.items() if root}


def by_workflow(release: Release) -> dict[str, Descriptor | None]:
    """Return what a workflow has pushed of this version, by target; None for an image that is not there yet.

    Raises:
        ConflictError: X.Y.Z of a target is an image of another commit.
        ServiceError: The registry did not answer.
    """
    commit, registry, found = release.must_have_commit(), release.registry, {}
    for target in release.config.images.targets:
        tag = f"{release.version}{target.suffix}"
        root = registry.find(tag)
        for image in images(registry, root) if root else []:
            labelled = image.labels.get(f"{LABEL}revision", "")
            if labelled != commit:
                raise ConflictError(
                    f"{registry.repository}:{tag} was built from {labelled[:12] or 'an unknown commit'}, not from "
                    f"{commit[:12]}",
                    f"Find out who pushed it, and release {release.version.bump(release.version.stage or 'patch')}.",
                )
        found[target.name] = root
    return found


def held(release: Release, *, pushed: bool) -> tuple[Source, dict[str, Descriptor]] | None:
    """Return where the release's images can be read, and the index of each by target; None where there are none.

    Args:
        release: The release.
        pushed: Whether the registry has them; it is asked only then, and only where they were not built here.

    Raises:
        ServiceError: The registry did not answer.
    """
    config = release.config.images
    if layout := built(release) if config.targets else None:
        return layout, layout.roots()
    if not (pushed and config.targets and config.via == "ci"):
        return None
    return release.registry, {name: root for name, root in by_workflow(release).items() if root}


@contextmanager
def engine(release: Release) -> Iterator[Engine | None]:
    """Provide the container engine of this machine for the length of the block; None where there is none.

    Raises:
        ServiceError: It does not answer.
    """
    if release.no_engine:
        yield None
        return
    with closing(Engine.connect(release.store.path)) as running:
        yield running


def without(release: Release) -> str | None:
    """Return why this machine builds and pushes no images of this release; None if it has built them, or can."""
    config = release.config.images
    if not config.targets:
        return "the project has no images"
    if config.via == "ci":
        return f"{config.workflow} builds, starts and pushes the images"
    return f"{release.no_engine}, so no image is built" if release.no_engine and built(release) is None else None


def receipt_name(step: str, release: Release) -> str:
    """Return the name of a step's receipt, with the images that it is for."""
    found = digests(release)
    identity = hashlib.sha256("".join(found.values()).encode()).hexdigest()[:16]
    return f"{step}-{identity}" if found else step


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
