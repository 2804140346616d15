"""How jobs end that are cancelled, take too long, or lose the stand-in that runs them; and what their logs hide."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from harness.waiting import wait_until
from runner_hub import PERSON, Hub, conclusions, git

from releaser.rehearsal import remote
from releaser.rehearsal.actions.setting import JobFault

CANCELLED = """
on: {workflow_dispatch: }
permissions: {}
jobs:
  long:
    runs-on: ubuntu-latest
    timeout-minutes: %s
    steps:
      - {id: works, run: 'touch %s; sleep 60'}
      - run: echo never
      - {if: failure(), run: echo never}
      - {if: always(), run: 'echo cleans up after ${{ steps.works.outcome }}'}
      - {if: cancelled(), run: echo tells}
  next: {needs: long, runs-on: ubuntu-latest, steps: [{run: echo never}]}
  last: {needs: next, if: always(), runs-on: ubuntu-latest, steps: [{run: 'echo ${{ needs.next.result }} before'}]}
"""


async def test_a_cancelled_job_carries_out_the_steps_that_want_it_and_the_run_the_jobs_that_want_it(hub, tmp_path):
    begun = tmp_path / "begun"
    github = await hub(demo=CANCELLED % (60, begun))
    number = github.actions.dispatch("demo.yml", "main", {}, PERSON)
    await github.until(begun.exists)
    github.actions.cancel(number)
    run = await github.ended(number)
    assert run["conclusion"] == "cancelled"
    assert conclusions(run) == {"long": "cancelled", "next": "cancelled", "last": "success"}
    ends = [step["conclusion"] for step in run["jobs"][0]["steps"]]
    assert ends == ["success", "cancelled", "skipped", "skipped", "success", "success", "skipped"]
    log = github.log(run, "long")
    assert "cleans up after cancelled" in log
    assert "echo never" not in log
    assert "cancelled before" in github.log(run, "last")


async def test_a_job_that_takes_too_long_is_cancelled_and_its_run_is_not_called_off(hub, tmp_path):
    github = await hub(demo=CANCELLED % (0.005, tmp_path / "begun"))
    run = await github.dispatched("demo.yml")
    assert conclusions(run) == {"long": "cancelled", "next": "skipped", "last": "success"}
    log = github.log(run, "long")
    assert "The job has exceeded the maximum execution time of 0.005 minutes" in log
    assert "cleans up after cancelled" in log


GOES_ON = """
on: {workflow_dispatch: }
permissions: {}
jobs:
  work: {runs-on: ubuntu-latest, steps: [{run: 'touch %s; sleep 60'}]}
  tidy: {if: always(), runs-on: ubuntu-latest, steps: [{run: 'until test -e %s; do sleep 0.05; done'}]}
"""


async def test_a_job_that_is_always_to_run_goes_on_when_its_run_is_cancelled(hub, tmp_path):
    begun, flag = tmp_path / "begun", tmp_path / "flag"
    github = await hub(demo=GOES_ON % (begun, flag))
    number = github.actions.dispatch("demo.yml", "main", {}, PERSON)
    await github.until(begun.exists)
    await github.until(lambda: all(job["status"] == "in_progress" for job in github.run(number)["jobs"]))
    github.actions.cancel(number)
    await github.until(lambda: conclusions(github.run(number))["work"] == "cancelled")
    flag.touch()
    assert conclusions(await github.ended(number)) == {"work": "cancelled", "tidy": "success"}


async def test_a_run_that_waits_for_its_group_is_cancelled_at_once(hub, tmp_path):
    begun = tmp_path / "begun"
    text = (CANCELLED % (60, begun)).replace("jobs:", "concurrency: one\njobs:")
    github = await hub(demo=text)
    first = github.actions.dispatch("demo.yml", "main", {}, PERSON)
    await github.until(begun.exists)
    second = github.actions.dispatch("demo.yml", "main", {}, PERSON)
    await github.until(lambda: github.run(second)["status"] == "queued")
    github.actions.cancel(second)
    assert (await github.ended(second))["conclusion"] == "cancelled"
    third = github.actions.dispatch("demo.yml", "main", {}, PERSON)
    github.actions.cancel(first)
    await github.ended(first)
    await github.until(lambda: github.run(third)["status"] == "in_progress")
    github.actions.cancel(third)
    await github.ended(third)


STEPS = """
on: {workflow_dispatch: }
permissions: {}
jobs:
  only:
    runs-on: ubuntu-latest
    steps: [{run: echo one}, {run: echo two}, {if: always(), run: echo three}]
"""


@pytest.mark.parametrize(
    ("what", "when", "said", "conclusion"),
    [
        ("kill", "after", ["one", "two"], "failure"),
        ("fail", "before", ["one", "three"], "failure"),
        ("fail", "after", ["one", "two", "three"], "failure"),
        ("cancel", "before", ["one", "three"], "cancelled"),
        ("cancel", "after", ["one", "two", "three"], "cancelled"),
    ],
)
async def test_a_fault_in_a_job_strikes_once(hub, what, when, said, conclusion):
    faults = (JobFault(when, "only", 2, what, "demo.yml"), JobFault(when, "only", 2, what, "another.yml"))
    github = await hub(demo=STEPS, setting={"faults": faults})
    run = await github.dispatched("demo.yml")
    printed = [line.partition(" ")[2] for line in github.log(run, "only").splitlines()]
    assert [line for line in printed if line in ("one", "two", "three")] == said
    assert run["conclusion"] == conclusion
    github.actions.rerun_failed(run["id"])
    assert (await github.ended(run["id"]))["conclusion"] == "success"


MASKING = """
on: {workflow_dispatch: }
permissions: {}
jobs:
  only:
    runs-on: ubuntu-latest
    outputs: {open: '${{ steps.made.outputs.open }}', closed: '${{ steps.made.outputs.closed }}'}
    steps:
      - id: made
        run: |
          value=$(echo ssentaerg-fo-drow-a | rev)
          echo "::add-mask::$value"
          echo "it is $value"
          echo "open=yes" >>"$GITHUB_OUTPUT"
          echo "closed=$value" >>"$GITHUB_OUTPUT"
"""


async def test_what_a_job_masks_is_in_no_log_and_in_no_output(hub):
    github = await hub(demo=MASKING)
    run = await github.dispatched("demo.yml")
    log = github.log(run, "only")
    assert "it is [hidden]" in log
    assert "Skip output 'closed' since it may contain secret" in log
    assert run["jobs"][0]["outputs"] == {"open": "yes"}
    assert "a-word-of-greatness" not in log + json.dumps(run)


LOST = """
on: {push: {branches: [main]}}
permissions: {}
jobs:
  only:
    runs-on: ubuntu-latest
    steps: [{run: 'trap "" TERM HUP; (sleep 300)& echo $$ $! >%s.new; mv %s.new %s; sleep 300'}]
"""


def test_the_programs_of_jobs_end_with_a_stand_in_that_is_killed(tmp_path):
    pids = tmp_path / "pids"
    github = Hub(tmp_path)
    github.commit({".github/workflows/lost.yml": LOST % (pids, pids, pids)})
    remote.create(github.origin, github.tree, "main")
    remote.guard(github.origin, {})
    services, said = tmp_path / "services.json", tmp_path / "said"
    words = ["--world", github.world, "--repository", "octo-org/demo", "--git-dir", github.origin]
    command = [sys.executable, "-m", "releaser.rehearsal.forge", *words, "--services", services]
    with said.open("wb") as out:
        forge = subprocess.Popen(command, stdout=out)
    try:
        wait_until(lambda: said.read_text().endswith("\n"), "the forge")
        services.write_text(json.dumps({"forge": {"api_url": json.loads(said.read_text())["url"]}}))
        github.commit({"README.md": "Pushed\n"})
        git(github.tree, "push", "--quiet", str(github.origin), "main")
        wait_until(pids.exists, "the job")
    finally:
        os.kill(forge.pid, signal.SIGKILL)
        forge.wait()
    wait_until(lambda: not any(lives(int(pid)) for pid in pids.read_text().split()), "the end of the job's programs")


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
