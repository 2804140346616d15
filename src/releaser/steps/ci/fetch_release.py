"""Take what the workflow released: the tag with its commit, and the files that are attached to the release."""

from __future__ import annotations

import shutil

from releaser.core.files import SUMS
from releaser.core.step import Conflict, Done, Outcome, Step, Todo
from releaser.dists.built import read_dists
from releaser.dists.from_release import download_from_release
from releaser.errors import StepError, UsageError
from releaser.release import Release
from releaser.steps.ci import runs


class FetchTag(Step[Release]):
    """The tag is here, at the commit that the workflow made of the one that it was started with."""

    name = "fetch_tag"
    title = "Tag and release commit fetched"

    def check(self, release: Release) -> Outcome:
        """Compare the tag here with the remote's."""
        config = release.config.git
        here, there = release.git.tag(release.tag), release.git.remote_tag(config.remote, release.tag)
        if there is None:
            return Todo(f"fetch {release.tag} from {config.remote}, which has none yet")
        if here is None:
            return Todo(f"fetch {release.tag} ({there.commit[:12]}) from {config.remote}")
        if here.commit != there.commit:
            return Conflict(
                f"{release.tag} is at {here.commit[:12]} here and at {there.commit[:12]} at {config.remote}",
                f"Delete the tag that was made here, `git tag -d {release.tag}`, then rerun the command.",
            )
        return Done(f"{release.tag} at {here.commit[:12]}")

    def run(self, release: Release) -> None:
        """Fetch it.

        Raises:
            StepError: It is not what a release commit is: one commit above what the run was started with, which
                declares the version.
        """
        config = release.config.git
        release.git.fetch_tag(config.remote, release.tag)
        tag = release.git.tag(release.tag)
        if tag is None:
            raise StepError(f"{config.remote} has no tag {release.tag}", "Rerun the command.")
        if not release.release_commit.declares(tag.commit):
            raise StepError(
                f"{release.tag} is at {tag.commit[:12]}, which does not declare {release.version}",
                "Find out who pushed it; do not announce this version.",
            )
        parents = {one.commit for one in runs.dispatched_runs(release)}
        if parents and not {release.git.parent(tag.commit), tag.commit} & parents:
            raise StepError(
                f"{release.tag} is at {tag.commit[:12]}, which was not made of what "
                f"{release.config.release_workflow} was started with ({', '.join(one[:12] for one in parents)})",
                "Find out who pushed it; do not announce this version.",
            )


class FetchFiles(Step[Release]):
    """The files of the release are here, each as SHA256SUMS lists it; later steps compare the rest with them."""

    name = "fetch_files"
    title = "Files of the release fetched"

    def check(self, release: Release) -> Outcome:
        """Read SHA256SUMS here and hash the files."""
        dists = release.store.dists()
        if dists is None:
            return Todo(f"fetch the files that are attached to {release.tag}")
        return Done("; ".join(f"{path.name} {dists.sha256[path.name][:12]}" for path in dists.uploads))

    def run(self, release: Release) -> None:
        """Fetch them, and keep those that SHA256SUMS lists.

        Raises:
            UsageError: There is no published release, or it has no SHA256SUMS.
            ConflictError: A file is not what SHA256SUMS lists.
        """
        with release.store.scratch("fetch") as scratch:
            instead = f"Compare its files with the index by hand: `invoke verify --version {release.version}`."
            found = download_from_release(release.forge, release.tag, scratch / "dist", instead)
            dists = read_dists(found)
            if dists is None:
                raise UsageError(f"Release {release.tag} has no {SUMS}", instead)
            for path in found.iterdir():
                if path.name not in dists.assets:  # its record, or what a person attached
                    path.unlink()
            # Before they are in place: files that nothing records are never taken.
            release.journal.write("built", files=dists.sha256, commit=release.must_have_commit(), fetched=True)
            if release.store.dist.exists():
                shutil.rmtree(release.store.dist)
            found.rename(release.store.dist)
