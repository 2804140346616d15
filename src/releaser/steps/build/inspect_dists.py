"""Build: check that the index will accept the built files, and that they contain what they should and nothing else."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters import builder
from releaser.dists import contents
from releaser.dists.built import Dists
from releaser.errors import StepError
from releaser.release import Release
from releaser.steps.receipted import Receipted
from releaser.store import Receipt


class InspectDists(Receipted):
    """twine check --strict passes, and so does the contents check."""

    name = "inspect_dists"
    title = "Metadata and contents correct"
    doing = "run twine check --strict and inspect the contents"

    def attempt(self, release: Release, dists: Dists, _scratch: Path) -> Receipt:
        """Run twine check, then look into both files."""
        builder.check_metadata(dists.uploads)
        private = [release.git.root, release.store.path]
        wrong = contents.problems(dists.uploads, release.config, release.version, release.tree, private)
        if wrong:
            raise StepError(
                "The built files are wrong: " + "; ".join(wrong),
                "Fix the project and build again. If this is a release, first run "
                f"`invoke rollback --version {release.version}`; nothing is public yet.",
            )
        counts = (f"{sum(1 for _ in builder.members(path))} files in {path.name}" for path in dists.uploads)
        return Receipt("twine check --strict passed; " + ", ".join(counts))
