"""What GitHub's REST API says about workflow runs, in the shapes of its OpenAPI description."""

from __future__ import annotations

from collections.abc import Mapping

from releaser.rehearsal.forge.shapes import EPOCH, Record, Shapes, node_of, number_of


class RunShapes(Shapes):
    """GitHub's JSON for the runs of one repository."""

    def run_page(self, run: Record) -> str:
        """Return the page of a run."""
        return f"{self.web}/actions/runs/{run['id']}"

    def run(self, run: Record) -> Record:
        """Return a workflow run."""
        address, created = f"{self.api}/actions/runs/{run['id']}", run.get("created_at", EPOCH)
        endings = ("jobs", "logs", "check_suite", "artifacts", "cancel", "rerun")
        return {
            "id": run["id"],
            "node_id": node_of("WorkflowRun", run["id"]),
            "name": run.get("name", run["workflow"]),
            "display_title": run.get("display_title") or run.get("name", run["workflow"]),
            "path": f".github/workflows/{run['workflow']}",
            "run_number": 1,
            "run_attempt": run.get("run_attempt", 1),
            "workflow_id": number_of(run["workflow"]),
            "workflow_url": f"{self.api}/actions/workflows/{number_of(run['workflow'])}",
            "url": address,
            "html_url": self.run_page(run),
            **{f"{ending}_url": f"{address}/{ending}" for ending in endings},
            "event": run.get("event", "push"),
            **({"actor": self.user(run["actor"])} if run.get("actor") else {}),
            "pull_requests": [],
            "created_at": created,
            "updated_at": run.get("updated_at", created),
            "head_commit": None,
            "repository": self.repository_summary(),
            "head_repository": self.repository_summary(),
            **{key: run[key] for key in ("head_branch", "head_sha", "status", "conclusion")},
        }

    def job(self, run: Record, job: Record) -> Record:
        """Return a job of a run, with its steps."""
        address, created = f"{self.api}/actions/jobs/{job['id']}", run.get("created_at", EPOCH)
        return {
            "id": job["id"],
            "node_id": node_of("CheckRun", job["id"]),
            "name": job["name"],
            "run_id": run["id"],
            "run_url": f"{self.api}/actions/runs/{run['id']}",
            "run_attempt": run.get("run_attempt", 1),
            "head_sha": run["head_sha"],
            "head_branch": run["head_branch"],
            "workflow_name": run.get("name", run["workflow"]),
            "url": address,
            "html_url": f"{self.run_page(run)}/job/{job['id']}",
            "check_run_url": f"{self.api}/check-runs/{job['id']}",
            "status": job["status"],
            "conclusion": job["conclusion"],
            "created_at": created,
            "started_at": job.get("started_at") or created,  # of a job that waits GitHub tells when it was made
            "completed_at": job.get("completed_at"),
            "labels": ["ubuntu-latest"],
            **dict.fromkeys(("runner_id", "runner_name", "runner_group_id", "runner_group_name")),
            "steps": [self._step(step) for step in job.get("steps", ())],
        }

    def artifact(self, run: Record, name: str, expired: bool) -> Record:
        """Return an artifact of a run."""
        number = number_of(f"artifact {run['id']} {name}")
        address = f"{self.api}/actions/artifacts/{number}"
        created = run.get("created_at", EPOCH)
        return {
            "id": number,
            "node_id": node_of("Artifact", number),
            "name": name,
            "size_in_bytes": 0,
            "url": address,
            "archive_download_url": f"{address}/zip",
            "expired": expired,
            **dict.fromkeys(("created_at", "updated_at", "expires_at"), created),
        }

    def pending(self, run: Record, pending: Record, may_approve: bool) -> Record:
        """Return an environment that a run waits for."""
        reviewers = [{"type": "User", "reviewer": self.user(login)} for login in pending.get("reviewers", ())]
        return {
            "environment": self._environment(pending["environment"]),
            "wait_timer": 0,
            "wait_timer_started_at": pending.get("since", run.get("created_at", EPOCH)),
            "current_user_can_approve": may_approve,
            "reviewers": reviewers,
        }

    def deployment(self, run: Record, environment: str, login: str) -> Record:
        """Return the deployment that an approval lets begin."""
        number = number_of(f"deployment {run['id']} {environment}")
        address = f"{self.api}/deployments/{number}"
        return {
            "url": address,
            "id": number,
            "node_id": node_of("Deployment", number),
            "sha": run["head_sha"],
            "ref": run["head_branch"],
            "task": "deploy",
            "payload": {},
            "environment": environment,
            "description": "",
            "creator": self.user(login),
            "created_at": EPOCH,
            "updated_at": EPOCH,
            "statuses_url": f"{address}/statuses",
            "repository_url": self.api,
        }

    def dispatched(self, run_id: int) -> Record:
        """Return what a dispatch is answered with."""
        return {
            "workflow_run_id": run_id,
            "run_url": f"{self.api}/actions/runs/{run_id}",
            "html_url": f"{self.web}/actions/runs/{run_id}",
        }

    def _environment(self, name: str) -> Record:
        return {
            "id": number_of(f"environment {name}"),
            "node_id": node_of("Environment", name),
            "name": name,
            "url": f"{self.api}/environments/{name}",
            "html_url": f"{self.web}/deployments/activity_log?environments_filter={name}",
        }

    def _step(self, step: Mapping[str, object]) -> Record:
        moments = {key: step.get(key) for key in ("started_at", "completed_at")}
        return {**{key: step[key] for key in ("number", "name", "status", "conclusion")}, **moments}
