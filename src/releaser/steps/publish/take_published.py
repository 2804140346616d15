"""Publish: images that the registry has already are taken as they are there, so that a push can be repeated."""

from __future__ import annotations

from releaser.adapters.registry import oci
from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import Descriptor
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.errors import UsageError
from releaser.images import of_release
from releaser.release import Release


class TakePublished(Step[Release]):
    """Where X.Y.Z holds the very images that were built, the built index is the published one.

    A second build of one commit gives the same images and another index of them, because its provenance says when they
    were built. Without this step, a push that broke off could not be repeated.
    """

    name = "take_published"
    title = "Published images taken as they are"

    def check(self, release: Release) -> Outcome:
        """Compare what was built with what X.Y.Z points at, image for image."""
        layout = of_release.built(release)
        if layout is None:
            return Todo("compare the built images with those in the registry")
        roots, same = layout.roots(), published_of(release, layout)
        if other := [name for name, found in same.items() if found.digest != roots[name].digest]:
            return Todo(f"take {', '.join(other)} as the registry has it")
        told = (f"{name} is already published, image for image: {found.digest[:19]}" for name, found in same.items())
        return Done("; ".join(told) or "none of the images is published")

    def run(self, release: Release) -> None:
        """Put the published index of each such image in the place of the built one."""
        layout = of_release.built(release)
        if layout is None:
            raise UsageError("There are no built images", "Build them first: `invoke docker.build --push`.")
        for name, found in published_of(release, layout).items():
            layout.take(name, release.registry, found)


def published_of(release: Release, layout: OciLayout) -> dict[str, Descriptor]:
    """Return what X.Y.Z points at, by target, where that holds the same images as a layout.

    Raises:
        ServiceError: The registry did not answer.
    """
    roots, found = of_release.roots(release, layout), {}
    for target in release.config.images.targets:
        published = release.registry.find(f"{release.version}{target.suffix}")
        if published and _digests(release.registry, published) == _digests(layout, roots[target.name]):
            found[target.name] = published
    return found


def _digests(source: oci.Source, root: Descriptor) -> set[tuple[str, str]]:
    return {(image.platform, image.manifest.digest) for image in oci.images(source, root)}
