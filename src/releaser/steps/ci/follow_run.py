"""Follow a workflow's run of a version, for `invoke watch`, which starts none."""

from __future__ import annotations

from releaser.adapters.forge.records import Run
from releaser.core.step import Conflict, Done, Outcome, Skipped, Step, Todo
from releaser.errors import UsageError
from releaser.release import Release
from releaser.steps.ci import runs
from releaser.steps.ci.following import follow

_ON_PAGE = "Fix the cause. Then use `Re-run failed jobs` on the run's page."
_REMEDY = (
    "Fix the cause. Then run `invoke release --version {version}`, which runs the failed jobs again, or use `Re-run "
    "failed jobs` on the run's page."
)


class FollowRun(Step[Release]):
    """A workflow's newest run of this version has ended, and well.

    Args:
        workflow: The workflow's file name.
        started_by: The workflow that starts it, if another one does.
        releases: Whether it is the workflow that releases.
    """

    def __init__(self, workflow: str, started_by: str = "", *, releases: bool = False) -> None:
        self.workflow = workflow
        self.releases = releases
        self.started_by = started_by
        self.name = f"follow_{workflow.rpartition('.')[0].replace('-', '_').lower()}"
        self.title = f"Run of {workflow} successful"

    def check(self, release: Release) -> Outcome:
        """Look at the newest run.

        Raises:
            StepError: It failed; the message has the job, the step and the last lines.
        """
        run = self._newest(release)
        if run is None:
            return self._absent(release)
        if not run.ended:
            return Todo(f"follow {run.url}")
        seen = runs.look(release, self.workflow, run)
        if seen.failed:
            raise runs.failure(release, seen, self._remedy(release))
        return Done(seen.state)

    def run(self, release: Release) -> None:
        """Follow it.

        Raises:
            StepError: It failed.
            WaitTimeoutError: Nothing about it changed for as long as a release waits for anything.
        """
        run = self._newest(release)
        if run is None:
            raise UsageError(
                f"No run of {self.workflow} was started for {release.version}",
                f"Run `invoke release --version {release.version}`, which starts it.",
            )
        seen = follow(release, self.workflow, run)
        if seen.failed:
            raise runs.failure(release, seen, self._remedy(release))

    def _remedy(self, release: Release) -> str:
        # Of what a click has started, a release from a terminal would be a second one.
        goes_on = self.releases and release.config.run == "ci"
        return _REMEDY.format(version=release.version) if goes_on else _ON_PAGE

    def _newest(self, release: Release) -> Run | None:
        found = runs.dispatched_runs(release) if self.releases else runs.runs_of(release, self.workflow)
        return next(iter(found), None)

    def _absent(self, release: Release) -> Outcome:
        """Answer where there is no run: one that another workflow starts may still come."""
        what = f"no run of {self.workflow} was started for {release.version}"
        later = Skipped(f"{self.started_by or 'another workflow'} starts it once it has released")
        if self.started_by:
            before = runs.dispatched_runs(release)
            if before and not before[0].ended:
                return Todo(f"follow the run that {self.started_by} starts")
            if before and before[0].conclusion != "success":
                return later
        found = release.forge.find_release(release.tag)
        if found is None or found.draft:
            if self.started_by:  # that nothing is released is said where that one is followed
                return later
            return Conflict(f"{what}: it is not released", f"Run `invoke release --version {release.version}`.")
        by_hand = f"dispatch {self.workflow} on its Actions page, with the version {release.version}."
        configured = self.workflow in release.config.publishing_workflows
        return Conflict(
            f"{what}, and {found.url} is published: what a workflow's own token (ghs_...) does starts no workflow",
            f"Run `invoke release --version {release.version}`, which dispatches it; or {by_hand}"
            if configured
            else f"D{by_hand[1:]}",
        )
