"""Build: see that what jobs of a workflow build apart from each other comes out the same, before one is started."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters import builder
from releaser.core.files import sha256
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.dists.earlier import differences
from releaser.errors import StepError
from releaser.release import Release


class BuildTwice(Step[Release]):
    """Two builds of the commit that the workflow is started with make the same bytes."""

    name = "build_twice"
    title = "Two builds make the same bytes"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Look for the commit in the journal, which is written to once two builds of it were equal."""
        head = release.git.head()
        seen = release.store.chain.newest("repeatable", commit=head)
        if seen is None:
            return Todo(f"build {head[:12]} twice here and compare, as jobs of {release.config.release_workflow} do")
        equal = ", ".join(f"{name} {digest[:12]}" for name, digest in sorted(seen["files"].items()))
        return Done(f"{head[:12]} gave {equal} both times", seen["at"])

    def run(self, release: Release) -> None:
        """Build in two trees, one after the other; nothing of it is kept.

        Raises:
            CommandError: The build failed.
            StepError: The builds differ.
        """
        head = release.git.head()
        with release.store.scratch(self.name) as scratch:
            first = build_apart(release, head, scratch / "first")
            if wrong := differs_when_built_again(release, head, first, scratch / "second"):
                raise StepError(
                    f"A second build of {head[:12]} makes other bytes: {wrong}. {release.config.release_workflow} "
                    "publishes only what two of its jobs build alike, and would publish nothing",
                    "Remove what differs (a time, an order, a path) from the build, or release from here: "
                    'run = "here" in [tool.releaser], via = "upload" in [tool.releaser.pypi]. Nothing was started.',
                )
            digests = {path.name: sha256(path) for path in first.iterdir()}
        release.journal.write("repeatable", commit=head, files=digests)


def build_apart(release: Release, commit: str, room: Path) -> Path:
    """Build a commit in a tree of its own, and return the directory with its sdist and wheel, both under `room`.

    Raises:
        CommandError: The build failed.
    """
    target = room / "dist"
    target.mkdir(parents=True)
    with release.pristine_tree(room, commit) as tree:
        builder.build(tree, target, epoch=release.git.time_of(commit), lock=release.config.build.lock)
    return target


def differs_when_built_again(release: Release, commit: str, built: Path, room: Path) -> str:
    """Return in words how another build of a commit differs from the files in `built`; nothing if it does not.

    Raises:
        CommandError: The build failed.
    """
    again = build_apart(release, commit, room)
    return "; ".join(differences({path.name: sha256(path) for path in built.iterdir()}, built, again))
