"""Sample projects, the services of a release on loopback, `invoke`, and what a rehearsal leaves."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.fixtures import (
    create_tiny,
    home,
    invoke,
    read_git,
    scene,
    stand_ins,
    template,
    tiny_project,
    undisturbed,
)
from harness.projects import Project, git

__all__ = [
    "create_tiny",
    "home",
    "invoke",
    "read_git",
    "scene",
    "stand_ins",
    "template",
    "tiny_project",
    "undisturbed",
]


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


@pytest.fixture
def closed() -> Iterator[str]:
    """An address at which nothing listens, and which nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def disk() -> Iterator[Callable[..., None]]:
    """Mounts a small disk at a directory, where that is allowed."""
    mounted: list[Path] = []

    def mount(path: Path, *, mib: int) -> None:
        path.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(path)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        except OSError as error:
            pytest.skip(f"no disk can be mounted here: {error}")
        if done.returncode != 0:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
        mounted.append(path)

    yield mount
    for path in mounted:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
