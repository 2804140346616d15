"""Build: one sdist and one wheel, once. From here on these very bytes are tested, uploaded, attached and installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from releaser.adapters import builder
from releaser.adapters.index.identity import in_ci_job
from releaser.core.files import sha256, write_sums
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.errors import StepError
from releaser.release import Release
from releaser.steps.build.build_twice import differs_when_built_again


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
        """Build in a scratch directory and move it into place as a whole.

        Raises:
            CommandError: The build failed.
            StepError: A workflow will build it again, and a second build makes other bytes.
        """
        commit = release.must_have_commit()
        with release.store.scratch("build") as scratch:
            target = scratch / "dist"
            target.mkdir()
            log = release.store.path / "logs" / "build.log"
            with release.source_tree(scratch) as tree:
                lock = release.config.build.lock
                builder.build(tree, target, epoch=release.git.time_of(commit), log=log, lock=lock)
            if _is_built_again(release):
                _compare_with_another(release, target, scratch / "again")
            digests = {path.name: sha256(path) for path in target.iterdir()}
            # Before they are in place: files that nothing records are never taken.
            release.journal.write("built", files=digests, commit=commit)
            write_sums(target, digests)
            if release.store.dist.exists():
                shutil.rmtree(release.store.dist)
            target.rename(release.store.dist)


def _is_built_again(release: Release) -> bool:
    """Return whether a workflow builds the release again from its tag; of a checkout, and in a job, none does."""
    config, is_checkout = release.config, release.tree == release.git.root
    return config.run == "here" and config.pypi.via == "ci" and not is_checkout and not in_ci_job()


def _compare_with_another(release: Release, built: Path, room: Path) -> None:
    """See that another tree, some moments later, gives the same bytes: once the tag is public, it is too late."""
    if wrong := differs_when_built_again(release, release.must_have_commit(), built, room):
        raise StepError(
            f"A second build makes other bytes: {wrong}. {release.config.pypi.workflow} publishes only what "
            "it can build again, and would publish nothing",
            "Remove what differs (a time, an order, a path) from the build, or release with "
            f'via = "upload" in [tool.releaser.pypi]. Nothing is public: run `invoke rollback --version '
            f"{release.version}` first.",
        )
