"""Runs of tiny workflows: what starts them, what passes between jobs, and what is kept of one that is run again."""

from __future__ import annotations

import json

import jwt
import psutil
import pytest
from runner_hub import KEY, PERSON, REPOSITORY, conclusions, git

from releaser.adapters.forge.attestations import ATTESTATIONS
from releaser.adapters.publishers import Publisher
from releaser.rehearsal.actions.reading.triggers import DispatchError
from releaser.rehearsal.actions.setting import JobFault
from releaser.rehearsal.forge.tokens import LOGIN, Caller
from releaser.rehearsal.index.publishers import InvalidPublisherError, find
from releaser.rehearsal.index.publishers import Publisher as Registered

CHECKOUT = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd"
UPLOAD = "actions/upload-artifact@330a01c490aca151604b8cf639adc76d48f6c5d4"
DOWNLOAD = "actions/download-artifact@634f93cb2916e3fdff6788551b99b062d0335ce0"
HEAD = """
name: demo
run-name: Demo ${{ inputs.version }}
on:
  workflow_dispatch:
    inputs:
      version: {required: true, type: string}
permissions: {}
env: {VERSION: "${{ inputs.version }}"}
jobs:
"""
PASSING = (
    HEAD
    + f"""
  build:
    name: Build
    runs-on: ubuntu-latest
    outputs: {{made: "${{{{ steps.make.outputs.made }}}}"}}
    steps:
      - uses: {CHECKOUT}
        with: {{persist-credentials: false}}
      - id: make
        run: |
          mkdir out
          echo "$VERSION by $GITHUB_ACTOR" >out/built.txt
          echo "made=$(cat README.md) $VERSION" >>"$GITHUB_OUTPUT"
      - uses: {UPLOAD}
        with: {{name: out, path: out/}}
  use:
    name: Use
    needs: build
    runs-on: ubuntu-latest
    steps:
      - uses: {DOWNLOAD}
        with: {{name: out, path: got}}
      - run: test "$(cat got/built.txt)" = "1.0 by ada" && test "$MADE" = "Demo 1.0" && test ! -e README.md
        env: {{MADE: "${{{{ needs.build.outputs.made }}}}"}}
  never:
    needs: [build, use]
    if: needs.build.outputs.made == 'something else'
    runs-on: ubuntu-latest
    steps: [{{run: exit 1}}]
"""
)


async def test_outputs_and_files_pass_from_job_to_job(hub):
    github = await hub(demo=PASSING)
    run = await github.dispatched("demo.yml", version="1.0")
    assert conclusions(run) == {"Build": "success", "Use": "success", "never": "skipped"}, github.log(run, "Build")
    assert (run["conclusion"], run["display_title"], run["head_branch"]) == ("success", "Demo 1.0", "main")
    assert not list((github.world / "jobs").iterdir())


async def test_a_job_of_a_quick_rehearsal_leaves_the_tests_unproven_for_good(hub, tmp_path):
    services = tmp_path / "services.json"
    services.write_text(json.dumps({"quick": True}))
    github = await hub(
        demo=HEAD + "  only:\n    runs-on: ubuntu-latest\n    steps: [{run: ls}]\n", setting={"services": services}
    )
    run = await github.dispatched("demo.yml", version="1.0")
    assert [job["unproven"] for job in run["jobs"]] == [["the sessions of tests: --quick left them out"]]


@pytest.mark.parametrize(
    ("inputs", "ref", "said"),
    [
        ({}, "main", "Required input 'version' not provided"),
        ({"version": "1", "more": "2"}, "main", 'Unexpected inputs provided: ["more"]'),
        ({"version": "1"}, "nowhere", "No ref found for: nowhere"),
    ],
)
async def test_a_dispatch_that_the_workflow_does_not_declare_is_refused(hub, inputs, ref, said):
    github = await hub(demo=PASSING)
    with pytest.raises(DispatchError, match=said.replace("[", r"\[")):
        github.actions.dispatch("demo.yml", ref, inputs, PERSON)
    assert github.runs() == []


PUSHED = """
on:
  push: {tags: ["v*"], branches: [main]}
  release: {types: [published]}
permissions: {}
jobs:
  only:
    runs-on: ubuntu-latest
    steps: [{run: 'echo "$GITHUB_EVENT_NAME $GITHUB_REF $GITHUB_SHA"'}]
"""


async def test_pushes_and_releases_of_people_start_workflows(hub):
    github = await hub(pushed=PUSHED)
    sha = github.commit({"more": ""})
    git(github.tree, "tag", "--annotate", "--message", "One", "v1.0")
    git(github.tree, "push", "--quiet", "--atomic", "origin", "main", "v1.0")
    await github.until(lambda: len(github.runs()) == 2)
    release = {"tag_name": "v1.0", "name": "One", "draft": False}
    status, _ = await github.ask("POST", "/repos/octo-org/demo/releases", "ghp_ada", release)
    assert status == 201
    runs = [await github.ended(run["id"]) for run in github.runs()]
    assert sorted((run["event"], run["ref"], run["head_sha"]) for run in runs) == [
        ("push", "refs/heads/main", sha),
        ("push", "refs/tags/v1.0", sha),
        ("release", "refs/tags/v1.0", sha),
    ]
    assert f"release refs/tags/v1.0 {sha}" in github.log(runs[-1], "only")


OTHERS = """
on: {workflow_dispatch: }
permissions: {}
jobs:
  only:
    runs-on: ubuntu-latest
    permissions: {contents: write, actions: write}
    steps:
      - uses: CHECKOUT
        with: {persist-credentials: false}
      - env: {TOKEN: "${{ github.token }}"}
        run: |
          git config user.name Bot; git config user.email bot@localhost
          git commit --quiet --allow-empty --message Bumped
          export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader"
          export GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $(printf 'x-access-token:@' | sed "s/@/$TOKEN/" | base64 -w0)"
          git push --quiet origin HEAD:refs/heads/main HEAD:refs/tags/v2.0
          api() { curl --fail --silent --show-error -H "Authorization: Bearer $TOKEN" "$GITHUB_API_URL$@"; }
          api /repos/$GITHUB_REPOSITORY/releases -d '{"tag_name": "v2.0"}' >/dev/null
          api /repos/$GITHUB_REPOSITORY/actions/workflows/told.yml/dispatches -d '{"ref": "v2.0"}'
          echo "token $TOKEN"
""".replace("CHECKOUT", CHECKOUT)
TOLD = PUSHED.replace("\non:", "\non:\n  workflow_dispatch:")


async def test_what_a_workflows_own_token_does_starts_nothing_but_dispatches(hub):
    github = await hub(others=OTHERS, told=TOLD)
    run = await github.dispatched("others.yml")
    log = github.log(run, "only")
    assert run["conclusion"] == "success", log
    assert git(github.origin, "log", "-1", "--format=%s", "v2.0") == "Bumped"
    await github.until(lambda: github.store.state["pushes_seen"] == 2)
    assert [(one["event"], one["ref"]) for one in github.runs("told.yml")] == [("workflow_dispatch", "refs/tags/v2.0")]
    assert run["jobs"][0]["used"] == ["actions: write", "contents: read", "contents: write"]
    assert "ghs_" not in log
    assert "token [hidden]" in log


async def test_a_release_published_by_a_workflows_token_starts_nothing(hub):
    github = await hub(pushed=PUSHED)
    github.actions.published({"tag_name": "v1.0"}, Caller("github-actions[bot]", is_person=False))
    assert github.runs() == []


LESS = """
on: {workflow_dispatch: }
permissions: {}
jobs:
  only:
    runs-on: ubuntu-latest
    permissions: %s
    steps:
      - env: {TOKEN: "${{ github.token }}"}
        run: |
          repo="$GITHUB_API_URL/repos/$GITHUB_REPOSITORY" login="Authorization: Bearer $TOKEN"
          ask() { curl --silent --output /dev/null --write-out '%%{http_code} ' -H "$login" "$repo$@"; }
          ask /releases; ask /releases -d '{"tag_name": "v1.0"}'
          ask /actions/workflows/less.yml/dispatches -d '{"ref": "main"}'
          ask /milestones/1 -X PATCH -d '{}'
          login="AUTHORIZATION: basic $(printf 'x-access-token:%%s' "$TOKEN" | base64 -w0)"
          git -c http.extraheader="$login" clone --quiet "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" . && echo cloned
          git -c http.extraheader="$login" push --quiet origin HEAD:refs/heads/other && echo pushed || echo denied
          echo "$TOKEN" | rev
"""


@pytest.mark.parametrize(
    ("permissions", "said"),
    [
        ("{}", ["200 403 403 403", "cloned", "denied"]),
        ("{contents: read}", ["200 403 403 403", "cloned", "denied"]),
        ("{contents: write}", ["200 201 403 403", "cloned", "pushed"]),
        ("{issues: write}", ["200 403 403 404", "cloned", "denied"]),
    ],
)
async def test_a_token_may_do_what_the_jobs_permissions_say_and_ends_with_it(hub, permissions, said):
    github = await hub(less=LESS % permissions)
    run = await github.dispatched("less.yml")
    log = github.log(run, "only")
    assert run["conclusion"] == "success", log
    assert [line for line in said if f" {line}" not in log] == []
    token = log.rstrip().splitlines()[-1].rpartition(" ")[2][::-1]
    assert token.startswith("ghs_")
    assert (await github.ask("GET", "/repos/octo-org/demo/releases", token))[0] == 401


AGAIN = (
    HEAD
    + """
  first:
    runs-on: ubuntu-latest
    outputs: {moment: "${{ steps.now.outputs.moment }}"}
    steps: [{id: now, run: 'echo "moment=$RANDOM-$RUNNER_TEMP" >>"$GITHUB_OUTPUT"'}]
  second:
    needs: [first]
    runs-on: ubuntu-latest
    steps: [{run: 'test "$GITHUB_RUN_ATTEMPT" = 2'}]
  third:
    needs: [first, second]
    runs-on: ubuntu-latest
    steps: [{run: 'echo "moment ${{ needs.first.outputs.moment }}"'}]
  anyway:
    needs: [second]
    if: always()
    runs-on: ubuntu-latest
    steps: [{run: 'echo ${{ needs.second.result }}'}]
"""
)


async def test_a_re_run_of_failed_jobs_keeps_what_passed(hub):
    github = await hub(demo=AGAIN)
    run = await github.dispatched("demo.yml", version="1")
    assert conclusions(run) == {"first": "success", "second": "failure", "third": "skipped", "anyway": "success"}
    assert run["conclusion"] == "failure"
    before = {job["name"]: (job["id"], job["outputs"]) for job in run["jobs"]}
    github.actions.rerun_failed(run["id"])
    run = await github.ended(run["id"])
    assert (run["conclusion"], run["run_attempt"]) == ("success", 2)
    after = {job["name"]: (job["id"], job["outputs"]) for job in run["jobs"]}
    assert after["first"] == before["first"]
    assert f"moment {before['first'][1]['moment']}" in github.log(run, "third")
    assert after["anyway"] != before["anyway"]
    assert " success" in github.log(run, "anyway")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_machine_that_is_lost_fails_its_job_and_the_re_run_ends_the_same(hub, when):
    github = await hub(demo=PASSING, setting={"faults": (JobFault(when, "build", 2), JobFault(when, "use", 2))})
    run = await github.dispatched("demo.yml", version="1.0")
    assert conclusions(run) == {"Build": "failure", "Use": "skipped", "never": "skipped"}
    for expected in ("failure", "success"):
        github.actions.rerun_failed(run["id"])
        run = await github.ended(run["id"])
        assert run["conclusion"] == expected
    assert conclusions(run) == {"Build": "success", "Use": "success", "never": "skipped"}


LONG = """
on: {workflow_dispatch: }
permissions: {}
concurrency: {group: one, cancel-in-progress: %s}
jobs:
  only:
    runs-on: ubuntu-latest
    steps:
      - run: |
          trap '' TERM
          (trap '' TERM; while :; do sleep 0.1; done) &
          echo $! >%s
          while :; do sleep 0.1; done
  after:
    needs: only
    runs-on: ubuntu-latest
    steps: [{run: 'true'}]
"""


def is_alive(pid: str) -> bool:
    try:
        return psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_cancelled_run_ends_every_program_of_it(hub, tmp_path):
    pid = tmp_path / "pid"
    github = await hub(long=LONG % ("false", pid))
    number = github.actions.dispatch("long.yml", "main", {}, PERSON)
    await github.until(lambda: pid.exists() and pid.read_text().strip())
    github.actions.cancel(number)
    run = await github.ended(number)
    assert run["conclusion"] == "cancelled"
    assert conclusions(run) == {"only": "cancelled", "after": "cancelled"}
    await github.until(lambda: not is_alive(pid.read_text()))


async def test_a_run_goes_on_when_the_stand_in_is_started_again(hub, tmp_path):
    pid, flag = tmp_path / "pid", tmp_path / "flag"
    text = (LONG % ("false", pid)).replace(
        "while :; do sleep 0.1; done\n  after", f"test -e {flag} || sleep 60\n  after"
    )
    github = await hub(long=text)
    number = github.actions.dispatch("long.yml", "main", {}, PERSON)
    await github.until(lambda: pid.exists() and pid.read_text().strip())
    await github.stop()
    await github.until(lambda: not is_alive(pid.read_text()))
    flag.touch()
    await github.start()
    run = await github.ended(number)
    assert (run["conclusion"], run["run_attempt"]) == ("success", 2)


async def test_of_a_concurrency_group_one_runs_and_the_newest_waits(hub, tmp_path):
    pid = tmp_path / "pid"
    github = await hub(long=LONG % ("false", pid))
    first, second, third = (github.actions.dispatch("long.yml", "main", {}, PERSON) for _ in range(3))
    assert (await github.ended(second))["conclusion"] == "cancelled"
    await github.until(lambda: github.run(first)["status"] == "in_progress" and pid.exists())
    assert github.run(third)["status"] == "pending"
    github.actions.cancel(first)
    await github.ended(first)
    await github.until(lambda: github.run(third)["status"] == "in_progress")
    github.actions.cancel(third)
    await github.ended(third)


DEPLOY = """
on: {workflow_dispatch: }
permissions: {}
jobs:
  only:
    runs-on: ubuntu-latest
    environment: release
    permissions: {id-token: write}
    steps:
      - run: |
          set -u
          login="Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN"
          curl --silent --fail -H "$login" "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=pypi"
"""
RULES = {"branches": ["main"], "tags": ["v*"], "reviewers": ["grace", "ada"]}


async def test_a_side_branch_gets_no_environment_and_so_no_identity(hub):
    github = await hub(deploy=DEPLOY)
    github.settings(environments={"release": RULES})
    git(github.tree, "push", "--quiet", "origin", "HEAD:refs/heads/side")
    run = await github.dispatched("deploy.yml", "side")
    assert run["conclusion"] == "failure"
    assert 'Branch "side" is not allowed to deploy to release' in github.log(run, "only")
    assert {step["conclusion"] for step in run["jobs"][0]["steps"]} == {"skipped"}


async def test_an_altered_workflow_of_a_side_branch_gets_an_identity_that_is_no_publishers(hub):
    """PyPI compares no branch: what is altered there does without the environment, and so does not fit."""
    github = await hub(deploy=DEPLOY)
    github.settings(environments={"release": RULES})
    altered = DEPLOY.replace("    environment: release\n", "")
    git(github.tree, "checkout", "--quiet", "-b", "side")
    github.commit({".github/workflows/deploy.yml": altered})
    git(github.tree, "push", "--quiet", "origin", "side")
    run = await github.dispatched("deploy.yml", "side")
    assert run["conclusion"] == "success", github.log(run, "only")
    signed = github.log(run, "only").split('"value": "')[1].split('"')[0]
    claims = jwt.decode(signed, KEY, algorithms=["HS256"], audience="pypi")
    registered = Registered(
        project="demo", repository="octo-org/demo", workflow="deploy.yml", environment="release", pending=False
    )
    with pytest.raises(InvalidPublisherError):
        find([registered], claims)
    assert find([registered], {**claims, "environment": "release"}) == registered


async def test_an_environment_waits_for_a_reviewer_who_did_not_start_the_run(hub):
    github = await hub(deploy=DEPLOY)
    github.settings(environments={"release": RULES})
    number = github.actions.dispatch("deploy.yml", "main", {}, PERSON)
    await github.until(lambda: github.run(number)["pending"])
    assert github.run(number)["status"] == "waiting"
    with pytest.raises(DispatchError, match="self-reviews are prevented"):
        github.actions.review(number, "release", PERSON, approved=True)
    with pytest.raises(DispatchError, match="bob is not a required reviewer"):
        github.actions.review(number, "release", Caller("bob"), approved=True)
    github.actions.review(number, "release", Caller("grace"), approved=True)
    run = await github.ended(number)
    assert run["conclusion"] == "success", github.log(run, "only")
    assert run["jobs"][0]["used"] == ["id-token: write"]
    signed = github.log(run, "only").split('"value": "')[1].split('"')[0]
    claims = jwt.decode(signed, "a key of at least thirty-two characters", algorithms=["HS256"], audience="pypi")
    assert claims["sub"] == "repo:octo-org/demo:environment:release"
    assert claims["job_workflow_ref"] == "octo-org/demo/.github/workflows/deploy.yml@refs/heads/main"


async def test_a_job_whose_environment_a_reviewer_rejects_does_not_begin(hub):
    github = await hub(deploy=DEPLOY)
    github.settings(environments={"release": {**RULES, "reviewers": [LOGIN]}})
    number = github.actions.dispatch("deploy.yml", "main", {}, PERSON)
    await github.until(lambda: github.run(number)["pending"])
    path = f"/repos/{REPOSITORY}/actions/runs/{number}/pending_deployments"
    _, (waits,) = await github.ask("GET", path, "ghp_ada")
    rejected = {"environment_ids": [waits["environment"]["id"]], "state": "rejected", "comment": "no"}
    status, _ = await github.ask("POST", path, "ghp_ada", rejected)
    assert status == 200
    run = await github.ended(number)
    assert (run["conclusion"], conclusions(run)) == ("failure", {"only": "failure"})
    assert {step["conclusion"] for step in run["jobs"][0]["steps"]} == {"skipped"}


ATTEST = f"""
on: {{workflow_dispatch: }}
permissions: {{}}
jobs:
  only:
    runs-on: ubuntu-latest
    permissions: {{id-token: write, attestations: write}}
    steps:
      - run: mkdir dist && echo wheel >dist/demo.whl
      - uses: actions/attest-build-provenance@{"a" * 40}
        with: {{subject-path: dist/*}}
"""


async def test_what_a_job_attests_is_found_at_the_forge_by_its_digest(hub):
    github = await hub(attest=ATTEST)
    run = await github.dispatched("attest.yml")
    log = github.log(run, "only")
    assert run["conclusion"] == "success", log
    (job,) = run["jobs"]
    digest = job["subjects"]["demo.whl"]
    assert f"Attestation created for demo.whl@sha256:{digest}" in log
    assert job["used"] == ["attestations: write", "id-token: write"]
    (kept,) = github.store.state["attestations"]
    response = ATTESTATIONS.validate_json(json.dumps({"attestations": [kept]}))
    found = response.attestations[0].read()
    assert found.subjects == {"demo.whl": digest}
    assert found.signer == Publisher("octo-org/demo", "attest.yml")


async def test_a_job_without_the_permission_is_given_no_way_to_an_identity(hub):
    github = await hub(deploy=DEPLOY.replace("id-token: write", "contents: read").replace("environment: release", ""))
    run = await github.dispatched("deploy.yml")
    assert run["conclusion"] == "failure"
    assert "ACTIONS_ID_TOKEN_REQUEST" in github.log(run, "only")


MATRIX = """
on: {workflow_dispatch: }
permissions: {}
jobs:
  each:
    name: Each (${{ matrix.number }})
    runs-on: ubuntu-latest
    strategy: {fail-fast: false, matrix: {number: [1, 2, 3]}}
    steps:
      - run: test ${{ matrix.number }} != 2 || test "$GITHUB_RUN_ATTEMPT" = 2
"""


async def test_variants_of_a_job_run_side_by_side_and_only_the_failed_ones_again(hub):
    github = await hub(matrix=MATRIX)
    run = await github.dispatched("matrix.yml")
    assert conclusions(run) == {"Each (1)": "success", "Each (2)": "failure", "Each (3)": "success"}
    ids = {job["name"]: job["id"] for job in run["jobs"]}
    github.actions.rerun_failed(run["id"])
    run = await github.ended(run["id"])
    assert run["conclusion"] == "success"
    assert [job["name"] for job in run["jobs"] if ids[job["name"]] != job["id"]] == ["Each (2)"]


CROWD = """
on: {workflow_dispatch: }
permissions: {}
jobs:
  each:
    runs-on: ubuntu-latest
    strategy: {matrix: {number: [1, 2, 3]}}
    steps: [{run: "mkdir %(taken)s && sleep 0.1 && rmdir %(taken)s"}]
  other:
    runs-on: ubuntu-latest
    steps: [{run: "mkdir %(taken)s && sleep 0.1 && rmdir %(taken)s"}]
"""


async def test_jobs_of_a_run_wait_for_their_turn_on_the_machine(hub, tmp_path):
    github = await hub(crowd=CROWD % {"taken": tmp_path / "taken"}, setting={"at_once": 1})
    run = await github.dispatched("crowd.yml")
    assert set(conclusions(run).values()) == {"success"}


async def test_a_job_that_waits_for_its_turn_does_not_begin_when_its_run_is_cancelled(hub, tmp_path):
    pid = tmp_path / "pid"
    github = await hub(long=LONG.replace("    needs: only\n", "") % ("false", pid), setting={"at_once": 1})
    number = github.actions.dispatch("long.yml", "main", {}, PERSON)
    await github.until(lambda: pid.exists() and pid.read_text().strip())
    github.actions.cancel(number)
    run = await github.ended(number)
    assert conclusions(run) == {"only": "cancelled", "after": "cancelled"}
    assert [job["started_at"] for job in run["jobs"] if job["name"] == "after"] == [None]


async def test_a_step_that_takes_too_long_is_ended(hub):
    text = MATRIX.replace('test ${{ matrix.number }} != 2 || test "$GITHUB_RUN_ATTEMPT" = 2', "sleep 60")
    text = text.replace("[1, 2, 3]", "[1]").replace("run: ", "timeout-minutes: 0.005\n        run: ")
    github = await hub(matrix=text)
    run = await github.dispatched("matrix.yml")
    assert run["conclusion"] == "failure"
    assert "has timed out" in github.log(run, "Each (1)")


async def test_a_workflow_that_uses_what_is_not_carried_out_does_not_start(hub):
    github = await hub(pushed=PUSHED.replace("runs-on: ubuntu-latest", "runs-on: ubuntu-latest\n    container: debian"))
    git(github.tree, "push", "--quiet", "origin", "HEAD:refs/tags/v1")
    await github.until(github.runs)
    (run,) = github.runs()
    assert run["conclusion"] == "startup_failure"
    assert run["problem"] == "pushed.yml, line 9: `container` is not carried out"


async def test_other_workflows_than_those_of_the_rehearsal_are_listed_and_skipped(hub):
    github = await hub(demo=PASSING, pushed=PUSHED, setting={"carried": frozenset({"demo.yml"})})
    git(github.tree, "push", "--quiet", "origin", "HEAD:refs/tags/v1")
    await github.until(github.runs)
    (run,) = github.runs()
    assert (run["workflow"], run["conclusion"], run["jobs"]) == ("pushed.yml", "skipped", [])
