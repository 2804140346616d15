"""Build: check that the index will accept the built files, and that their description works there."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.index import readme, rules
from releaser.adapters.where import where
from releaser.dists import metadata
from releaser.dists.built import Dists
from releaser.errors import StepError
from releaser.release import Release
from releaser.steps.preflight.index_rules import HOW_TO_LINK, dead_addresses
from releaser.steps.receipted import Receipted
from releaser.store import Receipt


class InspectUploads(Receipted):
    """PyPI accepts names, platforms and metadata of the built files, and shows their description whole."""

    name = "inspect_uploads"
    title = "Built files within the index's rules"
    doing = "apply the index's rules to the built files"
    skippable = True

    def attempt(self, release: Release, dists: Dists, _scratch: Path) -> Receipt:
        """Read the metadata out of the files, where the index looks for it."""
        refused = dict.fromkeys(reason for path in dists.uploads for reason in _refusals(path))
        wrong = [f"PyPI refuses the built files: {' | '.join(refused)}"] if refused else []
        raw = metadata.built(dists.wheel)
        shown = readme.render(raw.get("description", ""), *rules.description_type(raw))
        if shown.relative:
            wrong.append(dead_addresses(f"the description in {dists.wheel.name}", shown.relative))
        if wrong:
            how = f"{HOW_TO_LINK} " if shown.relative else ""
            raise StepError(
                "; ".join(wrong),
                f"Correct the project. {how}Then "
                + where(
                    terminal=f"run `invoke rollback --version {release.version}` and release again; nothing is "
                    "public yet.",
                    job="push that, and start the workflow again; nothing is public yet.",
                ),
            )
        return Receipt("names, platforms and metadata accepted; the description renders, without relative addresses")


def _refusals(path: Path) -> list[str]:
    raw = metadata.built(path)
    found = [one.message for one in rules.refusals(raw)]
    if platform := rules.refused_platform(path.name):
        found.append(platform)
    description = raw.get("description")
    if description:
        shown = readme.render(description, *rules.description_type(raw))
        if shown.html is None:
            found.append(f"{path.name}: the description does not render: {shown.problem}")
    return found
