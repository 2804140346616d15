"""The rehearsal's registry, a real one, with faults in its requests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from image_layouts import made
from registry_program import RegistryProgram

from releaser.adapters.registry.client import Registry
from releaser.adapters.registry.oci import images
from releaser.errors import ServiceError
from releaser.rehearsal.registry.program import PROGRAM

NAME = "of/thing"


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[[str], Registry]]:
    """`begin(FAULT)`: a registry whose request is struck by this fault; the same world when it begins again."""
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"there is no {PROGRAM} program here")
    running: list[RegistryProgram] = []

    def started(*faults: str) -> Registry:
        for one in running:
            one.stop()
        options = [word for fault in faults for word in ("--at", fault)]
        running[:] = [RegistryProgram(tmp_path / "world", *options)]
        return Registry.of(f"{running[0].url.removeprefix('http://')}/{NAME}")

    yield started
    for one in running:
        one.stop()


def test_a_request_is_struck_once_and_what_it_did_is_there(begin: Callable[..., Registry], tmp_path: Path) -> None:
    layout = made(tmp_path / "layout", "thing")
    root = layout.roots()["image"]
    registry = begin("PUT:/manifests/1.0.0$:1:after:status=422", "POST:/blobs/uploads/:1:before:status=401")
    with pytest.raises(ServiceError, match="HTTP 401"):
        registry.push(layout, root)
    assert registry.find(root.digest) is None
    assert registry.push(layout, root) > 0
    with pytest.raises(ServiceError, match="HTTP 422"):
        registry.put("1.0.0", root, layout.read(root))
    assert registry.digest("1.0.0") == root.digest
    assert images(registry, root) == images(layout, root)

    healthy = begin()
    assert healthy.digest("1.0.0") == root.digest
    assert healthy.push(layout, root) == 0
