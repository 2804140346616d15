"""The routes of workflow runs: lists, jobs, logs, approvals; starting, repeating and cancelling runs.

Runs are records of the store; who carries them out is `Machinery`. Without one, a dispatch leaves a queued run, as on a
GitHub whose runners are all busy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Protocol

import yaml
from aiohttp import web

from releaser.rehearsal.forge.answers import Handlers, caller_of, page_of, problem
from releaser.rehearsal.forge.run_shapes import RunShapes
from releaser.rehearsal.forge.shapes import Record, number_of
from releaser.rehearsal.forge.store import ForgeStore, RefusedError
from releaser.rehearsal.forge.tokens import Caller

ANY = "*"
_INPUT = re.compile(r"\$\{\{\s*(?:github\.event\.)?inputs\.([\w-]+)\s*\}\}")


class Machinery(Protocol):
    """Carries workflows out. Each method returns once the records say so, not once it is done."""

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str], caller: Caller) -> int:
        """Start a workflow; return the run's number.

        Raises:
            DispatchError: The workflow cannot be started so.
        """

    def rerun_failed(self, run_id: int) -> None:
        """Begin the run's next attempt with its failed jobs."""

    def review(self, run_id: int, environment: str, caller: Caller, *, approved: bool) -> None:
        """Let the jobs begin that wait for a reviewer of an environment, or have them fail.

        Raises:
            DispatchError: The caller may not review it.
        """

    def cancel(self, run_id: int) -> None:
        """End a run."""


class Runs(Handlers):
    """Handlers around a store.

    Args:
        repository: ``OWNER/NAME``.
        store: What there is.
        machinery: Carries workflows out; None to change nothing but the records.
    """

    def __init__(self, repository: str, store: ForgeStore, machinery: Machinery | None = None) -> None:
        super().__init__(repository, store)
        self._machinery = machinery

    def routes(self) -> list[web.RouteDef]:
        """Everything of the API about workflow runs, and where logs are fetched from."""
        api = f"/repos/{self._repository}/actions"
        return [
            web.get(f"{api}/workflows/{{workflow}}/runs", self.runs),
            web.post(f"{api}/workflows/{{workflow}}/dispatches", self.dispatch),
            web.get(f"{api}/runs/{{id:\\d+}}", self.show),
            web.get(f"{api}/runs/{{id:\\d+}}/jobs", self.jobs),
            web.get(f"{api}/runs/{{id:\\d+}}/artifacts", self.artifacts),
            web.get(f"{api}/jobs/{{id:\\d+}}/logs", self.log),
            web.get(f"{api}/runs/{{id:\\d+}}/pending_deployments", self.pending),
            web.post(f"{api}/runs/{{id:\\d+}}/pending_deployments", self.review),
            web.post(f"{api}/runs/{{id:\\d+}}/rerun-failed-jobs", self.rerun),
            web.post(f"{api}/runs/{{id:\\d+}}/cancel", self.cancel),
            web.get("/signed/logs/{id:\\d+}", self.signed_log),
        ]

    async def runs(self, request: web.Request) -> web.Response:
        """GET: the runs of a workflow, newest first, by commit and by branch or tag."""
        workflow = request.match_info["workflow"]
        of_workflow = [run for run in self._store.state["workflow_runs"] if run["workflow"] == workflow]
        if not of_workflow and self._file(workflow, "HEAD") is None:
            return problem(404, "Not Found")
        asked = {"head_sha": request.query.get("head_sha", ANY), "head_branch": request.query.get("branch", ANY)}
        newest_first = sorted(of_workflow, key=lambda run: run["id"], reverse=True)
        found = [self._filled(run, asked) for run in newest_first if self._fits(run, asked)]
        part, headers = page_of(request, found)
        runs = [self._shapes(request).run(run) for run in part]
        return web.json_response({"total_count": len(found), "workflow_runs": runs}, headers=headers)

    async def dispatch(self, request: web.Request) -> web.Response:
        """POST: start a workflow at a branch or a tag."""
        workflow, wanted = request.match_info["workflow"], await request.json()
        ref, inputs = str(wanted["ref"]), {name: str(value) for name, value in wanted.get("inputs", {}).items()}
        if self._store.git is None or self._file(workflow, "HEAD") is None:
            return problem(404, "Not Found")
        if self._store.git.commit(ref) is None:
            raise RefusedError(f"No ref found for: {ref}")
        if self._machinery:
            number = self._machinery.dispatch(workflow, ref, inputs, caller_of(request))
        else:
            number = self._queue(workflow, ref, inputs, caller_of(request))
        if not wanted.get("return_run_details"):
            return web.Response(status=204)
        return web.json_response(self._shapes(request).dispatched(number))

    async def show(self, request: web.Request) -> web.Response:
        """GET: a run."""
        return web.json_response(self._shapes(request).run(self._filled(self._run(request), {})))

    async def jobs(self, request: web.Request) -> web.Response:
        """GET: the jobs of a run's newest attempt."""
        run = self._filled(self._run(request), {})
        part, headers = page_of(request, run.get("jobs", []))
        jobs = [self._shapes(request).job(run, job) for job in part]
        return web.json_response({"total_count": len(run.get("jobs", [])), "jobs": jobs}, headers=headers)

    async def artifacts(self, request: web.Request) -> web.Response:
        """GET: what the jobs of a run left for each other; a record's `expired` names what is there no more."""
        run = self._run(request)
        kept = self._store.world / "artifacts" / str(run["id"])
        held = dict.fromkeys((one.name for one in sorted(kept.glob("[!.]*"))), False)
        found = {**held, **dict.fromkeys(run.get("expired", ()), True)}
        listed = [self._shapes(request).artifact(run, name, expired) for name, expired in found.items()]
        part, headers = page_of(request, listed)
        return web.json_response({"total_count": len(listed), "artifacts": list(part)}, headers=headers)

    async def log(self, request: web.Request) -> web.Response:
        """GET: where the log of an ended job is."""
        if caller_of(request).login is None:
            return problem(403, "Must have admin rights to Repository.")
        number = int(request.match_info["id"])
        every = (job for run in self._store.state["workflow_runs"] for job in run.get("jobs", ()))
        job = next((job for job in every if job["id"] == number), None)
        if job is None or job["status"] != "completed":
            return problem(404, "Not Found")
        return web.Response(status=302, headers={"Location": str(request.url.origin() / f"signed/logs/{number}")})

    async def signed_log(self, request: web.Request) -> web.Response:
        """GET: the log of a job, without a token, as the host does that GitHub leads to."""
        if "Authorization" in request.headers:
            raise web.HTTPBadRequest(reason="A signed address takes no token.")
        path = self._store.world / "logs" / f"{request.match_info['id']}.txt"
        if not path.is_file():
            raise web.HTTPNotFound
        return web.Response(body=path.read_bytes(), content_type="text/plain")

    async def pending(self, request: web.Request) -> web.Response:
        """GET: the environments that a run waits for."""
        run, caller, shapes = self._run(request), caller_of(request), self._shapes(request)
        pending = run.get("pending", [])
        return web.json_response([shapes.pending(run, one, _may_approve(caller, one)) for one in pending])

    async def review(self, request: web.Request) -> web.Response:
        """POST: approve or reject what a run waits for."""
        run, caller, shapes = self._run(request), caller_of(request), self._shapes(request)
        wanted = await request.json()
        asked = [one for one in run.get("pending", []) if _environment_id(one) in wanted["environment_ids"]]
        if not asked:
            raise RefusedError("No pending deployment requests to approve or reject")
        if not all(_may_approve(caller, one) for one in asked):
            return problem(403, "You are not a required reviewer of this environment.")
        for one in asked:
            approved = wanted["state"] != "rejected"
            if self._machinery:
                self._machinery.review(run["id"], one["environment"], caller, approved=approved)
            elif not approved:
                self._end(run, "failure")
            else:
                run["pending"].remove(one)
                run["status"] = "in_progress"
        self._store.commit()
        login = caller.login or ""
        return web.json_response([shapes.deployment(self._filled(run, {}), one["environment"], login) for one in asked])

    async def rerun(self, request: web.Request) -> web.Response:
        """POST: run the failed jobs of an ended run again."""
        run = self._run(request)
        if run["status"] != "completed" or run["conclusion"] == "success":
            return problem(403, "This workflow run cannot be retried")
        if self._machinery:
            self._machinery.rerun_failed(run["id"])
        else:
            run.update(status="queued", conclusion=None, run_attempt=run.get("run_attempt", 1) + 1)
            for job in run.get("jobs", ()):
                if job["conclusion"] != "success":
                    job.update(status="queued", conclusion=None, steps=[])
            self._store.commit()
        return web.json_response({}, status=201)

    async def cancel(self, request: web.Request) -> web.Response:
        """POST: cancel a run that has not ended; without machinery it ends at once."""
        run = self._run(request)
        if run["status"] == "completed":
            return problem(409, "Cannot cancel a workflow run that is completed.")
        if self._machinery:
            self._machinery.cancel(run["id"])
        else:
            self._end(run, "cancelled")
        return web.json_response({}, status=202)

    # --- records ------------------------------------------------------------------------------------------------------

    def _run(self, request: web.Request) -> Record:
        number = int(request.match_info["id"])
        run = next((run for run in self._store.state["workflow_runs"] if run["id"] == number), None)
        if run is None:
            raise web.HTTPNotFound(reason="Not Found")
        found: Record = run
        return found

    def _queue(self, workflow: str, ref: str, inputs: Mapping[str, str], caller: Caller) -> int:
        """Add a queued run of a workflow file, if that can be dispatched so."""
        whole = yaml.safe_load(self._file(workflow, ref) or "") or {}
        on = whole.get("on", whole.get(True, {}))  # YAML 1.1 takes `on` for a truth value
        if "workflow_dispatch" not in on:
            raise RefusedError("Workflow does not have 'workflow_dispatch' trigger")
        known = ((on["workflow_dispatch"] or {}) if isinstance(on, dict) else {}).get("inputs") or {}
        if unknown := sorted(inputs.keys() - known.keys()):
            raise RefusedError(f"Unexpected inputs provided: {unknown}")
        for name, facts in known.items():
            if (facts or {}).get("required") and not inputs.get(name):
                raise RefusedError(f"Required input '{name}' not provided")
        runs, name = self._store.state["workflow_runs"], whole.get("name", workflow)
        number: int = max([self._store.new_id(), *(run["id"] + 1 for run in runs)])
        run: dict[str, Any] = {
            "id": number,
            "workflow": workflow,
            "name": name,
            "display_title": _INPUT.sub(lambda found: inputs.get(found[1], ""), whole.get("run-name", name)),
            "event": "workflow_dispatch",
            "head_sha": self._store.git.commit(ref) if self._store.git else None,
            "head_branch": ref,
            "status": "queued",
            "conclusion": None,
            "run_attempt": 1,
            "created_at": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "actor": caller.login,
            "inputs": dict(inputs),
            "jobs": [],
            "pending": [],
        }
        runs.append(run)
        self._store.commit()
        return number

    def _end(self, run: Record, conclusion: str) -> None:
        run.update(status="completed", conclusion=conclusion, pending=[])
        self._store.commit()

    def _file(self, workflow: str, revision: str) -> str | None:
        return self._store.git.text(revision, f".github/workflows/{workflow}") if self._store.git else None

    def _fits(self, run: Record, asked: Mapping[str, str]) -> bool:
        if any(ANY not in (wanted, run[key]) and wanted != run[key] for key, wanted in asked.items()):
            return False
        # A run for "whatever is asked for" begins when that was pushed.
        names = [name for name in asked.values() if name != ANY]
        is_stand_in = ANY in (run["head_sha"], run["head_branch"])
        return not is_stand_in or self._store.git is None or all(map(self._store.git.commit, names))

    def _filled(self, run: Record, asked: Mapping[str, str]) -> Record:
        """Return a run with a commit and a branch, where it is a stand-in for whichever is asked for."""
        wanted = asked.get("head_branch", ANY)
        branch = run["head_branch"] if run["head_branch"] != ANY else wanted.replace(ANY, "main")
        sha = run["head_sha"] if run["head_sha"] != ANY else asked.get("head_sha", ANY)
        if sha == ANY:
            sha = (self._store.git.commit(branch) if self._store.git else None) or "0" * 40
        return {**run, "head_branch": branch, "head_sha": sha}

    def _shapes(self, request: web.Request) -> RunShapes:
        return RunShapes(str(request.url.origin()), self._repository)


def _environment_id(pending: Record) -> int:
    return number_of(f"environment {pending['environment']}")


def _may_approve(caller: Caller, pending: Record) -> bool:
    return caller.is_person and caller.login in pending.get("reviewers", ())
