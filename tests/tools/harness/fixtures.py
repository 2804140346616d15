"""Fixtures of the tests that rehearse: a conftest.py imports those that its tests use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .projects import Project, git
from .real_invoke import Invoke, Rehearsal
from .scene import Scene, create_template, user_environment
from .stand_ins import TOKENS, ServerThread, StandIn


@pytest.fixture(scope="session")
def read_git() -> Callable[..., str]:
    """`read_git(repository, "log", ...)`: what git prints."""
    return git


@pytest.fixture(scope="session")
def create_tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Project]:
    """Creates the tiny project in a directory that is not there yet."""
    template = Project.create("tiny", tmp_path_factory.mktemp("tiny") / "tiny", "tiny-thing", "main", "origin")
    return template.copied


@pytest.fixture
def tiny_project(create_tiny, tmp_path: Path) -> Project:
    """A backend of its own, src layout, no dependencies, the version in pyproject.toml and `__init__.py`."""
    return create_tiny(tmp_path / "tiny")


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
def undisturbed(create_tiny, once) -> Rehearsal:
    """The tiny project's 0.2.0, rehearsed once for all tests, which only look at it or run the same command again."""
    return once("undisturbed", lambda home: _rehearse(create_tiny(home / "tiny"), Invoke(home / "invoke")))


def _rehearse(project: Project, invoke: Invoke) -> Rehearsal:
    # As after an editor has saved it unchanged: a git that may would note the new time in the index.
    os.utime(project.path / "README.md", (1_700_000_000, 1_700_000_000))
    before = project.snapshot()
    ended = invoke(project.path, "rehearse", "--version", "0.2.0")
    assert ended.status == 0, ended.err
    invoke.wait_until_alone()
    world = invoke.world(project, "0.2.0")
    return Rehearsal(project, invoke, before, ended, world, world.facts("v0.2.0"))


@pytest.fixture(scope="session")
def stand_ins() -> Iterator[dict[str, StandIn]]:
    """The indexes and the forge, each at one address; a test has its scene serve what is its own."""
    thread = ServerThread()
    variables = {"testpypi": "TESTPYPI_TOKEN", "pypi": "PYPI_TOKEN", "forge": "GITHUB_TOKEN"}
    running = {name: StandIn(thread, name, TOKENS[variable]) for name, variable in variables.items()}
    yield running
    for one in running.values():
        one.close()
    thread.stop()


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home directory without settings; shared, because tools fill caches in it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def template(stand_ins: dict[str, StandIn], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny project with these services in its configuration, to be copied."""
    addresses = {name: one.url for name, one in stand_ins.items()}
    return create_template(tmp_path_factory.mktemp("template") / "tiny", addresses)


@pytest.fixture
def scene(template: Project, stand_ins: dict[str, StandIn], home: Path, tmp_path: Path) -> Iterator[Scene]:
    """A copy of the tiny project for one test, with services that hold nothing."""
    with user_environment(home, tmp_path / "state") as patch:
        made = Scene(template.copied(tmp_path / "tiny"), tmp_path / "state", patch, stand_ins)
        made.serve(tmp_path / "services")
        yield made
        made.stop()
