"""The index, files to upload, and twine."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from index_server import Files, Index, IndexProcess, index_server, twine_upload


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "dist")


@pytest.fixture
def start_index(tmp_path: Path) -> Iterator[Callable[..., Index]]:
    """Start the index on the test's one world, with more options if given."""
    with index_server(tmp_path) as start:
        yield start


@pytest.fixture
def start_process(tmp_path: Path) -> Iterator[Callable[..., IndexProcess]]:
    """Start it as a process, which can be killed."""
    with index_server(tmp_path) as start:
        yield partial(start, kind=IndexProcess)


@pytest.fixture(scope="module")
def shared_index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index for tests that need no fresh one: each takes a project name of its own."""
    root = tmp_path_factory.mktemp("index")
    with index_server(root) as start:
        yield start("--oidc-secret-file", str(root / "secret"))


@pytest.fixture
def twine() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run ``twine upload`` to a URL."""
    return twine_upload
