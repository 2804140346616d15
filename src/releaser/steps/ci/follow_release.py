"""Follow the workflow that releases until it has ended."""

from __future__ import annotations

from releaser.core.activity import current
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.errors import UsageError
from releaser.release import Release
from releaser.steps.ci import runs
from releaser.steps.ci.dispatch_release import Attach, Published, next_move
from releaser.steps.ci.following import follow


class FollowRelease(Step[Release]):
    """The workflow that releases has ended, and well."""

    name = "follow_release"
    title = "Run of the workflow that releases successful"

    def check(self, release: Release) -> Outcome:
        """Look at the newest run of this version."""
        move, workflow = next_move(release), release.config.release_workflow
        if isinstance(move, Published):
            return Done(f"{move.url} is published")
        if isinstance(move, Attach) and move.run.ended:
            attempt = f" at attempt {move.run.attempt}" if move.run.attempt > 1 else ""
            jobs = runs.jobs_in_words(runs.look(release, workflow, move.run))
            return Done(f"{workflow} succeeded{attempt}: {move.run.url}{jobs}")
        if isinstance(move, Attach):
            seen = runs.look(release, workflow, move.run)
            return Todo(f"follow it: {seen.state}{runs.jobs_in_words(seen)}")
        return Todo(f"follow the run of {workflow}")

    def run(self, release: Release) -> None:
        """Follow it job by job.

        Raises:
            StepError: It failed; the message has the job, the step and the last lines.
            WaitTimeoutError: Nothing about it changed for as long as a release waits for anything.
        """
        found = runs.dispatched_runs(release)
        if not found:
            raise UsageError("There is no run to follow", f"Run `invoke release --version {release.version}`.")
        seen = follow(release, release.config.release_workflow, found[0])
        current().answers.forget()
        if not seen.succeeded:
            raise runs.failure(
                release,
                seen,
                "Rerun the command to run the failed jobs again. If the cause is in the repository, push the fix "
                "first; until the tag is out, the command then starts a new run.",
            )
