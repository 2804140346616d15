"""Build: one sdist and one wheel, once. From here on these very bytes are tested, uploaded, attached and installed."""

from __future__ import annotations

import shutil

from releaser.adapters import builder
from releaser.core.files import sha256, write_sums
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.release import Release


class BuildDists(Step[Release]):
    """The store has the built files and their checksums."""

    name = "build_dists"
    title = "sdist and wheel built"

    def check(self, release: Release) -> Outcome:
        """Read SHA256SUMS and hash the files."""
        dists = release.store.dists()
        if dists is None:
            return Todo(f"build them into {release.store.dist}")
        return Done(
            "; ".join(
                f"{path.name} {path.stat().st_size / 1024:.0f} KiB {dists.sha256[path.name][:12]}"
                for path in dists.uploads
            )
        )

    def run(self, release: Release) -> None:
        """Build in a scratch directory and move it into place as a whole."""
        commit = release.must_have_commit()
        with release.store.scratch("build") as scratch:
            target = scratch / "dist"
            target.mkdir()
            log = release.store.path / "logs" / "build.log"
            with release.source_tree(scratch) as tree:
                lock = release.config.build.lock
                builder.build(tree, target, epoch=release.git.time_of(commit), log=log, lock=lock)
            digests = {path.name: sha256(path) for path in target.iterdir()}
            # Before they are in place: files that nothing records are never taken.
            release.journal.write("built", files=digests, commit=commit)
            write_sums(target, digests)
            if release.store.dist.exists():
                shutil.rmtree(release.store.dist)
            target.rename(release.store.dist)
