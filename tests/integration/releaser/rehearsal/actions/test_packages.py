"""The rehearsal's registry lets a login do with images what its forge says, as GitHub's does."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from image_layouts import made
from registry_program import RegistryProgram

from releaser.adapters.registry.client import Registry
from releaser.adapters.registry.oci import Descriptor
from releaser.errors import ServiceError
from releaser.rehearsal.registry.program import PROGRAM
from releaser.secret import Secret

NAME = "team/thing"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryProgram]:
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"there is no {PROGRAM} program here")
    running = RegistryProgram(tmp_path / "registry", "--services", str(tmp_path / "services.json"))
    yield running
    running.stop()


async def test_a_login_may_do_with_images_what_its_permissions_say_as_long_as_its_job_runs(hub, registry, tmp_path):
    github = await hub(nothing="on: {workflow_dispatch: }\npermissions: {}\njobs: {a: {runs-on: x, steps: []}}\n")
    (tmp_path / "services.json").write_text(json.dumps({"forge": {"api_url": github.url}}))
    layout = made(tmp_path / "layout", "thing")
    root = layout.roots()["image"]

    def client(token: str | None) -> Registry:
        secret = Secret(token) if token else None
        return Registry.of(f"{registry.url.removeprefix('http://')}/{NAME}", secret, "GITHUB_TOKEN")

    async def pushes(token: str | None) -> str:
        """Push the image; return what came of it."""
        try:
            await asyncio.to_thread(client(token).push, layout, root)
            await asyncio.to_thread(client(token).put, "1.0.0", root, layout.read(root))
        except ServiceError as error:
            return str(error)
        return "pushed"

    async def finds(token: str | None) -> Descriptor | None:
        return await asyncio.to_thread(client(token).find, "1.0.0")

    def job(**permissions: str):
        return github.actions.tokens.issue(permissions, {})

    reads, writes, neither = job(packages="read"), job(packages="write"), job(contents="write")
    for token in (None, reads.token, neither.token):
        assert "HTTP 403" in await pushes(token)
    assert "HTTP 403" in await pushes("ghs_of_no_job")
    assert await pushes(writes.token) == "pushed"
    assert await pushes("ghp_ada") == "pushed"
    # What is public can be read by everybody: only a login that is none is refused.
    for token in (None, reads.token, neither.token, writes.token):
        assert (await finds(token)).digest == root.digest
    assert (reads.used, neither.used) == ({"packages: read"}, set())
    assert writes.used == {"packages: read", "packages: write"}

    github.actions.tokens.end(writes)
    with pytest.raises(ServiceError, match="HTTP 403"):
        await finds(writes.token)
