"""Qualify: build every image, once, from the built wheel. These very bytes are started, pushed and verified."""

from __future__ import annotations

import shutil
from dataclasses import replace

from releaser.core.step import Done, Outcome, Skipped, Step, Todo
from releaser.images import of_release
from releaser.release import Release


class BuildImages(Step[Release]):
    """The store has an OCI layout with every image; platforms and labels are as configured."""

    name = "build_images"
    title = "Images built"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Read the layout; if there is none, look for an engine to build it with."""
        layout = of_release.built(release)
        if layout:
            found = (f"{name} {of_release.described(layout, root)}" for name, root in layout.roots().items())
            return Done("; ".join(found))
        if reason := of_release.without(release):
            return Skipped(reason)
        names = ", ".join(target.name for target in release.config.images.targets)
        return Todo(f"build {names} from {release.config.images.bake_file}")

    def run(self, release: Release) -> None:
        """Build all at once, because they share layers, and move them into the store as a whole."""
        build, options = of_release.build_from(release, release.built()), release.bake_options
        log = release.store.path / "logs" / "images.log"
        # Not the tree that sessions are running in.
        commit = release.must_have_commit()
        with release.store.scratch(self.name) as scratch, release.pristine_tree(scratch, commit) as tree:
            layout = replace(build, tree=tree).into_layout(
                release.config.images.targets, scratch, log, options.words(), options.variables()
            )
            if release.store.images.exists():
                shutil.rmtree(release.store.images)
            layout.path.rename(release.store.images)
