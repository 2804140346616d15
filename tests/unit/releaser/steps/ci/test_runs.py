from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from releaser.adapters.forge.records import Approval, Job, JobStep, Run
from releaser.adapters.git import Git
from releaser.config.load import parse_config
from releaser.release import Release
from releaser.secret import Credentials
from releaser.steps.ci.runs import Seen, facts, jobs_in_words, names_version
from releaser.store import ReleaseStore
from releaser.versions.version import Version

URL = "https://forge.example/runs/5"
EARLIER = "https://forge.example/runs/4"
PIN = "a" * 40


def release(version: str) -> Release:
    table = {"version-files": [{"path": "pyproject.toml", "key": "project.version"}]}
    store = ReleaseStore(Path("nowhere"))
    config = parse_config(table, {"name": "demo"})
    return Release(config, Version.parse(version), Git(Path("nowhere")), store, Credentials({}))


def seen(
    status: str,
    *jobs: Job,
    conclusion: str | None = None,
    attempt: int = 1,
    waits: bool = False,
    since: datetime | None = None,
) -> Seen:
    approvals = [Approval("testpypi", ("alice", "bob"), False, since)] if waits else []
    return Seen("release.yml", Run(5, status, conclusion, URL, attempt=attempt), jobs, approvals)


def turn(ahead: str) -> Seen:
    return replace(seen("pending"), ahead=Run(4, ahead, None, EARLIER))


def job(status: str, *steps: tuple[str, str], conclusion: str | None = None) -> Job:
    numbered = enumerate(steps, start=1)
    return Job(
        7, "build", status, conclusion, f"{URL}/7", tuple(JobStep(n, name, how, None) for n, (name, how) in numbered)
    )


@pytest.mark.parametrize("title", ["Release 0.2.0", "v0.2.0", "Publish v0.2.0.", "Images (0.2.0)", "0.2.0 by hand"])
def test_a_run_is_known_by_the_version_in_its_title(title: str) -> None:
    assert names_version(Run(5, "queued", None, URL, title=title), release("0.2.0"))


@pytest.mark.parametrize(
    "title",
    ["Release 0.2.0-rc.1", "Release 10.2.0", "Release 0.2.01", "1.0.2.0", "0.2.0.1", "0.2.0+local", "release", ""],
)
def test_another_version_of_which_this_is_a_part_is_not_taken_for_it(title: str) -> None:
    assert not names_version(Run(5, "queued", None, URL, title=title), release("0.2.0"))


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (seen("queued"), f"release.yml is queued, no job runs yet: {URL}"),
        (seen("waiting"), f"release.yml waits for a rule of an environment: {URL}"),
        (
            seen("waiting", waits=True),
            f"release.yml waits for a reviewer of the environment testpypi (alice, bob): approve at {URL}",
        ),
        (turn("waiting"), f"release.yml waits for its turn, {EARLIER} waits for a reviewer: {URL}"),
        (turn("in_progress"), f"release.yml waits for its turn, {EARLIER} has not ended: {URL}"),
        (seen("in_progress"), f"release.yml runs: {URL}"),
        (seen("in_progress", attempt=2), f"release.yml runs (attempt 2): {URL}"),
        (seen("completed", conclusion="success"), f"release.yml succeeded: {URL}"),
        (seen("completed", conclusion="failure"), f"release.yml failed: {URL}"),
        (seen("completed", conclusion="cancelled"), f"release.yml was cancelled: {URL}"),
        (seen("completed", conclusion="startup_failure"), f"release.yml ended with startup_failure: {URL}"),
    ],
)
def test_each_state_reads_differently(found: Seen, says: str) -> None:
    assert found.state == says


@pytest.mark.parametrize(
    ("waited", "says"),
    [
        ({"minutes": 4, "seconds": 50}, "4 min"),
        ({"hours": 3, "minutes": 12}, "3 h 12 min"),
        ({"days": 2, "hours": 5, "minutes": 59}, "2 d 5 h"),
        ({"minutes": -3}, "0 min"),
    ],
)
def test_whom_it_waits_for_is_told_with_since_when_and_for_how_long(waited: dict[str, int], says: str) -> None:
    since = datetime.now(timezone.utc) - timedelta(**waited)
    found = seen("waiting", waits=True, since=since)
    whom = "a reviewer of the environment testpypi (alice, bob)"
    assert found.state == f"release.yml waits for {whom} since {since:%Y-%m-%d %H:%M} UTC: approve at {URL}"
    assert found.details == f"{whom} awaited for {says}"


def test_a_run_in_words_and_as_data_has_its_page_its_jobs_and_whom_it_waits_for() -> None:
    since = datetime(2026, 11, 27, 14, 2, tzinfo=timezone.utc)
    built = replace(job("completed", conclusion="success"), name="Build")
    found = seen("waiting", built, job("waiting"), waits=True, since=since)
    assert jobs_in_words(found) == "; jobs: Build succeeded, build waits"
    told = facts(found)
    assert (told["url"], told["state"], told["status"]) == (URL, found.state, "waiting")
    assert told["jobs"] == [
        {"name": "Build", "status": "completed", "conclusion": "success", "seconds": None, "url": f"{URL}/7"},
        {"name": "build", "status": "waiting", "conclusion": None, "seconds": None, "url": f"{URL}/7"},
    ]
    assert told["waits_for"] == [
        {"environment": "testpypi", "reviewers": ["alice", "bob"], "since": "2026-11-27T14:02:00+00:00"}
    ]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (job("queued"), "build is queued"),
        (job("waiting"), "build waits"),
        (job("in_progress"), "build begins"),
        (job("in_progress", ("Set up job", "completed"), ("Run invoke", "queued")), "build: 1 of 2 steps done"),
        (
            job("in_progress", (f"Run actions/checkout@{PIN}", "in_progress")),
            "build: step 1 of 1, Run actions/checkout",
        ),
        (job("completed", conclusion="success"), "no job runs"),
    ],
)
def test_what_a_job_does_is_told_step_by_step(found: Job, says: str) -> None:
    assert seen("in_progress", found).details == says
