"""Preflight: what the forge knows of the commit to be released, and what it takes of the notes."""

from __future__ import annotations

from releaser.adapters.forge.client import BODY_LIMIT
from releaser.core.step import Conflict, Done, Outcome, Skipped, Step
from releaser.release import Release
from releaser.texts.release_page import notes


class FitNotes(Step[Release]):
    """The release's notes are no longer than the forge takes."""

    name = "fit_notes"
    title = "Release notes within the forge's limit"

    def check(self, release: Release) -> Outcome:
        """Count the characters of what the draft will say; one that is longer is refused after the tag is public."""
        length = len(notes(release))
        if length <= BODY_LIMIT:
            return Done(f"{length:,} characters")
        return Conflict(
            f"the release notes have {length:,} characters; GitHub takes {BODY_LIMIT:,}",
            f"Shorten the section in {release.config.changelog}: group small entries, or link to a longer document.",
        )


class HavePassedTests(Step[Release]):
    """The workflow that tests the release branch has passed for the commit to be released."""

    name = "have_passed_tests"
    title = "Tests of the commit passed on the forge"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Ask for the workflow's newest run; once the release commit exists, what it was made from has been asked."""
        config = release.config.forge
        workflow = config.tests_workflow
        if not workflow:
            return Skipped("[tool.releaser.forge] names no tests-workflow")
        if commit := release.release_commit.pinned():
            return Done(f"the release commit {commit[:12]} exists; it was asked before")
        if release.credentials.token(config.token_env) is None:
            return Skipped("no token for the forge")
        commit = release.commit() or release.git.head()
        run = release.forge.tests_run(workflow, commit)
        if run is None:
            what = f"{workflow} has no run for {commit[:12]}"
            if not config.tests_required:
                return Done(f"{what}: whether its tests pass there is unproven")
            return Conflict(what, f"Push the commit and wait for {workflow}, or start it for this commit.")
        if not run.ended:
            return Conflict(
                f"{workflow} is {run.status.replace('_', ' ')} for {commit[:12]} ({run.url})",
                "Wait until it ends, then rerun the command.",
            )
        if run.conclusion != "success":
            in_job = release.rebuilt is not None or release.config.run == "ci"
            return Conflict(
                f"{workflow} ended with {run.conclusion} for {commit[:12]} ({run.url})",
                "Fix what failed, or run it again there"
                + (
                    ": the job that publishes asks for it, too."
                    if in_job
                    else f"; `--skip {self.name}` releases all the same, and is recorded."
                ),
            )
        return Done(f"{workflow} passed for {commit[:12]} ({run.url})")
