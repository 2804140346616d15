"""A project as small as a release can be, its remote, and the stand-ins that its configuration points at."""

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

TOKEN = "pypi-loopback"
REPOSITORY = "somebody/tinyware"

_PYPROJECT = f"""
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "tinyware"
version = "0.1.0"
description = "As small as a release can be"
readme = "README.md"
requires-python = ">=3.10"

[project.scripts]
tinyware = "tinyware:main"

[tool.releaser]
version-files = [
  {{ path = "pyproject.toml", key = "project.version", scheme = "pep440" }},
  {{ path = "src/tinyware/__init__.py", pattern = '__version__ = "{{version}}"' }},
]

[tool.releaser.qualify]
sessions = ["smoke"]

[tool.releaser.forge]
repository = "{REPOSITORY}"
"""

_FILES = {
    "pyproject.toml": _PYPROJECT,
    "src/tinyware/__init__.py": """
import argparse

__version__ = "0.1.0"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", action="version", version=__version__)
    parser.parse_args()
""",
    "noxfile.py": """
import os

import nox

nox.options.default_venv_backend = "uv|virtualenv"


@nox.session
def smoke(session):
    session.install(os.environ.get("RELEASER_WHEEL") or ".")
    session.run("python", "-c", "import tinyware")
""",
    "tasks.py": """
from releaser.tasks import namespace

__all__ = ["namespace"]
""",
    "CHANGELOG.md": """
# Changelog

## [Unreleased]

### Added
- Everything.
""",
    "README.md": "# tinyware\n",
    "LICENSE": "Do as you like.\n",
    ".gitignore": "__pycache__/\n",
}


@dataclass(frozen=True)
class Project:
    """A clone of a bare remote beside it."""

    root: Path

    @property
    def remote(self) -> Path:
        return self.root.with_name("origin.git")

    def git(self, *words: str, given: str | None = None) -> str:
        return subprocess.run(
            ["git", *words], cwd=self.root, check=True, capture_output=True, text=True, input=given
        ).stdout

    def run(self, words: Sequence[str | Path]) -> str:
        """Run a program in the clone, which must succeed; what it prints."""
        done = subprocess.run(words, cwd=self.root, env=self.environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def environment(self) -> dict[str, str]:
        """Loopback without a proxy, and Python's cache of what it compiles as it is by default."""
        tokens = dict.fromkeys(("PYPI_TOKEN", "TESTPYPI_TOKEN", "GITHUB_TOKEN"), TOKEN)
        loopback = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
        given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**given, **tokens, **loopback, "RELEASER_STATE_DIR": str(self.root.with_name("state"))}


@pytest.fixture
def tinyware(tmp_path: Path) -> Project:
    """The project, committed and level with its remote."""
    project = Project(tmp_path / "tinyware")
    for name, text in _FILES.items():
        path = project.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip(), "utf-8")
    project.git("init", "--quiet", "--initial-branch=main")
    project.git("config", "user.name", "Somebody")
    project.git("config", "user.email", "somebody@localhost")
    commit_all(project, "As small as a release can be")
    project.git("init", "--quiet", "--bare", "--initial-branch=main", str(project.remote))
    project.git("remote", "add", "origin", str(project.remote))
    project.git("push", "--quiet", "origin", "main")
    return project


@pytest.fixture
def pointed(tinyware: Project, tmp_path: Path) -> Iterator[Project]:
    """The project with its addresses pointed at an index, another and a forge that run on loopback."""
    with stand_ins(tmp_path / "world", tinyware.remote) as (testpypi, pypi, forge):
        lines = [f'api-url = "{forge}"', f'web-url = "{forge}"']
        for name, url in (("testpypi", testpypi), ("pypi", pypi)):
            lines += ["", f"[tool.releaser.{name}]", f'upload-url = "{url}/legacy/"', f'simple-url = "{url}/simple/"']
            lines += [f'web-url = "{url}"']
        path = tinyware.root / "pyproject.toml"
        path.write_text(path.read_text("utf-8") + "\n".join(lines) + "\n", "utf-8")
        commit_all(tinyware, "Point at loopback")
        tinyware.git("push", "--quiet", "origin", "main")
        yield tinyware


def commit_all(project: Project, message: str) -> None:
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", message)


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
