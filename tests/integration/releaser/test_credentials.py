"""No program that the engine starts is given a credential that it has no use for, and no credential is left anywhere.

The engine runs in this process, where every start of a program is recorded; git's hooks, the build backend, the nox
session, the installed program, docker and its credential helper record themselves.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from harness.projects import Project
from harness.scene import Scene, user_environment
from harness.stand_ins import TOKENS, StandIn
from recorded_programs import FOLDER, Recorder, Started, recording_code, write_recording_program

from releaser.adapters import environment
from releaser.adapters.docker.sdk import login_for
from releaser.adapters.registry.http import RegistryHttp
from releaser.errors import ServiceError
from releaser.secret import HIDDEN

HOOKS = ("pre-commit", "commit-msg", "pre-push")
# PyPI's token comes from a variable that looks like nothing.
NAMED = "SHIP_WITH"
UPLOADS = {"testpypi": TOKENS["TESTPYPI_TOKEN"], "pypi": TOKENS["PYPI_TOKEN"]}
OTHERS = (
    *("TWINE_PASSWORD", "UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD", "UV_INDEX_OWN_PASSWORD", "PYPI_PASSWORD"),
    *("GH_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN", "SIGSTORE_ID_TOKEN", "GITLAB_PAT"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "NPM_TOKEN", "NODE_AUTH_TOKEN"),
    *("DOCKER_PASSWORD", "DOCKER_AUTH_CONFIG", "OPENAI_API_KEY", "DEPLOY_KEY", "TINY_PRIVATE_KEY", "PGPASSWORD"),
    *("SOME_TOKEN", "SOME_PASSWORD", "SOME_SECRET", "SOME_CREDENTIALS"),
)
PASSED = "CREDENTIAL_HELPER_TOKEN"


def made_up(name: str) -> str:
    """Return a value that occurs nowhere by accident, with characters that URLs and base64 write differently."""
    return "+/" + base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


SECRETS = {name: made_up(name) for name in (*OTHERS, PASSED, "index", "proxy", "header")}
VARIABLES = {
    **{name: SECRETS[name] for name in (*OTHERS, PASSED)},
    NAMED: UPLOADS["pypi"],
    "ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:9/identity",
    "PIP_INDEX_URL": f"http://me:{quote(SECRETS['index'], safe='')}@127.0.0.1:9/simple",
    "HTTPS_PROXY": f"http://me:{quote(SECRETS['proxy'], safe='')}@127.0.0.1:9",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "http.https://git.invalid/.extraHeader",
    "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {SECRETS['header']}",
    "SSH_AUTH_SOCK": "/nowhere/agent",
    "ORDINARY": "yes",
}
ALL = {**TOKENS, **SECRETS}
IMAGES = """
[tool.releaser.images]
repository = "registry.invalid/someone/tiny"
token-env = "DOCKER_PASSWORD"
bake-file = "docker-bake.hcl"

[[tool.releaser.images.targets]]
name = "tiny"
"""
NO_LOGIN = """echo '{"Username": "", "Secret": ""}'"""
ENCODINGS = (base64.b64encode, base64.urlsafe_b64encode)
DOCKER = """case "$1 $2" in
  "buildx bake") echo "#1 [1/1] RUN build"; exit 1 ;;
  "context inspect") echo unix:///nowhere/docker.sock ;;
  "image inspect") exit 1 ;;
esac"""


def traces(secret: str, text: str) -> list[str]:
    """Return what of a secret is in a text: it as it is, as URLs write it, or what base64 makes of it in any place."""
    forms = [secret, quote(secret), quote(secret, safe=""), quote_plus(secret)]
    for before in (b"", b"x", b"xx"):
        # The first and the last characters depend on the neighbours too.
        forms += [encode(before + secret.encode() + b"xxx").decode().rstrip("=")[4:-5] for encode in ENCODINGS]
    return [form for form in dict.fromkeys(forms) if form in text]


class Seen:
    """What the commands did: what each printed, every program that was started, and what is in files afterwards."""

    def __init__(self, folder: Path) -> None:
        self.printed = {path.stem: path.read_text("utf-8") for path in (folder / "printed").iterdir()}
        self.started = Recorder.read(folder / "recorded")
        kept = [path for name in ("state", "tiny", "tiny.git", "services") for path in (folder / name).rglob("*")]
        self.left = {path: path.read_bytes().decode("utf-8", "replace") for path in kept if path.is_file()}
        # Those that the rehearsal made up; nobody but its index, its forge and twine has to know them.
        own = folder.glob("state/rehearsals/*/tokens/*")
        self.made_up = {f"the rehearsal's {path.name}": path.read_text("utf-8") for path in own}

    def running(self, *words: str) -> list[Started]:
        """Return the starts with these words next to each other in their command lines."""
        return [one for one in self.started if f" {' '.join(words)} " in f" {' '.join(one.command)} "]


def prepare(project: Project, programs: Path) -> None:
    """Have the project and the programs around it record themselves."""
    project.replace("pyproject.toml", "sessions = []", 'sessions = ["trial"]')
    project.replace("pyproject.toml", "[tool.releaser]\n", f'[tool.releaser]\npass-env = ["{PASSED}"]\n')
    project.replace("pyproject.toml", "[tool.releaser.pypi]\n", f'[tool.releaser.pypi]\ntoken-env = "{NAMED}"\n')
    project.write("pyproject.toml", (project.path / "pyproject.toml").read_text() + IMAGES)
    project.write("docker-bake.hcl", 'target "tiny" {}\n')
    for name, file in (("backend", "backend.py"), ("session", "noxfile.py")):
        future = "from __future__ import annotations\n"
        project.replace(file, future, future + recording_code(name))
    main = "def main() -> None:\n"
    recording = "".join(f"    {line}\n" for line in recording_code("installed").splitlines())
    project.replace("src/tiny_thing/__init__.py", main, main + recording)
    project.commit("Records itself")
    for hook in HOOKS:
        write_recording_program(project.path / ".git" / "hooks" / hook)
    write_recording_program(programs / "docker", DOCKER)
    write_recording_program(programs / "docker-credential-tell", NO_LOGIN)


@contextmanager
def credentials_everywhere(home: Path, folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """Give this process a user's environment with every kind of credential, and stand-ins for programs."""
    (folder / "docker").mkdir()
    (folder / "docker" / "config.json").write_text('{"credsStore": "tell"}')
    own = {
        FOLDER: str(folder / "recorded"),
        "DOCKER_CONFIG": str(folder / "docker"),
        "PATH": f"{folder / 'programs'}{os.pathsep}{os.environ['PATH']}",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    with user_environment(home, folder / "state") as patch:
        for name, value in {**VARIABLES, **own}.items():
            patch.setenv(name, value)
        # Some of what Python tells of the machine it asks of a program, once in a process.
        patch.setattr(platform, "_uname_cache", None)
        patch.setattr(platform, "_platform_cache", {})
        yield patch
    environment.configure((), ())


def run_commands(template: Project, stand_ins: dict[str, StandIn], home: Path, folder: Path) -> Path:
    """Run the commands that start programs; return the folder, in which what they print and record is kept."""
    project = template.copied(folder / "tiny")
    prepare(project, folder / "programs")
    recorder, printed = Recorder(folder / "recorded"), folder / "printed"
    printed.mkdir()
    version = ("--version", "0.2.0")
    commands = {
        "check": ["check"],
        "build": ["build", "--out", str(folder / "built")],
        "docker.build": ["docker.build"],
        "rehearse": ["rehearse", *version, "--skip", "images"],
        "release": ["release", *version, "--yes", "--skip", "images"],
    }
    with credentials_everywhere(home, folder) as patch:
        scene = Scene(project, folder / "state", patch, stand_ins)
        scene.serve(folder / "services")
        with recorder.active():
            # Without a token and a password of twine's, the keyring is asked.
            asked = ("release", *version, "--dry-run", "--skip", "images")
            ran = scene.run(*asked, TESTPYPI_TOKEN=None, TWINE_PASSWORD=None)
            assert "log_in_testpypi" in ran.err, ran.text
            for name, words in commands.items():
                ran = scene.run(*words)
                (printed / f"{name}.txt").write_text(ran.text, "utf-8")
                assert ran.code == (1 if name == "docker.build" else 0), ran.text
        scene.stop()
    return folder


@pytest.fixture(scope="module")
def seen(template: Project, stand_ins: dict[str, StandIn], home: Path, once: Callable[..., Path]) -> Seen:
    return Seen(once("credentials", lambda folder: run_commands(template, stand_ins, home, folder)))


class TestPrograms:
    def test_every_kind_of_program_was_started(self, seen: Seen) -> None:
        modules = ("build", "twine", "nox", "virtualenv", "pip", "releaser.rehearsal.index", "releaser.rehearsal.forge")
        for module in (*modules, "releaser.adapters.index.twine_login"):
            assert seen.running("-m", module), module
        assert seen.running("git", "push")
        assert {one.name for one in seen.started} >= {*HOOKS, "docker", "backend", "session", "installed"}

    def test_none_is_given_a_credential_that_it_has_no_use_for(self, seen: Seen) -> None:
        uploads = seen.running("-m", "twine", "--no-color", "upload")
        passed = SECRETS[PASSED]
        for one in seen.started:
            expected = {passed} | ({one.environment["TWINE_PASSWORD"]} if one in uploads else set())
            given = " | ".join(f"{name}={value}" for name, value in one.environment.items())
            for name, secret in {**ALL, **seen.made_up}.items():
                assert not traces(secret, " ".join(one.command)), f"{name} in the arguments of {one.command}"
                assert secret in expected or not traces(secret, given), f"{name} in the environment of {one.command}"

    def test_twine_is_given_the_token_of_the_index_that_it_uploads_to(self, seen: Seen) -> None:
        uploads = seen.running("-m", "twine", "--no-color", "upload")
        passwords = {one.environment["TWINE_PASSWORD"] for one in uploads}
        assert passwords == {*UPLOADS.values(), *(seen.made_up[f"the rehearsal's {name}"] for name in UPLOADS)}
        for one in uploads:
            assert one.environment["TWINE_USERNAME"] == "__token__"

    def test_all_are_given_what_the_project_passes_and_what_is_no_credential(self, seen: Seen) -> None:
        for one in seen.started:
            assert one.environment[PASSED] == SECRETS[PASSED], one.command
            assert one.environment["SSH_AUTH_SOCK"] == "/nowhere/agent"
            assert one.environment["ORDINARY"] == "yes"

    def test_an_index_and_a_proxy_stay_known_without_their_passwords(self, seen: Seen) -> None:
        for one in seen.started:
            assert one.environment["HTTPS_PROXY"] == "http://127.0.0.1:9", one.command
            if one.command[-2:] == ["config", "list"]:
                continue  # pip is asked for what its files say
            own = "http://127.0.0.1:9/simple"
            if one.environment.get("PIP_CONFIG_FILE", "").endswith("-settings/pip.conf"):
                # What installs as users do has the index that users install from, and no other.
                assert one.environment["PIP_INDEX_URL"].endswith("/simple/")
            else:
                assert one.environment["PIP_INDEX_URL"] == own, one.command

    def test_dockers_credential_helper_is_started_without_credentials(self, home: Path, tmp_path: Path) -> None:
        with credentials_everywhere(home, tmp_path):
            write_recording_program(tmp_path / "programs" / "docker-credential-tell", NO_LOGIN)
            recorder = Recorder(tmp_path / "recorded")
            environment.configure([NAMED], [])
            assert login_for("registry.invalid") is None
        (one,) = recorder.started()
        assert one.command[-1] == "get"
        given = json.dumps(one.environment, ensure_ascii=False)
        assert [name for name, secret in ALL.items() if traces(secret, given)] == []
        assert one.environment["ORDINARY"] == "yes"


class TestLeft:
    def test_nothing_that_is_printed_shows_a_credential(self, seen: Seen) -> None:
        assert "report.md" in seen.printed["release"]
        for command, text in seen.printed.items():
            for name, secret in {**ALL, **seen.made_up}.items():
                assert not traces(secret, text), f"{name} is printed by {command}"

    def test_no_file_that_is_left_holds_a_credential(self, seen: Seen) -> None:
        names = {path.name for path in seen.left}
        assert {"journal.jsonl", "report.md", "trial.log", "SHA256SUMS", "forge.json", "index.json"} <= names
        for path, text in seen.left.items():
            if path.parent.name != "tokens":
                for name, secret in {**ALL, **seen.made_up}.items():
                    assert not traces(secret, text), f"{name} is in {path}"


class Echo(BaseHTTPRequestHandler):
    """Refuses every request, and repeats who asks: as it came, percent-encoded, and in base64 of either alphabet."""

    def do_GET(self) -> None:
        sent = self.headers.get("Authorization", "nobody")
        if sent.startswith("Basic "):
            sent += base64.b64decode(sent.removeprefix("Basic ")).decode()
        encoded = [encode(f"{'x' * n}{sent}".encode()).decode() for n in range(3) for encode in ENCODINGS]
        message = " ".join([sent, quote(sent, safe=""), *encoded])
        content = json.dumps({"message": message, "errors": [{"code": "NO", "message": message}]}).encode()
        self.send_response(401 if sent == "nobody" else 422)
        self.send_header("WWW-Authenticate", "Basic")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PATCH = do_GET  # noqa: N815  http.server's names

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def echo() -> Iterator[str]:
    """The address of a service that repeats who asks."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class TestRepeated:
    @pytest.mark.parametrize("words", [("release", "--yes"), ("release", "--dry-run"), ("rollback",)])
    def test_a_token_that_a_service_repeats_is_shown_in_no_encoding(
        self, scene: Scene, echo: str, words: tuple[str, ...]
    ) -> None:
        scene.project.configure(f'api-url = "{scene.forge.url}"', f'api-url = "{echo}"')
        ran = scene.run(words[0], "--version", "0.2.0", *words[1:])
        journals = [path.read_text("utf-8") for path in scene.state.rglob("journal.jsonl")]
        assert HIDDEN in ran.text, ran.text
        assert words != ("release", "--yes") or any(HIDDEN in text for text in journals)
        for text in (ran.text, *journals):
            assert not traces(TOKENS["GITHUB_TOKEN"], text), text

    def test_a_login_of_dockers_that_a_registry_repeats_is_shown_in_no_encoding(
        self, echo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        host, password = echo.removeprefix("http://"), made_up("docker")
        login = {"auths": {host: {"auth": base64.b64encode(f"me:{password}".encode()).decode()}}}
        (tmp_path / "config.json").write_text(json.dumps(login))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        with pytest.raises(ServiceError, match="HTTP 422") as caught:
            RegistryHttp(host, "someone/tiny").ask("GET", "tags/list", "list the tags")
        assert HIDDEN in caught.value.message
        assert not traces(password, caught.value.message), caught.value.message
