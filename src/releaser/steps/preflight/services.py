"""Preflight: what the services must allow. What a service does not reveal before it is used is listed as unproven."""

from __future__ import annotations

from releaser.adapters.index.identity import in_ci_job, lacks_permission
from releaser.adapters.index.twine_login import credentials_from_twine
from releaser.config.project import INDEX_TITLES, IndexName
from releaser.core.step import Conflict, Done, Outcome, Skipped, Step
from releaser.release import Release


class LogInToIndex(Step[Release]):
    """There is a credential to upload to an index with."""

    skippable = True

    def __init__(self, index: IndexName) -> None:
        self.index = index
        self.name = f"log_in_{index}"
        self.title = f"Login for {INDEX_TITLES[index]} available"

    def check(self, release: Release) -> Outcome:
        """Look for a token without using it: an index does not reveal what a token allows before an upload."""
        index, config = release.index(self.index), release.config.index(self.index)
        if config.via == "ci":
            return Done(f"{config.workflow} uploads by trusted publishing; whether it is set up is unproven")
        if index.token:
            return Done(f"a token in {index.token_env}; what it allows is unproven")
        if credentials_from_twine(index.address, index.token_env):
            return Done("twine has a password for it; what it allows is unproven")
        if lacks_permission():
            return Conflict(
                f"there is no token for {self.index}, and the workflow does not let this job prove its identity",
                f"Give the job `permissions: id-token: write`, or set {index.token_env}.",
            )
        if in_ci_job() and index.vouched is None:
            return Conflict(
                f"there is no token for {self.index}, and a job's identity uploads only what another job has built too",
                f"Start {release.config.release_workflow} for the release, or set {index.token_env}.",
            )
        if in_ci_job():
            return Done("trusted publishing from this job; whether it is set up is unproven")
        return Conflict(
            f"there is no token for {self.index}",
            f"Set {index.token_env} to an API token with upload rights for the project.",
        )


class LogInToForge(Step[Release]):
    """There is a token for the forge, and it may publish releases."""

    name = "log_in_forge"
    title = "Login for the forge available"

    def check(self, release: Release) -> Outcome:
        """Ask the forge what the token may do."""
        variable = release.config.forge.token_env
        # Where a workflow makes the release, it has a token of its own for that.
        needed = "actions: write" if release.config.run == "ci" else "contents: write"
        if release.credentials.token(variable) is None:
            return Conflict(
                "there is no token for the forge",
                f"Set {variable} to a token with the permission `{needed}` for {release.repository}.",
            )
        facts = release.forge.permissions()
        who = f"{facts.login} at {release.repository}" if facts.login else release.repository
        if facts.can_push is False:
            return Conflict(
                f"the token in {variable} may not write to {release.repository}",
                f"Give it the permission `{needed}`.",
            )
        return Done(f"{who}; may write" if facts.can_push else f"{who}; what it may write is unproven")


class HaveNoBlockers(Step[Release]):
    """No open issue or pull request is marked as blocking the release."""

    name = "have_no_blockers"
    title = "No open issue or pull request blocks the release"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """List what is open with the blocking label; a published release cannot be blocked any more."""
        forge = release.config.forge
        if release.credentials.token(forge.token_env) is None:
            return Skipped("no token for the forge")
        found = release.forge.find_release(release.tag)
        if found and not found.draft:
            return Done("the release is published")
        open_ones = release.forge.open_blockers(forge.blocker_label, None)
        if not open_ones:
            return Done(f"nothing open is labelled {forge.blocker_label}")
        listed = ", ".join(f"#{one.number} {one.title}" for one in open_ones[:5])
        return Conflict(
            f"{len(open_ones)} open with the label {forge.blocker_label}: {listed}",
            "Close them or remove the label.",
        )
