"""Build: check that the index will accept the built files, and that they contain what they should and nothing else."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters import builder
from releaser.adapters.where import where
from releaser.dists import contents
from releaser.dists.built import Dists
from releaser.dists.origins import Sources, compare
from releaser.errors import StepError
from releaser.release import Release
from releaser.steps.receipted import Receipted
from releaser.store import Receipt


class InspectDists(Receipted):
    """The index will accept the metadata, and every file is the commit's, or known to be made by the build."""

    name = "inspect_dists"
    title = "Metadata and contents correct"
    doing = "run twine check --strict and inspect the contents"

    def attempt(self, release: Release, dists: Dists, _scratch: Path) -> Receipt:
        """Run twine check, then look into both files."""
        builder.check_metadata(dists.uploads)
        private = [release.git.root, release.store.path]
        sources = Sources(release.source_files())
        package = sources.within(release.config.package)
        wrong = contents.problems(dists.uploads, release.config, release.version, package, private)
        origins = compare(dists.uploads, sources, release.config.build.generated)
        origins.left_out = contents.left_out(dists.wheel, release.config, package)
        if origins.wrong:
            raise StepError(
                f"The built files are not those of {release.source}: {'; '.join(origins.wrong)}",
                "Have the build leave these out, or list what it makes under generated in [tool.releaser.build]. "
                + _from_the_start(release),
            )
        if wrong:
            raise StepError(
                "The built files are wrong: " + "; ".join(wrong),
                f"Fix the project and build again. {_from_the_start(release)}",
            )
        counts = (f"{sum(1 for _ in builder.members(path))} files in {path.name}" for path in dists.uploads)
        return Receipt(
            f"twine check --strict passed; {', '.join(counts)}; compared with {release.source}: {origins.described()}"
        )


def _from_the_start(release: Release) -> str:
    """Return how to begin again while nothing is public."""
    return where(
        terminal=f"If this is a release, first run `invoke rollback --version {release.version}`; nothing is public "
        "yet.",
        job="Push that, and start the workflow again; nothing is public yet.",
    )
