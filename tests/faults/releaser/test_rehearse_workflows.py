"""This very project, released by its own workflows on this machine, and a job of them lost in the middle."""

from __future__ import annotations

import re
import zipfile

from harness.rehearsed import World
from harness.this_project import following


def test_its_workflows_release_it_to_the_same_end_as_from_here_though_the_machine_of_a_job_is_lost(
    this_project, invoke, read_git
):
    project, version = this_project, following(this_project)
    words = ("rehearse", "--version", version, "--quick")

    def rehearse(*more: str):
        # With an engine, the images would take longer than all else; tests of their own have workflows build some.
        return invoke(project.path, *words, *more, env={"DOCKER_HOST": "unix:///nowhere.sock"})

    from_here = rehearse()
    assert from_here.status == 0, from_here.err

    # The job that pushes and publishes loses its machine when all that it does is done, and before it can say so.
    lost = rehearse("--as", "ci", "--fault", "actions:kill-after=release:6")
    assert lost.status == 1, lost.err
    assert "release.yml failed in the job Tag and release" in lost.err
    ended = rehearse("--as", "ci")
    assert ended.status == 0, ended.err

    here = invoke.world(project, version)
    there = World(here.path.with_name(f"{here.path.name}-ci"), version)
    tag = f"refs/tags/v{version}^{{commit}}"
    facts = [world.public_facts(world.built(), read_git(world.origin, "rev-parse", tag)) for world in (here, there)]
    assert facts[0] == facts[1]
    assert read_git(here.origin, "rev-parse", f"v{version}^{{tree}}") == read_git(
        there.origin, "rev-parse", f"v{version}^{{tree}}"
    )
    assert members(here, version) == members(there, version)
    for job in (
        "TestPyPI: passed in .*, environment testpypi, approved by reviewer; used id-token: write",
        "Tag and release: passed in .*, environment release, approved by .*; used actions: write, contents: write",
        "Attest: passed in .*; used attestations: write, id-token: write",
        "PyPI: passed in .*, environment release, approved by reviewer; used contents: read, id-token: write",
    ):
        assert re.search(job, ended.out), ended.out


def members(world: World, version: str) -> dict[str, bytes]:
    """What the wheel holds, but for its list of hashes."""
    with zipfile.ZipFile(world.store / "dist" / f"live_vlm_webui-{version}-py3-none-any.whl") as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}
