"""What GitHub Actions runs: runs, their jobs and steps, logs of ended jobs, approvals; starting, repeating, cancelling.

GitHub tells no run's inputs. A run that was dispatched for a version is known by its title, which `run-name` makes.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from pydantic import TypeAdapter

from releaser.adapters.forge import run_responses as responses
from releaser.adapters.forge.http import Subject
from releaser.adapters.forge.records import Approval, Artifact, Job, Run

_AT_ONCE = 100
_ANYTHING: TypeAdapter[object] = TypeAdapter(object)
_READ, _WRITE = "actions: read", "actions: write"
_LAST_BYTES = 256 << 10
_TIME = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT[\d:.]+Z ")
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_COMMAND = re.compile(r"^##\[(?:group|endgroup|debug|command|section)\]")


class Workflows(Subject):
    """What GitHub Actions runs in one repository."""

    @property
    def starts_nothing(self) -> bool:
        """Whether what the token does may start no workflow, as GitHub rules for a workflow's own; it may dispatch."""
        return self._http.is_of_app

    def runs(self, workflow_file: str) -> list[Run]:
        """Return the newest hundred runs of a workflow, the newest first; none if there is no such workflow.

        Raises:
            ServiceError: GitHub refused, or did not respond.
        """
        found = self._http.find(
            f"list the runs of {workflow_file}",
            f"{self._of(workflow_file)}/runs",
            responses.RUNS,
            query={"per_page": _AT_ONCE},
            permission=_READ,
        )
        return [run.record() for run in found.workflow_runs] if found else []

    def run(self, run_id: int) -> Run:
        """Return a run by its number.

        Raises:
            ServiceError: There is none, or GitHub refused, or did not respond.
        """
        path = f"{self._repo}/actions/runs/{run_id}"
        return self._http.call(f"show the run {run_id}", "GET", path, responses.RUN, permission=_READ).record()

    def dispatch(self, workflow_file: str, ref: str, inputs: Mapping[str, str]) -> int | None:
        """Start a workflow; return the run's number, or None where GitHub does not tell it (older servers).

        Args:
            workflow_file: The workflow's file name.
            ref: The branch or the tag whose workflow file runs.
            inputs: The inputs that it declares.

        Raises:
            ServiceError: GitHub refused (422: the workflow has no `workflow_dispatch`, or not these inputs), or did
                not respond.
        """
        made = self._http.find(
            f"start {workflow_file} at {ref}",
            f"{self._of(workflow_file)}/dispatches",
            responses.DISPATCH,
            method="POST",
            none_for=(204,),
            body={"ref": ref, "inputs": dict(inputs), "return_run_details": True},
            permission=_WRITE,
        )
        return made.workflow_run_id if made else None

    def may_dispatch(self, workflow_file: str) -> None:
        """See that the token may start a workflow, without starting it: GitHub looks at the ref after the permission.

        Raises:
            ServiceError: It may not, there is no such workflow, or GitHub did not respond.
        """
        self._http.find(
            f"say whether this token may start {workflow_file}",
            f"{self._of(workflow_file)}/dispatches",
            responses.DISPATCH,
            method="POST",
            none_for=(204, 422),
            body={"ref": "refs/heads/-no-such-branch-", "inputs": {}},
            permission=_WRITE,
        )

    def jobs(self, run: Run) -> list[Job]:
        """Return the jobs of a run's newest attempt with their steps, as far as there are any yet.

        Raises:
            ServiceError: GitHub refused, or did not respond.
        """
        found: list[Job] = []
        while True:
            page = self._http.call(
                f"list the jobs of {run.url}",
                "GET",
                f"{self._repo}/actions/runs/{run.id}/jobs",
                responses.JOBS,
                query={"per_page": _AT_ONCE, "page": len(found) // _AT_ONCE + 1},
                permission=_READ,
            )
            found += [one.record() for one in page.jobs]
            if len(page.jobs) < _AT_ONCE:
                return found

    def approvals(self, run: Run) -> list[Approval]:
        """Return the environments that a run waits for.

        Raises:
            ServiceError: GitHub refused, or did not respond.
        """
        path = f"{self._repo}/actions/runs/{run.id}/pending_deployments"
        doing = f"show what the run {run.url} waits for"
        found = self._http.call(doing, "GET", path, responses.PENDING, permission=_READ)
        return [one.record() for one in found]

    def artifacts(self, run: Run) -> list[Artifact] | None:
        """Return what the jobs of a run left for each other; None where the server does not tell.

        Raises:
            ServiceError: GitHub refused, or did not respond.
        """
        path = f"{self._repo}/actions/runs/{run.id}/artifacts"
        doing = f"list the artifacts of {run.url}"
        found = self._http.find(doing, path, responses.ARTIFACTS, query={"per_page": _AT_ONCE}, permission=_READ)
        return [one.record() for one in found.artifacts] if found else None

    def last_lines(self, job: Job, number: int) -> list[str]:
        """Return the last lines of an ended job up to its error: steps that clean up follow that in the log.

        Raises:
            ServiceError: GitHub refused (404: the job has not ended, or its log has expired), or did not respond.
        """
        with tempfile.TemporaryDirectory(prefix="releaser-log-") as folder:
            path = Path(folder) / "log"
            self._http.receive_file(
                f"send the log of {job.name}", f"{self._repo}/actions/jobs/{job.id}/logs", path, _READ
            )
            with path.open("rb") as log:
                log.seek(max(0, path.stat().st_size - _LAST_BYTES))
                text = log.read().decode("utf-8", "replace")
        lines = [_COLOURS.sub("", _TIME.sub("", line)).rstrip() for line in text.splitlines()]
        errors = [at for at, line in enumerate(lines) if line.startswith("##[error]")]
        upto = lines[: errors[-1] + 1] if errors else lines
        said = [line.removeprefix("##[error]") for line in upto if line and not _COMMAND.match(line)]
        return said[-number:]

    def rerun_failed(self, run: Run) -> None:
        """Run the failed jobs of an ended run again, and those that need them; the run keeps its number.

        Raises:
            ServiceError: GitHub refused (403: the run is older than 30 days, or runs), or did not respond.
        """
        path = f"{self._repo}/actions/runs/{run.id}/rerun-failed-jobs"
        doing = f"run the failed jobs of {run.url} again"
        self._http.call(doing, "POST", path, _ANYTHING, permission=_WRITE)

    def cancel(self, run: Run) -> None:
        """Ask for a run to be cancelled; it ends some time later.

        Raises:
            ServiceError: GitHub refused (409: it has ended already), or did not respond.
        """
        path = f"{self._repo}/actions/runs/{run.id}/cancel"
        self._http.call(f"cancel the run {run.url}", "POST", path, _ANYTHING, permission=_WRITE)

    def _of(self, workflow_file: str) -> str:
        return f"{self._repo}/actions/workflows/{quote(workflow_file, safe='')}"
