"""Every exchange between the forge adapter and the rehearsal's GitHub fits GitHub's own OpenAPI description.

`github-openapi.json` is that description, cut to the operations used (see `cut_openapi.py`). GitHub answers some
requests with statuses that it does not list (401, 403 and 404 almost everywhere): of those only the error's shape can
be checked.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import openapi_schema_validator as openapi
import pytest
import requests
from aiohttp import web
from aiohttp.typedefs import Handler

from releaser.adapters.forge.client import Forge
from releaser.adapters.forge.records import Approval, Artifact, Protection
from releaser.adapters.publishers import Publisher
from releaser.errors import ServiceError
from releaser.rehearsal import rules
from releaser.rehearsal.authority import Authority, provenance_of_build
from releaser.rehearsal.forge.app import create_app
from releaser.rehearsal.forge.faults import ForgeFaults
from releaser.rehearsal.forge.store import ForgeStore
from releaser.rehearsal.forge.tokens import Tokens
from releaser.rehearsal.identity import claims_of_job

DESCRIPTION = json.loads(Path(__file__).with_name("github-openapi.json").read_bytes())
REPOSITORY = "octo-org/demo"
TOKENS = Tokens({"ghp_writes": "write", "github_pat_reads": "read"})
SEED = {
    "milestones": [{"number": 1, "title": "1.0"}],
    "issues": [
        {"number": 1, "title": "one", "labels": ["blocker"], "milestone": "1.0"},
        {"number": 2, "title": "two", "labels": ["blocker"], "pull_request": True},
    ],
    "workflow_runs": [
        {"workflow": "build.yml", "event": "release"},
        {
            "workflow": "release.yml",
            "name": "release",
            "display_title": "Release 1.0",
            "event": "workflow_dispatch",
            "status": "waiting",
            "conclusion": None,
            "created_at": "2026-11-27T08:00:00Z",
            "jobs": [
                {
                    "id": 21,
                    "name": "build",
                    "status": "completed",
                    "conclusion": "failure",
                    "started_at": "2026-11-27T08:00:01Z",
                    "completed_at": "2026-11-27T08:00:09Z",
                    "steps": [
                        {"number": 1, "name": "Set up job", "status": "completed", "conclusion": "success"},
                        {"number": 2, "name": "Run invoke", "status": "completed", "conclusion": "failure"},
                    ],
                },
                {"id": 22, "name": "testpypi", "status": "waiting", "conclusion": None, "steps": []},
            ],
            "pending": [{"environment": "testpypi", "reviewers": ["releaser"], "since": "2026-11-27T08:00:10Z"}],
            "expired": ["dist"],
        },
    ],
    "rulesets": [
        rules.protected("main"),
        {
            "id": 2,
            "name": "Names of tags",
            "target": "tag",
            "bypass": "always",
            "conditions": {"ref_name": {"include": ["refs/tags/v*"], "exclude": ["refs/tags/v0*"]}},
            "rules": [
                {"type": "creation"},
                {"type": "tag_name_pattern", "parameters": {"operator": "starts_with", "pattern": "v"}},
            ],
        },
    ],
    "protected": {
        "main": {
            "contexts": ["unit"],
            "whole": {
                "required_status_checks": {"contexts": ["unit"], "checks": [{"context": "unit", "app_id": None}]},
                "enforce_admins": {"url": "https://example.invalid", "enabled": True},
            },
        }
    },
}
WORKFLOW = """\
name: release
run-name: "Release ${{ inputs.version }}"
on:
  workflow_dispatch:
    inputs:
      version:
        required: true
        type: string
"""
Operation = tuple[str, str]


@dataclass(frozen=True)
class Exchange:
    """A request to the API and its answer; ``sent`` and ``answer`` are decoded JSON, or None where there is none."""

    method: str
    path: str
    query: dict[str, str]
    content_type: str
    sent: Any
    status: int
    answer: Any


class Recorder:
    """The stand-in in a thread of this process, and all that was said to its API."""

    def __init__(self, world: Path, git_dir: Path) -> None:
        self.exchanges: list[Exchange] = []
        self._world = world
        self._git_dir = git_dir
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Recorder:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        app = create_app(REPOSITORY, ForgeStore(self._world, self._git_dir), TOKENS, ForgeFaults([], self._world))
        app.middlewares.insert(0, self._record)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        sent = await request.read()
        answer = await handler(request)
        if request.path.startswith(("/repos/", "/uploads/", "/user")):
            is_json = request.content_type == "application/json" and sent
            text = answer.text if isinstance(answer, web.Response) else ""
            self.exchanges.append(
                Exchange(
                    request.method,
                    request.path.removeprefix("/uploads"),
                    dict(request.query),
                    request.content_type if sent else "",
                    json.loads(sent) if is_json else None,
                    answer.status,
                    json.loads(text) if text else None,
                )
            )
        return answer


def operation_of(exchange: Exchange) -> Operation:
    """The description's path and method for a request; the path with the most literal parts wins."""
    fitting = []
    for path in DESCRIPTION["paths"]:
        # The only parameter that may hold slashes is a reference's name.
        pattern = re.sub(r"\\{(\w+)\\}", lambda m: ".+" if m[1] == "ref" else "[^/]+", re.escape(path))
        if re.fullmatch(pattern, exchange.path) and exchange.method.lower() in DESCRIPTION["paths"][path]:
            fitting.append((path.count("{"), path))
    if not fitting:
        raise AssertionError(f"GitHub describes no {exchange.method} {exchange.path}")
    return min(fitting)[1], exchange.method.lower()


def resolved(node: Any) -> Any:
    """What a reference refers to."""
    while "$ref" in node:
        _, *parts = node["$ref"].split("/")
        node = DESCRIPTION
        for part in parts:
            node = node[part]
    return node


def complaints(schema: Any, value: Any) -> list[str]:
    """What is wrong with a value; references point into the description."""
    whole = {**schema, "components": DESCRIPTION["components"]}
    validator = openapi.OAS30Validator(whole, format_checker=openapi.oas30_format_checker)
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def check(exchange: Exchange) -> Operation:
    """Check one exchange against the description.

    Raises:
        AssertionError: It does not fit; the message says where.
    """
    path, method = operation_of(exchange)
    operation = DESCRIPTION["paths"][path][method]
    wrong = [*_wrong_query(operation, exchange), *_wrong_request(operation, exchange)]
    answers = operation["responses"]
    if str(exchange.status) in answers:
        content = resolved(answers[str(exchange.status)]).get("content", {})
        schema = content.get("application/json", {}).get("schema")
    else:
        assert exchange.status in (401, 403, 404, 422), f"{method} {path} never answers {exchange.status}"
        schema = {"$ref": f"#/components/schemas/{'validation' if exchange.status == 422 else 'basic'}-error"}
    if schema is None:
        # For an error GitHub sometimes only names the status.
        wrong += ["an answer where none belongs"] * (exchange.answer is not None and exchange.status < 400)
    else:
        wrong += [f"answer {complaint}" for complaint in complaints(schema, exchange.answer)]
    assert not wrong, f"{method} {path} {exchange.status}: {wrong}"
    return path, method


def _wrong_query(operation: dict[str, Any], exchange: Exchange) -> Iterator[str]:
    known = {p["name"]: p for p in map(resolved, operation.get("parameters", [])) if p["in"] == "query"}
    for name, parameter in known.items():
        if parameter.get("required") and name not in exchange.query:
            yield f"query lacks {name}"
    for name, text in exchange.query.items():
        if name not in known:
            yield f"query has the unknown {name}"
            continue
        schema = resolved(known[name]["schema"])
        value = int(text) if schema.get("type") == "integer" and text.isdecimal() else text
        yield from (f"query {name} {complaint}" for complaint in complaints(schema, value))


def _wrong_request(operation: dict[str, Any], exchange: Exchange) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if exchange.sent is None:
        if exchange.content_type and "application/octet-stream" not in content:
            yield "a body where none belongs"
        return
    if "application/json" not in content:
        yield "JSON where none belongs"
        return
    schema = resolved(content["application/json"]["schema"])
    yield from (f"request {complaint}" for complaint in complaints(schema, exchange.sent))
    yield from (f"request has the unknown {name}" for name in exchange.sent if name not in schema["properties"])


@pytest.fixture(scope="module")
def exchanges(tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    """What is said while every method of the adapter does its work, and while it is refused."""
    folder = tmp_path_factory.mktemp("contract")
    git_dir, world = folder / "bare.git", folder / "world"
    world.mkdir()
    (world / "seed.json").write_text(json.dumps(SEED))
    _make_repository(folder / "work", git_dir)
    (world / "logs").mkdir()
    (world / "logs" / "21.txt").write_text(
        "2026-11-27T08:00:08.1234567Z ##[error]Process completed with exit code 1.\n"
    )
    wheel = folder / "demo-1.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    with Recorder(world, git_dir) as recorder:
        forge = Forge(REPOSITORY, "ghp_writes", api_url=recorder.url)
        _do_everything(forge, wheel)
        _watch_and_start_workflows(forge, recorder.url)
        _attest(forge, recorder.url, world)
        _be_refused(recorder.url, forge, wheel)
        _ask_what_the_adapter_does_not(recorder.url)
        forge.close()
    return recorder.exchanges


def _make_repository(work: Path, git_dir: Path) -> None:
    workflows = work / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "release.yml").write_text(WORKFLOW)
    identity = ["-c", "user.name=Octo", "-c", "user.email=octo@example.invalid", "-c", "tag.gpgSign=false"]
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "."],
        ["commit", "--quiet", "--message=one"],
        ["tag", "--annotate", "v1.0", "--message=Version 1.0"],
        ["clone", "--quiet", "--bare", ".", str(git_dir)],
    ):
        subprocess.run(["git", *identity, *command], cwd=work, check=True)


def _do_everything(forge: Forge, wheel: Path) -> None:
    forge.permissions()
    assert forge.latest_release() is None
    assert forge.find_release("v1.0") is None
    draft = forge.create_draft("v1.0", "main", "Version 1.0", "Text", prerelease=False)
    forge.update_release(draft.id, name="Version One", body="Other text", prerelease=False)
    asset = forge.assets.upload(draft.id, wheel, "application/zip")
    forge.assets.download(asset, wheel.with_name("again"))
    forge.publish_release(draft.id, make_latest=True, discussion_category="Announcements")
    assert forge.latest_release() == "v1.0"
    assert forge.find_release("v1.0") is not None
    second = forge.create_draft("v1.1rc1", "main", "Version 1.1rc1", "Text", prerelease=True)
    other = forge.assets.upload(second.id, wheel, "application/zip")
    forge.assets.delete(other.id)
    forge.publish_release(second.id, make_latest=False, discussion_category=None)
    forge.delete_release(second.id)
    assert forge.tag_commit("v1.0") is not None
    assert forge.tag_commit("v1.1rc1") is not None
    assert len(forge.open_blockers("blocker", "1.0")) == 2
    milestone = forge.find_milestone("1.0")
    assert milestone is not None
    forge.close_milestone(milestone.number)
    assert forge.tests_run("build.yml", forge.tag_commit("v1.0") or "") is not None
    assert forge.tests_run("build.yml", "0" * 40) is None
    assert [(one.type, one.may_bypass) for one in forge.rules.of_branch("main") or ()] == [("pull_request", False)]
    assert [(one.type, one.may_bypass) for one in forge.rules.of_tag("v1.0") or ()] == [
        ("creation", True),
        ("tag_name_pattern", True),
    ]
    assert forge.rules.of_tag("v0.9") == []
    assert forge.rules.protection("main") == Protection(True, ("status checks must have passed",))


def _attest(forge: Forge, url: str, world: Path) -> None:
    """Attest two files as GitHub's action does, and ask who built one of them."""
    job = claims_of_job(REPOSITORY, "release.yml", environment="release")
    statement = provenance_of_build({"demo.whl": "ab" * 32, "demo.tar.gz": "cd" * 32}, job)
    bundle = Authority(world, lambda: datetime.now(timezone.utc)).bundle(statement, job)
    login = {"Authorization": "Bearer ghp_writes"}
    where = f"{url}/repos/{REPOSITORY}/attestations"
    assert requests.post(where, json={"bundle": bundle}, headers=login, timeout=60).status_code == 201
    assert requests.post(where, json={"bundle": {}}, headers=login, timeout=60).status_code == 422
    (found,) = forge.attestations.of("cd" * 32)
    assert found.predicate == "https://slsa.dev/provenance/v1"
    assert found.subjects == {"demo.whl": "ab" * 32, "demo.tar.gz": "cd" * 32}
    assert found.signer == Publisher(REPOSITORY, "release.yml", "release")
    assert forge.attestations.of("00" * 32) == []


def _watch_and_start_workflows(forge: Forge, url: str) -> None:
    workflows = forge.workflows
    (run,) = workflows.runs("release.yml")
    build, _ = workflows.jobs(run)
    assert [(one.number, one.conclusion) for one in build.steps] == [(1, "success"), (2, "failure")]
    assert workflows.last_lines(build, 5) == ["Process completed with exit code 1."]
    since = datetime(2026, 11, 27, 8, 0, 10, tzinfo=timezone.utc)
    assert workflows.approvals(run) == [Approval("testpypi", ("releaser",), True, since)]
    assert workflows.artifacts(run) == [Artifact("dist", expired=True)]
    page = f"{url}/repos/{REPOSITORY}/actions/runs/{run.id}/pending_deployments"
    headers = {"Authorization": "Bearer ghp_writes"}
    (waiting,) = requests.get(page, headers=headers, timeout=60).json()
    approval = {"environment_ids": [waiting["environment"]["id"]], "state": "approved", "comment": "Go"}
    assert requests.post(page, json=approval, headers=headers, timeout=60).status_code == 200
    assert workflows.approvals(run) == []
    workflows.cancel(run)
    workflows.rerun_failed(run)
    assert workflows.run(run.id).attempt == 2
    number = workflows.dispatch("release.yml", "main", {"version": "1.1"})
    assert number is not None
    assert (workflows.run(number).title, workflows.run(number).status) == ("Release 1.1", "queued")
    plain = f"{url}/repos/{REPOSITORY}/actions/workflows/release.yml/dispatches"
    started = requests.post(plain, json={"ref": "main", "inputs": {"version": "1.2"}}, headers=headers, timeout=60)
    assert started.status_code == 204
    for file, ref, inputs in (
        ("release.yml", "no-such", {"version": "1.1"}),
        ("release.yml", "main", {}),
        ("release.yml", "main", {"version": "1.1", "colour": "red"}),
        ("no-such.yml", "main", {}),
    ):
        with pytest.raises(ServiceError):
            workflows.dispatch(file, ref, inputs)
    with pytest.raises(ServiceError, match="cannot be retried"):
        workflows.rerun_failed(run)
    with pytest.raises(ServiceError):
        workflows.last_lines(workflows.jobs(run)[1], 5)


def _be_refused(url: str, forge: Forge, wheel: Path) -> None:
    forge.delete_release(999)
    forge.assets.delete(999)
    assert forge.tag_commit("v9") is None
    assert forge.tests_run("no-such.yml", "0" * 40) is None
    assert forge.rules.protection("no-such-branch") is None
    with pytest.raises(ServiceError, match=r"body is too long \(maximum is 125000 characters\)"):
        forge.create_draft("v4.0", "main", "Long", "x" * 125_001, prerelease=False)
    with pytest.raises(ServiceError):
        forge.create_draft("", "main", "No tag", "", prerelease=False)
    prerelease = forge.create_draft("v2.0rc1", "main", "Version 2.0rc1", "Text", prerelease=True)
    with pytest.raises(ServiceError):
        forge.publish_release(prerelease.id, make_latest=True, discussion_category=None)
    for token in (None, "github_pat_reads", "wrong"):
        with pytest.raises(ServiceError):
            Forge(REPOSITORY, token, api_url=url).create_draft("v3.0", "main", "", "", prerelease=False)
    forge.assets.upload(prerelease.id, wheel, "application/zip")
    uploads = f"{url}/uploads/repos/{REPOSITORY}/releases/{prerelease.id}/assets?name={wheel.name}"
    headers = {"Authorization": "Bearer ghp_writes", "Content-Type": "application/octet-stream"}
    assert requests.post(uploads, data=b"x", headers=headers, timeout=60).status_code == 422


def _ask_what_the_adapter_does_not(url: str) -> None:
    for path in ("releases/tags/v1.0", "releases/tags/v9", "git/matching-refs/tags/v", "releases/assets/3"):
        requests.get(f"{url}/repos/{REPOSITORY}/{path}", timeout=60)


def test_every_exchange_fits_githubs_description(exchanges: list[Exchange]) -> None:
    for exchange in exchanges:
        check(exchange)


def test_every_operation_of_the_description_was_used_with_success(exchanges: list[Exchange]) -> None:
    used = {check(exchange) for exchange in exchanges if exchange.status < 400}
    described = {(path, method) for path, methods in DESCRIPTION["paths"].items() for method in methods}
    assert used == described


def test_refusals_were_among_them(exchanges: list[Exchange]) -> None:
    assert {exchange.status for exchange in exchanges} == {200, 201, 202, 204, 302, 401, 403, 404, 422}


def test_uploads_go_where_the_description_says(exchanges: list[Exchange]) -> None:
    created = next(e.answer for e in exchanges if e.method == "POST" and e.path.endswith("/releases"))
    assert urlsplit(created["upload_url"]).path.endswith("/assets{")
    uploads = [e for e in exchanges if e.method == "POST" and e.path.endswith("/assets")]
    assert {e.query["name"] for e in uploads} == {"demo-1.0-py3-none-any.whl"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"method": "PUT"}, "describes no PUT"),
        ({"query": {"colour": "red"}}, "unknown colour"),
        ({"query": {"per_page": "many"}}, "query per_page"),
        ({"sent": {"tag_name": 1}, "content_type": "application/json"}, r"request \$\.tag_name"),
        ({"sent": {"name": "x"}, "content_type": "application/json"}, "'tag_name' is a required property"),
        ({"sent": {"tag_name": "v1", "colour": "red"}}, "request has the unknown colour"),
        ({"status": 418}, "never answers 418"),
        ({"answer": {"id": "one"}}, r"answer \$"),
    ],
)
def test_an_exchange_that_does_not_fit_is_found(
    exchanges: list[Exchange], change: dict[str, Any], complaint: str
) -> None:
    method = "POST" if "sent" in change or "answer" in change else "GET"
    good = next(e for e in exchanges if e.method == method and e.path.endswith("/releases") and e.status < 300)
    check(good)
    with pytest.raises(AssertionError, match=complaint):
        check(replace(good, **change))
