"""What a rehearsal reports of its workflows: each job, what its token may do and did, and what was not shown."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

from releaser.rehearsal.actions.setting import Record

_LOOK_S = 0.2
_MARKS = {"success": "passed", "failure": "FAILED", None: "unfinished"}
_UNPROVEN = (
    "GitHub's own settings: environments, branch and tag rules, publishers at the indexes",
    "GitHub's and sigstore's signatures: identities and attestations are signed by the rehearsal's own authority",
)
_LAST_LINES = 15


def ended(forge: Path, within: float) -> list[Record]:
    """Return the runs of a stand-in, once none of them goes on.

    Args:
        forge: The stand-in's directory.
        within: The seconds to wait; runs may still go on afterwards.
    """
    until = time.monotonic() + within
    while True:
        state = json.loads((forge / "forge.json").read_bytes())
        runs: list[Record] = [run for run in state["workflow_runs"] if "jobs" in run]
        if all(run["status"] == "completed" for run in runs) or time.monotonic() > until:
            return runs
        time.sleep(_LOOK_S)


def compose(runs: Iterable[Record], forge: Path) -> str:
    """Return the section about workflows, as Markdown.

    Args:
        runs: The records of runs.
        forge: The stand-in's directory, for the logs of jobs that failed.
    """
    lines = ["## Workflows", ""]
    unproven: list[str] = []
    for run in runs:
        attempt = f", attempt {run['run_attempt']}" if run["run_attempt"] > 1 else ""
        how = f"{run['event']} of {run['head_branch']} at {run['head_sha'][:12]} by {run['actor']}{attempt}"
        lines.append(f"- {run['workflow']}: {_state(run)}; {how}")
        if problem := run.get("problem"):
            lines.append(f"  - {problem}")
            unproven += [f"{run['workflow']}: it was not carried out"] if run["conclusion"] == "skipped" else []
        for job in run["jobs"]:
            lines.append(f"  - {job['name']}: {_state(job)}{_seconds(job)}{_where(job)}; {_permissions(job)}")
            unproven += job["unproven"]
            if job["conclusion"] == "failure":
                lines += [f"    {line}" for line in _last_lines(forge, job)]
    lines += ["", "Unproven:", *(f"- {one}" for one in dict.fromkeys((*unproven, *_UNPROVEN)))]
    return "\n".join(lines) + "\n"


def _state(record: Record) -> str:
    found = record["conclusion"]
    if found is None and record["status"] == "waiting":
        return "waits for a reviewer"
    return str(_MARKS.get(found, found))


def _seconds(job: Record) -> str:
    if not job["started_at"] or not job["completed_at"]:
        return ""
    begun, done = (time.mktime(time.strptime(job[key], "%Y-%m-%dT%H:%M:%SZ")) for key in ("started_at", "completed_at"))
    return f" in {done - begun:.0f} s"


def _where(job: Record) -> str:
    if "environment" not in job:
        return ""
    approved = f", approved by {job['approved_by']}" if "approved_by" in job else ""
    return f", environment {job['environment']}{approved}"


def _permissions(job: Record) -> str:
    """Return what a job's token may do, apart what it was used for."""
    used = {one.partition(":")[0]: one for one in job["used"] if one.partition(":")[0] in job["permissions"]}
    unused = [f"{scope}: {access}" for scope, access in job["permissions"].items() if scope not in used]
    if not job["permissions"]:
        return "no permissions"
    parts = [f"used {', '.join(used.values())}"] if used else []
    return "; ".join([*parts, *([f"unused {', '.join(unused)}"] if unused else [])])


def _last_lines(forge: Path, job: Record) -> list[str]:
    path = forge / "logs" / f"{job['id']}.txt"
    lines = path.read_text("utf-8", "replace").splitlines() if path.exists() else []
    return [line.partition(" ")[2] for line in lines[-_LAST_LINES:]]
