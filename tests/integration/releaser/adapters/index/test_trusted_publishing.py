"""Trusted publishing: a job's identity for an upload token, at the rehearsal's index, with real twine."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import tarfile
import threading
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from harness.served import Served
from unhurried_clock import UnhurriedClock

from releaser.adapters.index.client import Index
from releaser.adapters.index.trusted_publishing import TrustedPublishing
from releaser.adapters.index.twine_login import IndexAddress
from releaser.config.load import parse_config
from releaser.core.activity import Activity, bound
from releaser.core.step import Conflict, Done
from releaser.errors import CommandError, ConflictError, ServiceError, UsageError
from releaser.rehearsal.identity import claims_of_job, identity_for
from releaser.rehearsal.index import app as index_app
from releaser.secret import Secret
from releaser.steps.preflight.services import LogInToIndex

KEY = "a key that is long enough for HS256"
REQUEST_TOKEN = "request-token-of-the-job"
JOB = claims_of_job("me/demo", "build-wheel.yml", ref="refs/tags/v1.0.0")
CONFIG = parse_config({"version-files": [{"path": "a", "key": "b"}]}, {"name": "demo"})
PUBLISHER = {"project": "demo", "repository": "me/demo", "workflow": "build-wheel.yml"}


@dataclass
class Answers:
    """A loopback service whose answers a test writes: (status, body) by method and path, or a function of the query."""

    by_path: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(answers):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answers.asked.append((self.command, address.path, self.headers, body))
            answer = answers.by_path.get(f"{self.command} {address.path}", (404, {}))
            status, found = answer(parse_qs(address.query)) if callable(answer) else answer
            content = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status, None if isinstance(found, bytes) else found.get("reason"))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815  http.server's name

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    answers.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def no_login(monkeypatch, tmp_path):
    """Neither a CI job nor a password of twine's, whoever runs the tests."""
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "TWINE_USERNAME", "TWINE_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith("ACTIONS_ID_TOKEN")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture
def github(monkeypatch):
    """A job at GitHub that may have an identity; its claims can be changed."""
    with serving(Answers()) as answers:
        answers.claims = {}

        def identity(query):
            return 200, {"value": identity_for(query["audience"][0], {**JOB, **answers.claims}, KEY)}

        answers.by_path["GET /identity"] = identity
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{answers.url}/identity?api-version=2")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
        yield answers


@pytest.fixture
def world(tmp_path):
    """What the rehearsal's index holds, with one pending publisher."""
    path = tmp_path / "world"
    path.mkdir()
    (path / "publishers.json").write_text(json.dumps([{**PUBLISHER, "pending": True}]))
    return path


@pytest.fixture
def index(world, tmp_path):
    """The rehearsal's index, known to us as a project's configuration knows it, without a token."""
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "token").write_text("the-master-token")
    options = ["--world", world, "--token-file", tmp_path / "token", "--oidc-secret-file", tmp_path / "key"]
    service = Served(index_app, *options)
    yield known(service.url)
    service.stop()


@pytest.fixture
def scripted():
    """An index whose answers the test writes; by default it mints a token that has no well-known shape."""
    with serving(Answers()) as answers:
        answers.by_path["GET /_/oidc/audience"] = (200, {"audience": "pypi"})
        answers.by_path["POST /_/oidc/mint-token"] = (200, {"token": "plain-minted-words"})
        yield answers


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "demo-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo.py", "VERSION = '1.0.0'\n")
        archive.writestr("demo-1.0.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0.0\n")
        archive.writestr(
            "demo-1.0.0.dist-info/WHEEL", "Wheel-Version: 1.0.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("demo-1.0.0.dist-info/RECORD", "")
    return path


@pytest.fixture
def sdist(tmp_path):
    path = tmp_path / "demo-1.0.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (("PKG-INFO", b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0.0\n"), ("demo.py", b"")):
            member = tarfile.TarInfo(f"demo-1.0.0/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


class Vouched(dict):
    """Every file that lies in the directory of the test, as it is there: another job has built the same."""

    def get(self, name, _default=None):
        return hashlib.sha256((Path(os.environ["HOME"]).parent / name).read_bytes()).hexdigest()


def known(url, token=None):
    address = IndexAddress(upload_url=f"{url}/legacy/", simple_url=f"{url}/simple/")
    return Index("pypi", address, token, vouched=Vouched())


def refused(call, *arguments):
    with pytest.raises(ServiceError) as caught:
        call(*arguments)
    assert REQUEST_TOKEN not in str(caught.value)
    return caught.value


def paths(answers):
    return [f"{method} {path}" for method, path, _, _ in answers.asked]


def test_a_job_uploads_by_its_identity_and_a_pending_publisher_makes_the_project(index, github, wheel):
    index.upload([wheel])
    served = {file.name: file.sha256 for file in index.all_files("demo")}
    assert served == {wheel.name: hashlib.sha256(wheel.read_bytes()).hexdigest()}
    assert github.asked[0][2]["Authorization"] == f"bearer {REQUEST_TOKEN}"


def test_a_job_that_is_no_publisher_is_told_what_to_register_and_where(index, github, wheel):
    github.claims = claims_of_job("me/demo", "other.yml", environment="release")
    error = refused(index.upload, [wheel])
    assert "pypi refused this job an upload token: invalid-publisher" in error.message
    assert "owner me, repository demo, workflow other.yml, environment release" in error.remedy
    assert "as a pending publisher of demo" in error.remedy
    assert "/manage/account/publishing/" in error.remedy
    assert index.all_files("demo") == []


def test_for_a_project_that_is_there_the_page_is_the_projects_own(index, github, wheel, world):
    index.upload([wheel])
    (world / "publishers.json").write_text("[]")
    error = refused(index.upload, [wheel])
    assert "owner me, repository demo, workflow build-wheel.yml, no environment" in error.remedy
    assert "/manage/project/demo/settings/publishing/" in error.remedy


def test_the_environment_must_be_the_registered_one(index, github, wheel, world):
    (world / "publishers.json").write_text(json.dumps([{**PUBLISHER, "environment": "release", "pending": True}]))
    assert "no environment" in refused(index.upload, [wheel]).remedy
    github.claims = {"environment": "release"}
    index.upload([wheel])
    assert [file.name for file in index.all_files("demo")] == [wheel.name]


def test_an_identity_works_once(index, github, wheel):
    github.claims = {"jti": "always the same"}
    index.upload([wheel])
    error = refused(index.upload, [wheel])
    assert "invalid-reuse-token" in error.message
    assert "works once" in error.remedy
    assert "rerun the job" in error.remedy


def test_an_identity_that_the_index_does_not_trust_is_refused(index, github, wheel):
    github.claims = {"exp": 1}
    error = refused(index.upload, [wheel])
    assert "invalid-token" in error.message
    assert "rerun the job" in error.remedy


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("not-enabled", "set PYPI_TOKEN"),
        ("invalid-pending-publisher", "take another name"),
        ("invalid-publisher", "Register exactly that, as a pending publisher of demo"),
        ("something-new", "owner me, repository demo, workflow build-wheel.yml"),
    ],
)
def test_each_refusal_has_its_remedy_and_shows_no_identity(scripted, github, wheel, code, remedy):
    def refuse(query):
        identity = json.loads(scripted.asked[-1][3])["token"]
        return 422, {"errors": [{"code": code, "description": f"no corresponding publisher ({identity})"}]}

    scripted.by_path["POST /_/oidc/mint-token"] = refuse
    error = refused(known(scripted.url).upload, [wheel])
    identity = json.loads(scripted.asked[-1][3])["token"]
    assert code in error.message
    assert remedy in error.remedy
    assert identity not in str(error)
    assert "[hidden]" in error.message


@pytest.mark.parametrize("status", [403, 404])
def test_an_index_without_trusted_publishing_says_so(scripted, github, wheel, status):
    scripted.by_path["GET /_/oidc/audience"] = (status, {"message": "no"})
    error = refused(known(scripted.url).upload, [wheel])
    assert "does no trusted publishing: GET" in error.message
    assert f"(HTTP {status})" in error.message
    assert "PYPI_TOKEN" in error.remedy
    assert "POST /legacy/" not in paths(scripted)


def test_an_index_that_is_not_there_is_named(scripted, github):
    gone = TrustedPublishing("pypi", "http://127.0.0.1:9", "anywhere", "PYPI_TOKEN")
    with bound(Activity(clock=UnhurriedClock())):
        error = refused(gone.mint)
    assert error.message == "pypi refused the connection when asked to name the audience of trusted publishing"


@pytest.mark.parametrize(
    "content", [b"<html>log in</html>", b"[]", b'{"audience": 1}', b'{"audience": ""}', b'{"audience": "py', b""]
)
def test_an_audience_in_another_form_is_an_error_and_no_traceback(scripted, github, content):
    scripted.by_path["GET /_/oidc/audience"] = (200, content)
    error = refused(TrustedPublishing("pypi", scripted.url, "anywhere", "PYPI_TOKEN").mint)
    assert "when asked to name the audience of trusted publishing" in error.message
    assert "the upload address of pypi" in error.remedy


@pytest.mark.parametrize("status", [200, 422])
@pytest.mark.parametrize("content", [b"<html>log in</html>", b"[]", b'{"token": null, "errors": 3}', b'{"token": "py'])
def test_a_token_in_another_form_is_an_error_and_no_traceback(scripted, github, status, content):
    scripted.by_path["POST /_/oidc/mint-token"] = (status, content)
    error = refused(TrustedPublishing("pypi", scripted.url, "anywhere", "PYPI_TOKEN").mint)
    assert error.remedy


@pytest.mark.parametrize("content", [b"<html>log in</html>", b"[]", b'{"value": 1}', b'{"value": "no token"}', b""])
def test_an_identity_in_another_form_is_an_error_and_no_traceback(scripted, github, wheel, content):
    github.by_path["GET /identity"] = (200, content)
    assert "The CI service gave this job no identity" in refused(known(scripted.url).upload, [wheel]).message


def test_a_workflow_without_the_permission_is_told_which(scripted, github, wheel, monkeypatch):
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL")
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    error = refused(known(scripted.url).upload, [wheel])
    assert "`permissions: id-token: write`" in error.remedy
    assert "POST /_/oidc/mint-token" not in paths(scripted)


def test_a_ci_service_that_fails_is_named_without_the_jobs_own_token(scripted, github, wheel):
    github.by_path["GET /identity"] = (500, {"bad": f"token {REQUEST_TOKEN}"})
    error = refused(known(scripted.url).upload, [wheel])
    assert "The CI service gave this job no identity" in error.message
    assert "code=500" in error.message


def test_a_ci_services_own_program_is_given_its_variables_and_no_other_credential(
    scripted, wheel, monkeypatch, tmp_path
):
    scripted.by_path["POST /legacy/"] = (200, {})
    agent = tmp_path / "programs" / "buildkite-agent"
    agent.parent.mkdir()
    agent.write_text(f"#!/bin/sh\nenv >{tmp_path}/given\necho {identity_for('pypi', JOB, KEY)}\n")
    agent.chmod(0o755)
    monkeypatch.setenv("PATH", f"{agent.parent}{os.pathsep}{os.environ['PATH']}")
    own = {"BUILDKITE": "true", "BUILDKITE_AGENT_ACCESS_TOKEN": "the-agents-own"}
    for name, value in {**own, "GITHUB_TOKEN": "somebody-elses"}.items():
        monkeypatch.setenv(name, value)
    known(scripted.url).upload([wheel])
    given = (tmp_path / "given").read_text().splitlines()
    assert "BUILDKITE_AGENT_ACCESS_TOKEN=the-agents-own" in given
    assert "somebody-elses" not in "".join(given)


def test_the_minted_token_goes_to_twine_alone_and_is_in_no_output(scripted, github, wheel, capfd):
    def echo(query):
        login = base64.b64decode(scripted.asked[-1][2]["Authorization"].partition(" ")[2]).decode()
        return 403, {"reason": f"no upload for {login}"}

    scripted.by_path["POST /legacy/"] = echo
    told = []
    with pytest.raises(CommandError) as caught, bound(Activity(told.append)):
        known(scripted.url).upload([wheel])
    assert "no upload for __token__:[hidden]" in caught.value.message
    assert "plain-minted-words" not in "".join([str(caught.value), *told, *capfd.readouterr(), *os.environ.values()])
    minted = TrustedPublishing("pypi", scripted.url, "anywhere", "PYPI_TOKEN").mint()
    assert minted.reveal() == "plain-minted-words"
    assert repr(minted) == str(minted) == "[hidden]"


def test_a_configured_token_comes_first(scripted, github, wheel):
    scripted.by_path["POST /legacy/"] = (200, {})
    known(scripted.url, Secret("configured")).upload([wheel])
    assert paths(scripted) == ["POST /legacy/"]
    assert github.asked == []


def test_a_password_that_twine_finds_comes_before_the_identity(scripted, github, wheel, monkeypatch):
    scripted.by_path["POST /legacy/"] = (200, {})
    monkeypatch.setenv("TWINE_USERNAME", "me")
    monkeypatch.setenv("TWINE_PASSWORD", "mine")
    known(scripted.url).upload([wheel])
    assert paths(scripted) == ["POST /legacy/"]
    assert base64.b64decode(scripted.asked[0][2]["Authorization"].partition(" ")[2]) == b"me:mine"


def test_outside_a_ci_job_twine_alone_looks_for_a_login(scripted, wheel):
    with pytest.raises(CommandError, match="Credential not found") as caught:
        known(scripted.url).upload([wheel])
    assert "Set PYPI_TOKEN" in caught.value.remedy
    assert paths(scripted) == []


def test_a_publisher_that_is_not_pending_makes_no_project(index, github, wheel, world):
    (world / "publishers.json").write_text(json.dumps([PUBLISHER]))
    with pytest.raises(CommandError, match="cannot create new projects") as caught:
        index.upload([wheel])
    assert "*pending* publisher" in caught.value.remedy
    assert "\x1b" not in caught.value.message


def test_a_token_that_the_index_refuses_is_to_be_replaced(index, wheel):
    with pytest.raises(CommandError, match="Invalid or non-existent authentication information") as caught:
        Index("pypi", index.address, Secret("a-wrong-token")).upload([wheel])
    assert "Set PYPI_TOKEN to a token that may upload this project" in caught.value.remedy


def test_preflight_sees_which_login_there_is(scripted, github, monkeypatch):
    release = SimpleNamespace(index=lambda _: known(scripted.url), config=CONFIG)
    found = LogInToIndex("pypi").check(release)
    assert isinstance(found, Done)
    assert "trusted publishing from this job" in found.evidence
    release.index = lambda _: replace(known(scripted.url), vouched=None)
    found = LogInToIndex("pypi").check(release)
    assert isinstance(found, Conflict)
    assert "uploads only what another job has built" in found.what
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL")
    found = LogInToIndex("pypi").check(release)
    assert isinstance(found, Conflict)
    assert "id-token: write" in found.remedy
    monkeypatch.delenv("GITHUB_ACTIONS")
    found = LogInToIndex("pypi").check(release)
    assert isinstance(found, Conflict)
    assert "Set PYPI_TOKEN" in found.remedy


def test_an_identity_uploads_nothing_that_no_other_job_has_built(index, github, wheel):
    for vouched, why in (
        (None, "no other job has built them again"),
        ({wheel.name: "0" * 64}, "the rebuild made other"),
    ):
        with pytest.raises(ConflictError, match=why) as caught:
            replace(index, vouched=vouched).upload([wheel])
        assert wheel.name in caught.value.message
        assert "in REBUILT" in caught.value.remedy
    assert github.asked == []
    assert index.all_files("demo") == []


def test_a_password_in_pypirc_is_found(tmp_path):
    write_pypirc(tmp_path, "[pypi]\npassword: secret-word\n")
    found = LogInToIndex("pypi").check(SimpleNamespace(index=lambda _: Index("pypi", IndexAddress()), config=CONFIG))
    assert found == Done("twine has a password for it; what it allows is unproven")


def test_a_pypirc_that_cannot_be_read_is_not_quoted(tmp_path):
    write_pypirc(tmp_path, "password secret-word")
    with pytest.raises(UsageError, match=r"twine cannot read ~/\.pypirc") as caught:
        LogInToIndex("pypi").check(SimpleNamespace(index=lambda _: Index("pypi", IndexAddress()), config=CONFIG))
    assert "secret-word" not in str(caught.value)


def write_pypirc(tmp_path, content):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".pypirc").write_text(content)
