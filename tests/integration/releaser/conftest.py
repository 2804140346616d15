"""Sample projects, the services of a release on loopback, `invoke`, and what a rehearsal leaves."""

from __future__ import annotations

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
from harness.this_project import this_project

__all__ = [
    "create_tiny",
    "home",
    "invoke",
    "read_git",
    "scene",
    "stand_ins",
    "template",
    "this_project",
    "tiny_project",
    "undisturbed",
]


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
