"""Publish: push the images that were built and started, byte for byte, then their tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from releaser.adapters.registry.oci import LABEL, Descriptor
from releaser.adapters.registry.oci import images as images_of
from releaser.core.activity import current
from releaser.core.counting import count_of
from releaser.core.step import Conflict, Done, Outcome, Skipped, Step, Todo
from releaser.errors import ConflictError, UsageError, VersionError
from releaser.images import of_release
from releaser.images.tags import Tag
from releaser.release import Release
from releaser.steps.ci.following import await_effect
from releaser.versions.version import Version


class PushImages(Step[Release]):
    """Each tag points at its image. X.Y.Z never moves; floating tags only move to higher versions."""

    name = "push_images"
    title = "Images and tags in the registry"
    skippable = True
    choices = ("rerun",)

    def check(self, release: Release) -> Outcome:
        """Ask the registry where each tag points."""
        if release.config.images.targets and release.config.images.via == "ci":
            return self._by_workflow(release)
        layout = of_release.built(release)
        if layout is None:
            return self._without_images(release)
        roots, registry = of_release.roots(release, layout), release.registry
        tags = of_release.tags(release)
        todo, conflicts = [], []
        for tag in tags:
            root, found = roots[tag.target], registry.find(tag.name)
            if found is None:
                todo.append(tag.name)
            elif found.digest != root.digest:
                if reason := _immovable(release, tag, found):
                    conflicts.append(_differs(reason, found, root))
                else:
                    todo.append(f"{tag.name} (from {found.digest[:19]})")
        if conflicts:
            return Conflict(f"in {registry.repository} {'; '.join(conflicts)}", _remedy(release))
        if todo:
            return Todo(f"push {', '.join(todo)} to {registry.repository}")
        return Done(_summary(tags, roots))

    def run(self, release: Release) -> None:
        """Push every image by digest, then point the tags at them, floating tags last.

        Raises:
            ConflictError: A tag was given to another image since the check; the tags before it have been pushed.
        """
        if release.config.images.via == "ci":
            self._await_workflow(release)
            return
        layout, registry = of_release.built(release), release.registry
        if layout is None:
            raise UsageError("There are no built images", f"Build them: `invoke release --version {release.version}`.")
        roots = of_release.roots(release, layout)
        for name, root in roots.items():
            current().tell(f"{name} {root.digest[:19]}")
            registry.push(layout, root)
        # Pushing takes minutes, in which others may release: ask only now which tags are due, and where they point.
        # (Registries have no conditional put; the gap that remains is between one request and the next.)
        for tag in of_release.tags(release):
            root, found = roots[tag.target], registry.find(tag.name)
            if found and found.digest == root.digest:
                continue
            if found and (reason := _immovable(release, tag, found)):
                raise ConflictError(
                    f"In {registry.repository} {_differs(reason, found, root)} since the push began", _remedy(release)
                )
            current().tell(f"{tag.name} -> {root.digest[:19]}")
            release.store.sent.will_move(tag.name, found.digest if found else None, root.digest)
            registry.put(tag.name, root, layout.read(root))

    def _by_workflow(self, release: Release) -> Outcome:
        """Answer where a workflow builds and pushes: its images are those whose labels name the release commit."""
        config, registry = release.config.images, release.registry
        if release.commit() is None:
            return self._unless_taken(release, f"{config.workflow} pushes {count_of(len(config.targets), 'image')}")
        found = of_release.by_workflow(release)
        tags = of_release.tags(release)
        missing = [tag.name for tag in tags if not _leads_to(registry.find(tag.name), found[tag.target])]
        if missing:
            return Todo(f"{config.workflow} pushes {', '.join(missing)} to {registry.repository}")
        return Done(_summary(tags, {name: root for name, root in found.items() if root}))

    def _await_workflow(self, release: Release) -> None:
        """Wait until every tag is there, and say meanwhile what the workflow does."""
        workflow, repository = release.config.images.workflow, release.registry.repository

        def there() -> bool:
            return isinstance(self._by_workflow(release), Done)

        await_effect(release, workflow, f"what {workflow} pushes to {repository}", there, self.name)

    def _without_images(self, release: Release) -> Outcome:
        """Answer where no image is built yet, or none can be; conflicts are found all the same."""
        if reason := of_release.without(release):
            return Skipped(reason)
        if release.commit():
            return Todo("build the images first, then compare with what the registry has")
        targets = release.config.images.targets
        return self._unless_taken(release, f"push {count_of(len(targets), 'image')} to {release.registry.repository}")

    def _unless_taken(self, release: Release, doing: str) -> Outcome:
        """Answer before there is a release commit: a version that the registry has already is another's."""
        targets = release.config.images.targets
        own = [f"{release.version}{target.suffix}" for target in targets]
        if taken := [name for name in own if release.registry.find(name)]:
            return Conflict(
                f"{release.registry.repository} already has {', '.join(taken)}, built elsewhere", _remedy(release)
            )
        return Todo(doing)


def _leads_to(found: Descriptor | None, root: Descriptor | None) -> bool:
    return found is not None and root is not None and found.digest == root.digest


def _immovable(release: Release, tag: Tag, found: Descriptor) -> str | None:
    """Return why a tag that points elsewhere must stay there; None if it may move to this version."""
    if not tag.floats:
        return f"{tag.name} is already another image"
    label = f"{LABEL}version"
    for image in images_of(release.registry, found):
        try:
            version = Version.parse(image.labels.get(label, ""))
        except VersionError:
            continue
        if version > release.version:
            return f"{tag.name} is already {version}, which is higher"
    return None


def _differs(reason: str, found: Descriptor, root: Descriptor) -> str:
    return f"{reason} ({found.digest[:19]}; built here: {root.digest[:19]})"


def _summary(tags: Sequence[Tag], roots: Mapping[str, Descriptor]) -> str:
    return "; ".join(
        f"{', '.join(tag.name for tag in tags if tag.target == name)} at {root.digest[:19]}"
        for name, root in roots.items()
    )


def _remedy(release: Release) -> str:
    following = release.version.bump(release.version.stage or "patch")
    return f"Release {following} instead, or skip the images with `--skip images`, which is recorded."
