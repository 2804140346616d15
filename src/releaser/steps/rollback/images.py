"""Take floating image tags back to where the registry had them; X.Y.Z stays, because users may have pulled it."""

from __future__ import annotations

from collections.abc import Collection

from releaser.core.step import Conflict, Done, Outcome, Skipped, Stays, Step, Todo
from releaser.errors import ConflictError
from releaser.release import Release


class RestoreImageTags(Step[Release]):
    """No tag that floats leads to this version's images, as far as it is known where it led before."""

    name = "restore_image_tags"
    title = "Floating image tags back where they were"

    def check(self, release: Release) -> Outcome:
        """Ask the registry where each tag that was moved from here points."""
        if not release.config.images.targets:
            return Skipped("the project has no images")
        moved = release.store.sent.tags()
        ours = {name: one for name, one in moved.items() if release.registry.digest(name) == one.after}
        back = {name: one.before for name, one in ours.items() if one.before}
        if back:
            gone = [name for name, before in back.items() if release.registry.find(str(before)) is None]
            if gone:
                return Conflict(
                    f"the registry no longer has what {', '.join(gone)} pointed at before",
                    "Point the tags at another image on the registry's side, then rerun the command.",
                )
            return Todo("; ".join(f"{name} back to {str(before)[:19]}" for name, before in back.items()))
        left = sorted({*(ours.keys() - back.keys()), *_unrecorded(release, moved)})
        if not left:
            return Done(f"no tag in {release.registry.repository} was moved from here and still is")
        return Stays(
            f"{release.registry.repository}: {', '.join(left)}, which had no image before",
            f"Delete them on the registry's page if necessary, and release {release.version.bump('patch')}.",
        )

    def run(self, release: Release) -> None:
        """Point each at what it pointed at before."""
        registry = release.registry
        for name, one in release.store.sent.tags().items():
            if one.before is None or registry.digest(name) != one.after:
                continue
            found = registry.find(one.before)
            if found is None:
                raise ConflictError(
                    f"The registry no longer has {one.before[:19]}, which {name} pointed at before",
                    f"Point {name} at another image on the registry's side, then rerun the command.",
                )
            registry.put(name, found, registry.read(found))


def _unrecorded(release: Release, moved: Collection[str]) -> set[str]:
    """Return the tags in the registry that name this very version and that were not moved from here."""
    names = {f"{release.version}{target.suffix}" for target in release.config.images.targets}
    return {name for name in release.registry.tags() if name in names} - set(moved)
