"""The runs of a workflow, and cancelling one."""

from __future__ import annotations

from urllib.parse import quote

from pydantic import TypeAdapter

from releaser.adapters.forge import responses
from releaser.adapters.forge.http import Subject
from releaser.adapters.forge.records import Run

_AT_ONCE = 100
_ANYTHING: TypeAdapter[object] = TypeAdapter(object)


class Workflows(Subject):
    """What GitHub Actions runs in one repository."""

    def runs(self, workflow_file: str) -> list[Run]:
        """Return the newest hundred runs of a workflow, the newest first; none if there is no such workflow.

        Raises:
            ServiceError: GitHub refused, or did not respond.
        """
        found = self._http.find(
            f"list the runs of {workflow_file}",
            f"{self._repo}/actions/workflows/{quote(workflow_file, safe='')}/runs",
            responses.RUNS,
            query={"per_page": _AT_ONCE},
            permission="actions: read",
        )
        return [run.record() for run in found.workflow_runs] if found else []

    def cancel(self, run: Run) -> None:
        """Ask for a run to be cancelled; it ends some time later.

        Raises:
            ServiceError: GitHub refused (409: it has ended already), or did not respond.
        """
        path = f"{self._repo}/actions/runs/{run.id}/cancel"
        self._http.call(f"cancel the run {run.url}", "POST", path, _ANYTHING, permission="actions: write")
