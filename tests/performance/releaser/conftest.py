"""The tiny project, its remote, and the stand-ins that its configuration points at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness.projects import Project

TOKEN = "pypi-loopback"
REPOSITORY = "somebody/tiny-thing"
CONFIGURATION = f"""
[tool.releaser.qualify]
sessions = ["smoke"]

[tool.releaser.forge]
repository = "{REPOSITORY}"
"""


@dataclass(frozen=True)
class Runner:
    """Runs programs in a directory, with state of the engine beside it."""

    root: Path

    def __call__(self, words: Sequence[str | Path]) -> str:
        """Run a program, which must succeed; return what it prints."""
        done = subprocess.run(words, cwd=self.root, env=self.environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def environment(self) -> dict[str, str]:
        """Return loopback without a proxy, and Python's cache of what it compiles as it is by default."""
        tokens = dict.fromkeys(("PYPI_TOKEN", "TESTPYPI_TOKEN", "GITHUB_TOKEN"), TOKEN)
        loopback = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
        given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**given, **tokens, **loopback, "RELEASER_STATE_DIR": str(self.root.with_name("state"))}


@pytest.fixture
def tiny(tmp_path: Path) -> Project:
    """The project, committed and level with its remote."""
    project = Project.create("tiny", tmp_path / "tiny", "tiny-thing", "main", "origin", CONFIGURATION)
    project.git("config", "user.name", "Somebody")
    project.git("config", "user.email", "somebody@localhost")
    return project


@pytest.fixture
def run(tiny: Project) -> Runner:
    """Runs programs in the project."""
    return Runner(tiny.path)


@pytest.fixture
def pointed(tiny: Project, tmp_path: Path) -> Iterator[Project]:
    """The project with its addresses pointed at an index, another and a forge that run on loopback."""
    with stand_ins(tmp_path / "world", tiny.origin) as (testpypi, pypi, forge):
        lines = [f'api-url = "{forge}"', f'web-url = "{forge}"']
        for name, url in (("testpypi", testpypi), ("pypi", pypi)):
            lines += ["", f"[tool.releaser.{name}]", f'upload-url = "{url}/legacy/"', f'simple-url = "{url}/simple/"']
            lines += [f'web-url = "{url}"']
        text = (tiny.path / "pyproject.toml").read_text("utf-8")
        tiny.write("pyproject.toml", text + "\n".join(lines) + "\n")
        tiny.commit("Point at loopback")
        yield tiny


@contextmanager
def stand_ins(world: Path, remote: Path) -> Iterator[list[str]]:
    """Their addresses: TestPyPI, PyPI, forge."""
    world.mkdir()
    token = world / "token"
    token.write_text(TOKEN, "utf-8")
    commands = [
        ["releaser.rehearsal.index", "--name", "testpypi"],
        ["releaser.rehearsal.index", "--name", "pypi"],
        ["releaser.rehearsal.forge", "--repository", REPOSITORY, "--git-dir", str(remote)],
    ]
    with ExitStack() as stack:
        running = []
        for number, (module, *words) in enumerate(commands):
            common = ["--world", str(world / str(number)), "--token-file", str(token), "--stop-with-stdin"]
            process = subprocess.Popen(
                [sys.executable, "-m", module, *words, *common], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            stack.enter_context(process)  # closes its standard input, at which it stops, and waits for it
            running.append(process)
        yield [json.loads(process.stdout.readline())["url"] for process in running if process.stdout]


@pytest.fixture
def best_of() -> Callable[..., list[float]]:
    """The shortest time of each alternative, in seconds.

    They are taken in turn, so that a busy spell of the machine meets all of them.
    """

    def timed(rounds: int, *alternatives: Callable[[], object]) -> list[float]:
        seconds: list[list[float]] = [[] for _ in alternatives]
        for _ in range(rounds):
            for taken, alternative in zip(seconds, alternatives, strict=True):
                began = time.perf_counter()
                alternative()
                taken.append(time.perf_counter() - began)
        return [min(taken) for taken in seconds]

    return timed


@pytest.fixture
def invoke() -> list[str]:
    """The command; its environment may not be activated."""
    return [sys.executable, "-m", "invoke"]
