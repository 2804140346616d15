"""A tiny project in a world of its own: a remote, two indexes and a forge on loopback, and `invoke` as a user runs it.

The stand-ins that every test shares hold nothing and are only asked. A test that wants one to hold something, or to
take something in, starts its own and points the project's configuration at it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from releaser.rehearsal import remote

SOURCE = Path(__file__).parent / "tiny-tool"
INVOKE = [sys.executable, "-m", "invoke"]
REPOSITORY = "someone/tiny-tool"
NAMES = ("testpypi", "pypi", "forge")
# Seconds to wait for what takes a few on a machine that has nothing else to do.
PATIENCE = 240

# Values that occur nowhere by accident, so that finding one in an output or a file means that it leaked.
TOKENS = {
    "TESTPYPI_TOKEN": "pypi-testpypi-Zq7vK2wXs9Lm4Rt",
    "PYPI_TOKEN": "sesame-Hd83kLqPz0Yb6Nc1",
    "GITHUB_TOKEN": "ghp_5fJm2Vx8Ta0Wq7Lr3Ck9",
}
TOKEN_OF = {"testpypi": "TESTPYPI_TOKEN", "pypi": "PYPI_TOKEN", "forge": "GITHUB_TOKEN"}
READ_ONLY = "github_pat_guest_1Bc4Dx7Gh0Jk"


@dataclass(frozen=True)
class StandIn:
    """A running stand-in."""

    name: str
    url: str
    folder: Path
    process: subprocess.Popen[str] = field(repr=False)

    @property
    def world(self) -> Path:
        return self.folder / "world"

    @property
    def token(self) -> str:
        return TOKENS[TOKEN_OF[self.name]]

    def held(self) -> dict[str, str]:
        """What it holds and was asked to change, file by file."""
        return digests(self.world, skip=(".lock", "holding", "faults"))

    def uploads(self) -> list[str]:
        """The names of the files that an index took in, and those it was sent again."""
        log = self.world / "uploads.log"
        return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []

    def mutations(self) -> list[str]:
        """What the forge was asked to change."""
        log = self.world / "mutations.log"
        return log.read_text().splitlines() if log.exists() else []

    def releases(self) -> list[dict[str, Any]]:
        """What the forge has for releases, drafts too."""
        found: list[dict[str, Any]] = json.loads((self.world / "forge.json").read_text())["releases"]
        return found

    def manage(self, version: str, **fields: str) -> None:
        """Send a form of the index's manage page, as its owner does in a browser."""
        url = f"{self.url}/manage/project/tiny-tool/release/{version}/"
        answer = requests.post(url, data=fields, auth=("__token__", self.token), timeout=10)
        assert answer.ok, answer.text


@contextmanager
def standing_in(name: str, folder: Path, *options: str | Path, tokens: Sequence[str]) -> Iterator[StandIn]:
    """A stand-in whose world and tokens lie in ``folder``; stopped at the end."""
    (folder / "world").mkdir(parents=True, exist_ok=True)
    (folder / "token").write_text("\n".join(tokens))
    module = "forge" if name == "forge" else "index"
    named = ["--repository", REPOSITORY] if name == "forge" else ["--name", name]
    command = [sys.executable, "-m", f"releaser.rehearsal.{module}", "--world", folder / "world", *named]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            [*map(str, command), "--token-file", str(folder / "token"), "--stop-with-stdin", *map(str, options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line, (folder / "log").read_text()
        yield StandIn(name, json.loads(line)["url"], folder, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)  # a failed test may have left it stopped
        process.communicate(timeout=PATIENCE)


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def words(self) -> str:
        """The text with every run of white space as one space, to look for sentences in."""
        return " ".join(self.text.split())


@dataclass
class World:
    """One checkout of the tiny project and everything around it."""

    root: Path
    stand_ins: dict[str, StandIn]
    env: dict[str, str]
    closing: ExitStack

    @property
    def checkout(self) -> Path:
        return self.root / "checkout"

    @property
    def origin(self) -> Path:
        return self.root / "origin.git"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def store(self) -> Path:
        """What is kept of 0.2.0."""
        (found,) = self.state.glob("tiny-tool-*/0.2.0")
        return found

    @property
    def testpypi(self) -> StandIn:
        return self.stand_ins["testpypi"]

    @property
    def pypi(self) -> StandIn:
        return self.stand_ins["pypi"]

    @property
    def forge(self) -> StandIn:
        return self.stand_ins["forge"]

    @property
    def tokens(self) -> dict[str, str]:
        """The tokens that the user has, by the variables that hold them."""
        return TOKENS

    # --- commands -------------------------------------------------------------------------------------------------

    def command(self, *words: str | Path) -> list[str]:
        """`invoke` and what follows it."""
        return [*INVOKE, *map(str, words)]

    def start(self, *words: str | Path, cwd: Path | None = None, **env: str | None) -> subprocess.Popen[str]:
        """Starts `invoke` in a process group of its own, its output in pipes; None takes a variable away."""
        process = subprocess.Popen(
            self.command(*words),
            cwd=cwd or self.checkout,
            env=changed(self.env, env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.closing.callback(end, process)
        return process

    def invoke(self, *words: str | Path, cwd: Path | None = None, **env: str | None) -> Ran:
        """Runs `invoke` to its end. Whatever happens, no user is shown a traceback."""
        ran = finished(self.start(*words, cwd=cwd, **env))
        assert "Traceback" not in ran.text, ran.text
        return ran

    def family(self, process: subprocess.Popen[str]) -> list[psutil.Process]:
        """Everything that a command has started and that runs now."""
        return psutil.Process(process.pid).children(recursive=True)

    def finish(self, process: subprocess.Popen[str]) -> Ran:
        """Waits for what `start` started."""
        return finished(process)

    def release(self, *words: str, **env: str | None) -> Ran:
        """`invoke release --version 0.2.0 --yes`."""
        return self.invoke("release", "--version", "0.2.0", "--yes", *words, **env)

    def git(self, *words: str | Path, cwd: Path | None = None) -> str:
        command = ["git", *map(str, words)]
        ran = subprocess.run(
            command, cwd=cwd or self.checkout, env=self.env, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    # --- making it as a test needs it -----------------------------------------------------------------------------

    def write(self, path: str, text: str) -> None:
        (self.checkout / path).write_text(text)

    def replace(self, path: str, old: str, new: str) -> None:
        """Replaces text in a file of the checkout, which must be there."""
        text = (self.checkout / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def commit(self, message: str = "A change") -> None:
        """Commits everything, and pushes it, so that the checkout is level again."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")

    def configure(self, old: str, new: str) -> None:
        """Changes pyproject.toml, committed and pushed."""
        self.replace("pyproject.toml", old, new)
        self.commit("Another configuration")

    def stand_in(
        self, name: str, *options: str, seed: Mapping[str, Any] | None = None, committed: bool = True
    ) -> StandIn:
        """Starts a stand-in for this test alone and points the project at it."""
        folder = self.root / name
        (folder / "world").mkdir(parents=True)
        if seed is not None:
            (folder / "world" / "seed.json").write_text(json.dumps(seed))
        git_dir = ["--git-dir", str(self.origin)] if name == "forge" else []
        token = TOKENS[TOKEN_OF[name]]
        own = self.closing.enter_context(standing_in(name, folder, *git_dir, *options, tokens=[token]))
        self.replace("pyproject.toml", self.stand_ins[name].url, own.url)
        if committed:
            self.commit("Another address")
        self.stand_ins[name] = own
        return own

    def own_stand_ins(self, *, committed: bool = True) -> World:
        """Starts all three for this test alone, so that a release can come out."""
        for name in NAMES:
            self.stand_in(name, committed=committed)
        return self

    # --- looking at it --------------------------------------------------------------------------------------------

    def seen(self) -> dict[str, Any]:
        """Everything that a refused command must leave as it is."""
        return {
            "remote": self.git("for-each-ref", cwd=self.origin),
            "refs": self.git("for-each-ref"),
            "head": (self.checkout / ".git" / "HEAD").read_text(),
            "status": self.git("status", "--porcelain", "--ignored"),
            "worktrees": self.git("worktree", "list").splitlines()[1:],
            "files": digests(self.checkout, skip=(".git", "__pycache__")),
            **{name: one.held() for name, one in self.stand_ins.items()},
        }

    def public(self) -> dict[str, Any]:
        """What others can see."""
        return {
            "remote": self.git("for-each-ref", cwd=self.origin),
            **{name: one.held() for name, one in self.stand_ins.items()},
        }

    def made(self) -> list[str]:
        """What of a release lies in the state directory; the journal, which holds refusals too, and the lock apart."""
        paths = (path for path in self.state.rglob("*") if path.is_file())
        return sorted(str(path) for path in paths if path.name not in ("journal.jsonl", "lock"))


def changed(env: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in {**env, **changes}.items() if value is not None}


def finished(process: subprocess.Popen[str]) -> Ran:
    """Waits for a command; one that does not end is ended with everything it started."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        pytest.fail(f"it did not end in {PATIENCE} s:\n{out}{err}")
    return Ran(process.returncode, out, err)


def end(process: subprocess.Popen[str]) -> None:
    """Ends a command that a failed test left running."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def digests(folder: Path, skip: tuple[str, ...] = ()) -> dict[str, str]:
    """sha256 of every file, by its path."""
    found = {}
    for directory, names, files in os.walk(folder):
        names[:] = [name for name in names if name not in skip]
        for name in files:
            if name not in skip:
                path = Path(directory, name)
                found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home directory without anybody's settings but a name for git; shared, because tools fill caches in it."""
    path = tmp_path_factory.mktemp("home")
    (path / ".gitconfig").write_text("[user]\n\tname = Somebody\n\temail = somebody@localhost\n")
    return path


@pytest.fixture(scope="session")
def environment(home: Path) -> dict[str, str]:
    """This process's environment with that home, the tokens, and nothing of a CI service, git or pip."""
    prefixes = ("GIT_", "GITHUB_", "ACTIONS_", "PIP_", "UV_", "XDG_", "TWINE_", "PYTEST_", "RELEASER_", "COV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    for name in ("CI", "TTY_COMPATIBLE", "FORCE_COLOR", "NO_COLOR", "VIRTUAL_ENV", "PYTHONPATH", "EMAIL"):
        kept.pop(name, None)
    return {
        **kept,
        **TOKENS,
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "TERM": "xterm",
        "COLUMNS": "200",
    }


@pytest.fixture(scope="session")
def shared_stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, StandIn]]:
    """Stand-ins that hold nothing and take nothing in, so that no test can spoil the next one's."""
    root = tmp_path_factory.mktemp("shared")
    forge = [TOKENS["GITHUB_TOKEN"], f"{READ_ONLY} guest"]
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                standing_in(name, root / name, tokens=forge if name == "forge" else ["nobody-has-this-token"])
            )
            for name in NAMES
        }


@pytest.fixture(scope="session")
def template(
    tmp_path_factory: pytest.TempPathFactory, shared_stand_ins: dict[str, StandIn], environment: dict[str, str]
) -> Path:
    """The project's checkout and its remote, to be copied: the remote's address is relative."""
    root = tmp_path_factory.mktemp("template")
    checkout = root / "checkout"
    shutil.copytree(SOURCE, checkout, ignore=shutil.ignore_patterns("__pycache__"))
    pyproject = (checkout / "pyproject.toml").read_text()
    for name, one in shared_stand_ins.items():
        pyproject = pyproject.replace(f"@{name}@", one.url)
    (checkout / "pyproject.toml").write_text(pyproject)
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message=Begin"],
        ["tag", "--annotate", "v0.1.0", "--message=Release version 0.1.0"],
        ["remote", "add", "origin", "../origin.git"],
    ):
        subprocess.run(["git", *words], cwd=checkout, env=environment, check=True)
    remote.create(root / "origin.git", checkout, "main")
    remote.guard(root / "origin.git", {})
    subprocess.run(["git", "fetch", "--quiet", "origin"], cwd=checkout, env=environment, check=True)
    return root


@pytest.fixture(scope="session")
def make_world(
    template: Path, shared_stand_ins: dict[str, StandIn], environment: dict[str, str]
) -> Iterator[Callable[..., World]]:
    """Copies the project, or another world's, into a directory, with the shared stand-ins around it."""
    with ExitStack() as stack:

        def make_world(root: Path, source: Path = template) -> World:
            for name in ("checkout", "origin.git"):
                shutil.copytree(source / name, root / name, symlinks=True)
            env = {**environment, "RELEASER_STATE_DIR": str(root / "state")}
            return World(root, dict(shared_stand_ins), env, stack.enter_context(ExitStack()))

        yield make_world


@pytest.fixture
def world(tmp_path: Path, make_world: Callable[..., World]) -> Iterator[World]:
    """A copy of the project for one test."""
    made = make_world(tmp_path)
    with made.closing:
        yield made


@dataclass(frozen=True)
class Passed:
    """A world in which everything passed and nobody was there to be asked; what the command said, and what changed."""

    world: World
    ran: Ran
    before: dict[str, Any]
    after: dict[str, Any]


@pytest.fixture(scope="session")
def passed(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., World]) -> Passed:
    """`invoke release --version 0.2.0` without a terminal."""
    world = make_world(tmp_path_factory.mktemp("passed"))
    before = world.seen()
    ran = world.invoke("release", "--version", "0.2.0")
    assert ran.code == 4, ran.text
    return Passed(world, ran, before, world.seen())


@pytest.fixture
def passed_world(passed: Passed, make_world: Callable[..., World], tmp_path: Path) -> Iterator[World]:
    """A copy of it, without the working tree, which is not needed any more."""
    made = make_world(tmp_path, passed.world.root)
    shutil.copytree(passed.world.state, made.state, ignore=shutil.ignore_patterns("worktree"))
    made.git("worktree", "prune")
    with made.closing:
        yield made


@dataclass
class Watch:
    """What was seen of the processes that a command started.

    Attributes:
        commands: Their command lines.
        trusted: The command lines of those that had a token in their environment.
    """

    commands: set[str] = field(default_factory=set)
    trusted: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    def look(self, session: int) -> None:
        """Reads about every process of a session, over and over."""
        while not self.over.wait(0.02):
            for pid in psutil.pids():
                try:
                    if os.getsid(pid) == session:
                        self._see(Path("/proc", str(pid)))
                except OSError:
                    continue

    def _see(self, process: Path) -> None:
        command = process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
        environment = process.joinpath("environ").read_bytes().decode("utf-8", "replace")
        self.commands.add(command)
        if any(token in environment for token in TOKENS.values()):
            self.trusted.add(command)


@dataclass(frozen=True)
class Released:
    """A world in which 0.2.0 was released, what the command said, and what was seen meanwhile."""

    world: World
    before: dict[str, Any]
    ran: Ran
    watch: Watch


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory, make_world: Callable[..., World]) -> Released:
    """`invoke release --version 0.2.0 --yes`, to its good end, once for all tests that look at it."""
    world = make_world(tmp_path_factory.mktemp("released")).own_stand_ins()
    before, watch = world.seen(), Watch()
    process = world.start("release", "--version", "0.2.0", "--yes")
    looking = threading.Thread(target=watch.look, args=[process.pid])
    looking.start()
    try:
        ran = finished(process)
    finally:
        watch.over.set()
        looking.join()
    assert ran.code == 0, ran.text
    return Released(world, before, ran, watch)


@pytest.fixture
def unchanged() -> Callable[[World], AbstractContextManager[None]]:
    """A block in which nothing changes that anybody would miss or find."""

    @contextmanager
    def unchanged(world: World) -> Iterator[None]:
        before = world.seen()
        yield
        assert world.seen() == before
        assert "refs/releaser" not in before["refs"]
        assert world.made() == []

    return unchanged


@pytest.fixture
def refused(world: World, unchanged: Callable[[World], AbstractContextManager[None]]) -> Callable[..., Ran]:
    """Tries to release, and sees it refused in these words, with nothing changed."""

    def refused(*sentences: str, code: int = 3, version: str = "0.2.0", **env: str | None) -> Ran:
        with unchanged(world):
            ran = world.invoke("release", "--version", version, "--yes", **env)
        assert ran.code == code, ran.text
        for sentence in sentences:
            assert sentence in ran.words, ran.text
        assert ran.err.startswith("error: ")
        assert "\n  -> " in ran.err
        return ran

    return refused


@pytest.fixture
def read_only_token() -> str:
    """A token that the forge knows, and that may not write."""
    return READ_ONLY


@pytest.fixture
def until() -> Callable[..., None]:
    """Waits until something holds, such as a file being there."""

    def until(holds: Callable[[], object], what: str) -> None:
        ends = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < ends, f"waited {PATIENCE} s for {what}"
            time.sleep(0.05)

    return until
