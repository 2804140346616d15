"""What a job that may publish trusts: how it was started, what build and rebuild say, and what it derives itself.

It trusts nothing that a job which runs tests could have written: no receipt, no journal, no working tree, and of an
artifact only bytes that both builds made.
"""

from __future__ import annotations

from collections.abc import Mapping

from releaser.adapters.forge.job import Job
from releaser.config.project import Config
from releaser.core.activity import current
from releaser.dists.manifest import Manifest
from releaser.errors import ConflictError
from releaser.release import Release

Events = Mapping[str, tuple[str, ...]]
"""The refs that each event may start a workflow for."""


def releasing(config: Config) -> Events:
    """Return what may start the workflow that makes releases."""
    return {"workflow_dispatch": (f"refs/heads/{config.git.branch}",)}


def publishing(release: Release) -> Events:
    """Return what may start the workflow that publishes a release's files."""
    tag = f"refs/tags/{release.tag}"
    return {"release": (tag,), "workflow_dispatch": (tag, f"refs/heads/{release.config.git.branch}")}


def expect_at(release: Release, job: Job, manifest: Manifest) -> None:
    """See that a manifest is of the commit that the job was started for, and is checked out.

    Raises:
        ConflictError: It is not.
    """
    head = release.git.head()
    if not manifest.parent == job.commit == head:
        raise ConflictError(
            f"The built files are of a commit on {manifest.parent[:12]}; this job was started for {job.commit[:12]}, "
            f"and {head[:12]} is checked out",
            "Start the workflow again.",
        )


def expect_not_moved(release: Release, manifest: Manifest) -> None:
    """See that the branch at the remote is where the files were built from, or has the release already.

    Raises:
        ConflictError: Somebody has pushed to it since.
        ServiceError: The remote did not answer.
    """
    config = release.config.git
    branch = release.git.remote_branch(config.remote, config.branch)
    if branch in (manifest.parent, manifest.commit) or release.git.remote_tag(config.remote, release.tag):
        return
    raise ConflictError(
        f"{config.branch} at {config.remote} has moved to {(branch or 'nothing')[:12]} since the files were built on "
        f"{manifest.parent[:12]}",
        f"Start {release.config.release_workflow} again, which releases what is there now. What TestPyPI has already "
        "stays there, and no user gets it.",
    )


def expect_published(release: Release, commit: str) -> None:
    """See that the tag at the remote leads to the commit, that the branch has it, and that it declares the version.

    Raises:
        ConflictError: One of these is not so.
        ServiceError: The remote did not answer.
    """
    git, config = release.git, release.config.git
    current().answers.forget()
    tag = git.remote_tag(config.remote, release.tag)
    if tag is None or tag.commit != commit:
        where = f"leads to {tag.commit[:12]}" if tag else "is not there"
        raise ConflictError(
            f"The tag {release.tag} at {config.remote} {where}; the files were built from {commit[:12]}",
            "Find out who moved it. Publish nothing of it: release the next version.",
        )
    branch = git.remote_branch(config.remote, config.branch)
    if branch and git.commit(branch) is None:
        git.fetch_objects(config.remote, branch)
    if branch is None or not git.contains(branch, commit):
        raise ConflictError(
            f"{release.tag} is at {commit[:12]}, which is not in {config.branch} at {config.remote}",
            f"Merge {release.tag} into {config.branch} if it is meant to be released, then start the workflow again.",
        )
    if not release.release_commit.declares(commit):
        raise ConflictError(
            f"{release.tag} is at {commit[:12]}, whose files do not declare {release.version}",
            "Delete the tag if nothing is published, and release with `invoke release`; otherwise release the next "
            "version.",
        )
