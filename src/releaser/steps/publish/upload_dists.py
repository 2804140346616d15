"""Publish: upload sdist and wheel to an index."""

from __future__ import annotations

import re

from releaser.adapters.git.tagger import tagged_by
from releaser.adapters.waiting import wait_for
from releaser.config.project import INDEX_TITLES, IndexName
from releaser.core.step import Conflict, Done, Outcome, Step, Todo, Warned
from releaser.dists.sent import Ending
from releaser.errors import CommandError, ServiceError, StepError, ToleratedError
from releaser.release import Release
from releaser.steps.ci.following import await_effect

_REFUSAL = re.compile(r"\bHTTPError: 4\d\d\b")
"""How twine reports that the index took nothing of a file; after a 5xx or a broken connection that is unknown."""

_FOR_GOOD = ("filename has already been used", "File already exists")
"""What PyPI says of a file's name that was used before, also of one that it lists no more."""


class UploadDists(Step[Release]):
    """An index serves both files. Hashes decide: the same bytes are done, other bytes are a conflict.

    On TestPyPI other bytes are a warning: they are left from an attempt that did not get further (a push that was
    refused, a rollback), its names can never be used again, and no user gets a file from there. No person reads what a
    job warns of, so there they are a conflict, unless a person chose `without`.
    """

    def __init__(self, index: IndexName) -> None:
        self.index = index
        self.name = f"upload_{index}"
        self.title = f"{INDEX_TITLES[index]} serves sdist and wheel"
        self.skippable = index == "testpypi"
        self.choices = ("without",) if index == "testpypi" else ("rerun",)

    def check(self, release: Release) -> Outcome:
        """Compare the index's hashes with those of the built files.

        Raises:
            ToleratedError: TestPyPI does not answer, and the tag is public: what TestPyPI is for is over.
        """
        try:
            return self._compared(release)
        except ServiceError as error:
            if self.index != "testpypi" or not release.git.remote_tag(release.config.git.remote, release.tag):
                raise
            raise ToleratedError(f"{error.message}; it is for trying what is not public yet", error.remedy) from error

    def _compared(self, release: Release) -> Outcome:
        index, dists = release.index(self.index), release.dists()
        served = {name: file.sha256 for name, file in index.files(release.config.distribution, release.version).items()}
        config = release.config.index(self.index)
        how = "upload" if config.via == "upload" else f"{config.workflow} uploads"
        if not served:
            return Todo(f"{how} sdist and wheel")
        if dists is None:
            if release.commit():
                return Todo("build the files, then compare with what it serves")
            return self._taken(release, f"already serves {', '.join(sorted(served))}, built elsewhere")
        ours = dists.upload_sha256
        other = sorted(name for name, digest in served.items() if ours.get(name) != digest)
        if other:
            shown = ", ".join(
                f"{name} ({served[name][:12]}, built here: {ours.get(name, 'nothing')[:12]})" for name in other
            )
            return self._taken(release, f"serves other bytes under {release.version}: {shown}")
        if missing := sorted(ours.keys() - served.keys()):
            return Todo(f"{how} {', '.join(missing)}")
        return Done("; ".join(f"{name} sha256 {digest[:12]}" for name, digest in sorted(served.items())))

    def run(self, release: Release) -> None:
        """Upload what is missing, or wait for the workflow that does."""
        if release.config.index(self.index).via == "ci":
            self._await_workflow(release)
            return
        index, dists = release.index(self.index), release.built()
        served = index.files(release.config.distribution, release.version)
        missing = [path for path in dists.uploads if path.name not in served]
        names, sent = [path.name for path in missing], release.store.sent
        if missing:
            sent.will_upload(self.index, missing, "upload")
        try:
            index.upload(missing)
            sent.ended(self.index, names, Ending.ACCEPTED)
        except CommandError as error:
            # twine sends one file after the other: what it names of them was sent, the last of these was refused.
            if _REFUSAL.search(error.message) and sum(name in error.message for name in names) <= 1:
                sent.ended(self.index, names, Ending.REFUSED)
            if won := self._won_by_another(release):
                raise won from error
            if any(refusal in error.message for refusal in _FOR_GOOD):
                raise StepError(error.message, self._way_out(release)) from error
            raise

    def _won_by_another(self, release: Release) -> StepError | None:
        """Return who uploaded other bytes since the check, as far as index and tag tell; None if no one did."""
        ours, config = release.built().upload_sha256, release.config
        served = release.index(self.index).files(config.distribution, release.version)
        theirs = next((one for one in served.values() if one.sha256 != ours.get(one.name)), None)
        if theirs is None:
            return None
        tag = release.git.remote_tag(config.git.remote, release.tag)
        who = f"; {release.tag} is at {tag.commit[:12]}{tagged_by(release.git, config.git.remote, tag)}" if tag else ""
        when = f" at {theirs.uploaded}" if theirs.uploaded else ""
        return StepError(
            f"Another release of {release.version} was faster: {self.index} got {theirs.name} from it{when} "
            f"({theirs.sha256[:12]}; built here: {ours.get(theirs.name, 'nothing')[:12]}){who}",
            f"Find out who releases {release.version} too, and let that release go on. {self._way_out(release)}",
        )

    def verify(self, release: Release) -> Outcome:
        """Wait until the index lists both files: an upload becomes visible late."""
        names = " and ".join(sorted(release.built().upload_sha256))
        wait_for(release.index(self.index).name, names, lambda: self._is_shown(release), release.wait_limits)
        return self.check(release)

    def _is_shown(self, release: Release) -> bool:
        served = release.index(self.index).files(release.config.distribution, release.version)
        return release.built().upload_sha256.keys() <= served.keys()

    def _way_out(self, release: Release) -> str:
        """Return how to go on where an index will never take these files."""
        following = release.version.bump(release.version.stage or "patch")
        if self.index == "testpypi" and release.rebuilt:
            return spent_remedy(release)
        if self.index == "testpypi":
            return f"Add `--skip testpypi`, which is recorded, or release {following} instead."
        return (
            f"Run `invoke rollback --version {release.version}`, which takes back what is public, and release "
            f"{following}: an index does not show the names of files that were deleted, and never accepts them again."
        )

    def _taken(self, release: Release, what: str) -> Conflict | Warned:
        following = release.version.bump(release.version.stage or "patch")
        in_job = release.rebuilt is not None and release.choices.get(self.name) != "without"
        if self.index == "testpypi" and in_job:
            return Conflict(f"testpypi {what}; a file name can be used once", spent_remedy(release))
        if self.index == "testpypi":
            return Warned(
                f"testpypi {what}; a file name can be used once, so it is left as it is",
                f"Release {following} instead if the files must have been on TestPyPI.",
            )
        return Conflict(f"{self.index} {what}", f"Release {following} instead.")

    def _await_workflow(self, release: Release) -> None:
        workflow = release.config.index(self.index).workflow
        what = f"what {workflow} uploads to {release.index(self.index).name}"
        await_effect(release, workflow, what, lambda: self._is_shown(release), self.name)


def spent_remedy(release: Release) -> str:
    """Return what it costs that TestPyPI has other bytes of a version: the number, or the trial from there."""
    version, following = release.version, release.version.bump(release.version.stage or "patch")
    return (
        f"Release {following} instead, which TestPyPI can still take. To go on without a trial from TestPyPI, run "
        f'`invoke release --version {version} --choose upload_testpypi=without` (with run = "ci"), or start the '
        "workflow on its page with `upload_testpypi=without` as its choice."
    )
