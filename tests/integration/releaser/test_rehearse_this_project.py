"""This very project, rehearsed from the commit that is checked out: killed in the middle, gone on, ended well.

By each way that it can be released: from here, and by its own workflows.
"""

from __future__ import annotations

import re
import signal
import subprocess
import zipfile
from pathlib import Path

import pytest
from harness.projects import Project
from harness.rehearsed import World

# A release runs all tests of the product against the wheel. They run beside this one already: of each session that
# a release must pass, it runs some, with its real environment, and in one process: each collects all of them.
SKIP = ("--skip", "pass_e2e", "--skip", "pass_performance")
SOME = {"PYTEST_ADDOPTS": "-k version --maxprocesses=1"}


@pytest.fixture(scope="module")
def head() -> Path:
    """The checkout that this file lies in."""
    words = ["git", "rev-parse", "--show-toplevel"]
    found = subprocess.run(words, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("not in a git checkout, so there is no commit to release")
    return Path(found.stdout.strip())


def following(project: Project) -> str:
    """The next minor version."""
    now = re.search(r'^version = "(\d+)\.(\d+)\.', (project.path / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert now
    return f"{now[1]}.{int(now[2]) + 1}.0"


@pytest.mark.lengthy
def test_this_project_is_released_though_killed_after_testpypi(head, create_clone, invoke, read_git, tmp_path):
    project = create_clone(head, tmp_path / "clone")
    version = following(project)
    before = project.snapshot()
    words = ("rehearse", "--version", version, *SKIP)

    killed = invoke(project.path, *words, "--fault", "engine:kill-after=upload_testpypi", env=SOME)
    assert killed.status == -signal.SIGKILL, killed.err
    world = invoke.world(project, version)
    assert len(world.uploads("testpypi")) == 2
    assert f"refs/tags/v{version}" not in world.refs()
    assert world.releases() == []
    built = world.built()

    ended = invoke(project.path, *words, env=SOME)
    assert ended.status == 0, ended.err
    assert world.built() == built

    # The same bytes everywhere, each file taken in once.
    files = [f"live_vlm_webui-{version}-py3-none-any.whl", f"live_vlm_webui-{version}.tar.gz"]
    both = {name: built[name] for name in files}
    assert world.served("testpypi") == both
    assert {name: digest for name, digest in world.served("pypi").items() if f"-{version}" in name} == both
    assert [line.split()[0] for line in sorted(world.uploads("testpypi"))] == files
    assert len(world.uploads("pypi")) == 3
    (release,) = world.releases()
    assert world.assets(release) == built
    for name in files:
        assert f"| {name} | {built[name]} | same | same | same |" in world.report()

    # One annotated tag at the release commit, which the branch holds, and a published release with the section.
    origin = world.origin
    assert read_git(origin, "cat-file", "-t", f"v{version}") == "tag"
    assert read_git(origin, "for-each-ref", "--format=%(contents)", f"refs/tags/v{version}").startswith(
        f"Release version {version}"
    )
    commit = read_git(origin, "rev-parse", f"v{version}^{{commit}}")
    assert read_git(origin, "rev-parse", "main") == commit
    assert read_git(origin, "rev-parse", f"{commit}^") == project.head()
    assert read_git(origin, "log", "-1", "--format=%s", commit) == f"chore: bump version to {version}"
    changelog = read_git(origin, "show", f"{commit}:CHANGELOG.md")
    section = re.search(rf"^## \[{re.escape(version)}\].*\n\n((?:.*\n)*?)(?=\n*(?:## |\[))", changelog, re.MULTILINE)
    assert section
    assert section[1].strip() in release["body"]
    assert (release["tag_name"], release["draft"], release["prerelease"]) == (f"v{version}", False, False)
    assert world.latest() == release["id"]

    # What users get says the version, fresh and upgraded.
    says = rf"`live-vlm-webui --version` prints '[^']*{re.escape(version)}'"
    assert re.search(rf"install_from_pypi: .*{says}", world.report())
    assert re.search(rf"upgrade_from_pypi: \S+ -> {re.escape(version)}; .*{says}", world.report())
    with zipfile.ZipFile(world.store / "dist" / files[0]) as wheel:
        tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {"live_vlm_webui", f"live_vlm_webui-{version}.dist-info"}
    assert project.snapshot() == before


@pytest.mark.lengthy
def test_its_workflows_release_it_to_the_same_end_as_from_here_though_the_machine_of_a_job_is_lost(
    head, create_clone, invoke, read_git, tmp_path
):
    project = create_clone(head, tmp_path / "clone")
    version = following(project)
    words = ("rehearse", "--version", version, "--quick")
    from_here = invoke(project.path, *words)
    assert from_here.status == 0, from_here.err

    # The job that pushes and publishes loses its machine when all that it does is done, and before it can say so.
    lost = invoke(project.path, *words, "--as", "ci", "--fault", "actions:kill-after=release:7")
    assert lost.status == 1, lost.err
    assert "release.yml failed in the job Tag and release" in lost.err
    ended = invoke(project.path, *words, "--as", "ci")
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
