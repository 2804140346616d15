"""Sample projects, the real `invoke` run on them, and the world that a rehearsal leaves, read without the engine."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

RUN_SECONDS = 600
GONE_SECONDS = 15
INVOKE = Path(sys.executable).with_name("invoke")

SAMPLES = Path(__file__).with_name("samples")


def git(where: Path, *words: str) -> str:
    """What git prints in a repository, independent of whoever's configuration."""
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ("-c", "user.name=Sample", "-c", "user.email=sample@localhost")
    done = subprocess.run(["git", *who, *words], cwd=where, capture_output=True, text=True, env={**clean, **own})
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
    return done.stdout.rstrip("\n")


@dataclass(frozen=True)
class Project:
    """A sample project in a git checkout that has a remote."""

    path: Path
    distribution: str
    branch: str
    remote: str

    @classmethod
    def create(cls, sample: str, path: Path, distribution: str, branch: str, remote: str) -> Project:
        """Copies one of the samples and commits it, with a bare remote beside it that is level with it."""
        project = cls(path, distribution, branch, remote)
        shutil.copytree(SAMPLES / sample, path, ignore=shutil.ignore_patterns("__pycache__"))
        bare = path.with_name(f"{path.name}.git")
        git(path, "init", "--quiet", f"--initial-branch={branch}")
        git(path, "init", "--quiet", "--bare", f"--initial-branch={branch}", str(bare))
        git(path, "remote", "add", remote, str(bare))
        project.commit("A project")
        return project

    def write(self, name: str, text: str) -> None:
        """Writes one file."""
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text, "utf-8", newline="")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replaces a text that stands in a file once."""
        text = (self.path / name).read_text("utf-8")
        assert text.count(old) == 1
        self.write(name, text.replace(old, new))

    def commit(self, message: str) -> None:
        """Commits everything and pushes it."""
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--message", message)
        git(self.path, "push", "--quiet", self.remote, self.branch)

    def head(self) -> str:
        """The commit that is checked out."""
        return git(self.path, "rev-parse", "HEAD")

    def snapshot(self) -> dict[str, str]:
        """Every file by its hash, .git's among them: HEAD, index, refs, configuration, objects."""
        return {
            str(file.relative_to(self.path)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in self.path.rglob("*")
            # Python itself leaves its cache beside tasks.py; the project ignores it.
            if file.is_file() and "__pycache__" not in file.parts
        }


@dataclass(frozen=True)
class Ended:
    """How a program ended; `status` is negative for a signal."""

    status: int
    out: str
    err: str
    seconds: float


@dataclass
class Invoke:
    """Runs the real `invoke` as its users do, each time as the leader of a process group of its own.

    Attributes:
        home: An empty directory for the engine's state and for what the runs print.
        program: The `invoke` of the environment that runs the tests.
    """

    home: Path
    program: Path = INVOKE
    _runs: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "gitconfig").write_text("[user]\n\tname = Releaser\n\temail = releaser@localhost\n")

    @property
    def state(self) -> Path:
        """Where the engine keeps its state."""
        return self.home / "state"

    def environment(self, changes: Mapping[str, str] | None = None) -> dict[str, str]:
        """The tests' environment, without what would lead git, the engine or nox elsewhere."""
        foreign = ("GIT_", "RELEASER_", "NOX", "TWINE_", "GITHUB_", "PYPI_", "TESTPYPI_", "INVOKE_", "ACTIONS_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        own = {
            "RELEASER_STATE_DIR": str(self.state),
            "GIT_CONFIG_GLOBAL": str(self.home / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        return {**kept, **own, **(changes or {})}

    def __call__(self, where: Path, *words: str, env: Mapping[str, str] | None = None) -> Ended:
        """Runs it to its end."""
        return self.until(lambda: False, where, *words, env=env)

    def until(
        self, happens: Callable[[], bool], where: Path, *words: str, env: Mapping[str, str] | None = None
    ) -> Ended:
        """Runs it, and kills its process group as soon as something happens; the status tells which came first."""
        self._runs += 1
        prints = [self.home / f"{self._runs}.{stream}" for stream in ("out", "err")]
        begun = time.monotonic()
        # Files, not pipes: a pipe that outlives the killed run would keep the test waiting.
        with prints[0].open("wb") as out, prints[1].open("wb") as err:
            process = subprocess.Popen(
                [self.program, *words],
                cwd=where,
                env=self.environment(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        try:
            while process.poll() is None and not happens():
                assert time.monotonic() - begun < RUN_SECONDS, f"invoke {' '.join(words)} takes too long"
                time.sleep(0.02)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        out_text, err_text = (file.read_text("utf-8", "replace") for file in prints)
        return Ended(process.returncode, out_text, err_text, time.monotonic() - begun)

    def world(self, project: Project, version: str) -> World:
        """What rehearsing a version of the project's HEAD has left."""
        return World(self.state / "rehearsals" / f"{project.distribution}-{project.head()[:12]}-{version}", version)

    def left(self) -> list[psutil.Process]:
        """Processes that work below its home: what runs have started and not ended."""
        return [one for one in psutil.process_iter() if one.pid != os.getpid() and self._is_ours(one)]

    def wait_until_alone(self) -> None:
        """Waits for the stand-ins of killed runs to end by themselves; whatever does not is ended, and fails."""
        give_up = time.monotonic() + GONE_SECONDS
        while (left := self.left()) and time.monotonic() < give_up:
            time.sleep(0.05)
        for one in left:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        assert not left, f"still running after {GONE_SECONDS} s: {left}"

    def _is_ours(self, process: psutil.Process) -> bool:
        mark = f"{self.home}{os.sep}"
        try:
            return any(mark in word for word in [*process.cmdline(), f"{process.cwd()}{os.sep}"])
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False


@dataclass(frozen=True)
class World:
    """What a rehearsal has published and kept, as its files show it; nothing here asks the engine."""

    path: Path
    version: str

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.path / "origin.git"

    @property
    def store(self) -> Path:
        """What the engine keeps of this version."""
        (found,) = (self.path / "state").glob(f"*/{self.version}")
        return found

    def built(self) -> dict[str, str]:
        """sha256 of each file in the build directory, computed from its bytes."""
        return {file.name: _sha256(file) for file in sorted((self.store / "dist").iterdir())}

    def served(self, index: str) -> dict[str, str]:
        """sha256 of each file that an index's document names, computed from the bytes that it holds."""
        document = json.loads((self.path / index / "index.json").read_bytes())
        files = [
            file
            for project in document["projects"].values()
            for release in project["releases"].values()
            for file in release["files"].values()
        ]
        stored = self.path / index / "files"
        return {one["filename"]: _sha256(stored / one["digests"]["sha256"][:16] / one["filename"]) for one in files}

    def uploads(self, index: str) -> list[str]:
        """The index's log: a line for each file taken in, and one for each that came again."""
        return _lines(self.path / index / "uploads.log")

    def mutations(self) -> list[str]:
        """Method, path and status of each request that could change something at the forge."""
        return _lines(self.path / "forge" / "mutations.log")

    def releases(self) -> list[dict[str, Any]]:
        """The forge's releases."""
        return list(self._forge()["releases"])

    def milestones(self) -> dict[str, str]:
        """The forge's milestones by title: open or closed."""
        return {one["title"]: one["state"] for one in self._forge()["milestones"]}

    def latest(self) -> int | None:
        """The number of the release that was made the latest."""
        return self._forge()["latest"]

    def assets(self, release: Mapping[str, Any]) -> dict[str, str]:
        """sha256 of each asset that is there completely, computed from the bytes that the forge holds."""
        stored = self.path / "forge" / "assets"
        return {
            one["name"]: _sha256(stored / str(one["id"])) for one in release["assets"] if one["state"] == "uploaded"
        }

    def refs(self) -> dict[str, str]:
        """The remote's refs: what each holds, and what its object is."""
        lines = git(self.origin, "for-each-ref", "--format=%(refname) %(objecttype) %(objectname)").splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def report(self) -> str:
        """The last report."""
        return (self.store / "report.md").read_text("utf-8")

    def _forge(self) -> dict[str, Any]:
        document = self.path / "forge" / "forge.json"
        return dict(json.loads(document.read_bytes()))

    def facts(self, tag: str) -> dict[str, Any]:
        """All that matters of a released world, in words that are the same for every world in which it went well.

        Hashes are replaced by what they are the hash of, addresses of stand-ins and dates by a word.
        """
        built = self.built()
        commit = git(self.origin, "rev-parse", f"{tag}^{{commit}}")
        checkout = self.path / "checkout"

        def same(files: Mapping[str, str]) -> dict[str, str]:
            return {
                name: "as built" if built.get(name) == digest else "other" for name, digest in sorted(files.items())
            }

        def plain(text: str) -> str:
            text = re.sub(r"http://127\.0\.0\.1:\d+", "http://loopback", text.replace(commit, "COMMIT"))
            return re.sub(r"\d{4}-\d\d-\d\d", "DATE", re.sub(r"(?m)^index .*\n", "", text))

        return {
            "built": sorted(built),
            "testpypi": same(self.served("testpypi")),
            "pypi": same(self.served("pypi")),
            "uploads": {
                index: sorted(line.split()[0] for line in self.uploads(index)) for index in ("testpypi", "pypi")
            },
            "releases": [
                {
                    key: plain(str(one[key]))
                    for key in ("tag_name", "name", "body", "draft", "prerelease", "target_commitish")
                }
                | {"assets": same(self.assets(one)), "latest": self.latest() == one["id"]}
                | {"broken assets": len(one["assets"]) - len(self.assets(one))}
                for one in self.releases()
            ],
            "releases made": sum(bool(re.fullmatch(r"POST \S+/releases 201", line)) for line in self.mutations()),
            "milestones": self.milestones(),
            "refs": {ref: held.split()[0] for ref, held in self.refs().items()},
            "tag": plain(git(self.origin, "for-each-ref", "--format=%(*objectname)%0a%(contents)", f"refs/tags/{tag}")),
            "history": git(self.origin, "log", "--format=%s", "--all"),
            "change": plain(git(self.origin, "show", "--format=", commit)),
            "checkout": plain(git(checkout, "for-each-ref", "--format=%(refname) %(objecttype)")),
            "checkout at": plain(git(checkout, "rev-parse", "HEAD")) + git(checkout, "status", "--porcelain"),
            "working trees": len(git(checkout, "worktree", "list").splitlines()),
            "kept": sorted(_kept(self.store)),
        }


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal that nothing disturbed.

    Attributes:
        before: The user's checkout before it.
        ended: How it ended.
        world: What it left.
        facts: The same in words, as `World.facts` has them.
    """

    project: Project
    invoke: Invoke
    before: dict[str, str]
    ended: Ended
    world: World
    facts: dict[str, Any]


@pytest.fixture(scope="session")
def read_git() -> Callable[..., str]:
    """`read_git(repository, "log", ...)`: what git prints."""
    return git


@pytest.fixture(scope="session")
def create_tiny() -> Callable[[Path], Project]:
    """Creates the tiny project in a directory that is not there yet."""
    return lambda path: Project.create("tiny", path, "tiny-thing", "main", "origin")


@pytest.fixture
def tiny_project(create_tiny, tmp_path: Path) -> Project:
    """hatchling, src layout, no dependencies, no sessions, the version in pyproject.toml and `__init__.py`."""
    return create_tiny(tmp_path / "tiny")


@pytest.fixture(scope="session")
def create_odd() -> Callable[[Path], Project]:
    """Creates the project of another make in a directory that is not there yet."""
    return lambda path: Project.create("odd", path, "odd-tool", "trunk", "upstream")


@pytest.fixture
def setuptools_project(create_odd, tmp_path: Path) -> Project:
    """setuptools, flat layout, a dependency, a session, the version in three files of other kinds, other names."""
    return create_odd(tmp_path / "odd")


@pytest.fixture(scope="session")
def create_clone() -> Callable[[Path, Path], Project]:
    """Clones the checked-out commit of this project; right after a release, with an entry to release."""

    def create(source: Path, path: Path) -> Project:
        # With the developer's own git configuration, which may have to call the checkout safe.
        words = ["git", "clone", "--quiet", "--no-tags", f"file://{source}", str(path)]
        subprocess.run(words, cwd=source, check=True, capture_output=True)
        git(path, "checkout", "--quiet", "-B", "main", git(path, "rev-parse", "HEAD"))
        project = Project(path, "live-vlm-webui", "main", "origin")
        text = (path / "CHANGELOG.md").read_text("utf-8")
        unreleased = re.search(r"^## \[Unreleased\]\n((?:(?!## |\[).*\n)*)", text, re.MULTILINE)
        assert unreleased
        if not unreleased[1].strip():
            entry = "\n### Changed\n\n- Nothing since the last release.\n"
            project.write("CHANGELOG.md", text[: unreleased.start(1)] + entry + text[unreleased.start(1) :])
            git(path, "commit", "--quiet", "--all", "--message", "Something to release")
        return project

    return create


@pytest.fixture(scope="session")
def create_invoke() -> Iterator[Callable[[Path], Invoke]]:
    """Makes an `invoke` with state of its own below a directory; at the end nothing that it started may still run."""
    made: list[Invoke] = []

    def create(home: Path) -> Invoke:
        made.append(Invoke(home))
        return made[-1]

    yield create
    for one in made:
        one.wait_until_alone()


@pytest.fixture
def invoke(tmp_path: Path) -> Iterator[Invoke]:
    """`invoke(project.path, "rehearse", "--version", "0.2.0")`, with state of its own."""
    made = Invoke(tmp_path / "invoke")
    yield made
    made.wait_until_alone()


@pytest.fixture(scope="session")
def undisturbed(create_tiny, create_invoke, tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """The tiny project's 0.2.0, rehearsed once for all tests, which only look at it or run the same command again."""
    home = tmp_path_factory.mktemp("undisturbed")
    project, run = create_tiny(home / "tiny"), create_invoke(home / "invoke")
    # As after an editor has saved it unchanged: a git that may would note the new time in the index.
    os.utime(project.path / "README.md", (1_700_000_000, 1_700_000_000))
    before = project.snapshot()
    ended = run(project.path, "rehearse", "--version", "0.2.0")
    assert ended.status == 0, ended.err
    world = run.world(project, "0.2.0")
    return Rehearsal(project, run, before, ended, world, world.facts("v0.2.0"))


def _kept(store: Path) -> Iterator[str]:
    for file in store.rglob("*"):
        if file.is_file() or file.name == "worktree":
            yield re.sub(r"receipts/[0-9a-f]+/", "receipts/WHEEL/", file.relative_to(store).as_posix())


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
