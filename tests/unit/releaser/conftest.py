"""A tiny project in a git checkout with a local remote; the services in its configuration are nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.projects import Project
from harness.scene import NOWHERE, Scene, create_template, user_environment


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, to be copied."""
    return create_template(
        tmp_path_factory.mktemp("template") / "tiny", dict.fromkeys(("testpypi", "pypi", "forge"), NOWHERE)
    )


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home directory without settings; shared, because tools fill caches in it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def scene(template: Project, home: Path, tmp_path: Path) -> Iterator[Scene]:
    """A copy of the project for one test."""
    with user_environment(home, tmp_path / "state") as patch:
        yield Scene(template.copied(tmp_path / "tiny"), tmp_path / "state", patch)
