"""This very project, rehearsed from the commit that is checked out: killed in the middle, gone on, ended well."""

from __future__ import annotations

import re
import signal
import zipfile

import pytest
from harness.this_project import following

# A release runs all tests of the product against the wheel. They run beside this one already: of each session that
# a release must pass, it runs some, with its real environment, and in one process: each collects all of them.
SKIP = ("--skip", "pass_e2e", "--skip", "pass_performance")
SOME = {"PYTEST_ADDOPTS": "-k version --maxprocesses=1"}


@pytest.mark.lengthy
def test_this_project_is_released_though_killed_after_testpypi(this_project, invoke, read_git):
    project, version = this_project, following(this_project)
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
