"""A project of another make, with other names for everything, is released by the same plan: nothing is hard-wired."""

from __future__ import annotations

import re
import zipfile

import pytest
from harness.projects import Project
from harness.real_invoke import Invoke


@pytest.fixture(scope="session")
def odd(once):
    """The other project's 1.5.0, rehearsed once: project, world, the checkout before.

    setuptools, flat layout, a dependency, a session, the version in three files of other kinds, other names.
    """

    def rehearse(home):
        project, invoke = Project.create("odd", home / "odd", "odd-tool", "trunk", "upstream"), Invoke(home / "invoke")
        before = project.snapshot()
        ended = invoke(project.path, "rehearse", "--version", "1.5.0")
        assert ended.status == 0, ended.err
        invoke.wait_until_alone()
        return project, invoke.world(project, "1.5.0"), before

    return once("odd", rehearse)


def test_other_branch_tag_and_texts_reach_the_remote(odd, read_git):
    project, world, before = odd
    assert world.refs().keys() == {"refs/heads/trunk", "refs/tags/release-1.5.0"}
    assert read_git(world.origin, "cat-file", "-t", "release-1.5.0") == "tag"
    assert read_git(world.origin, "for-each-ref", "--format=%(contents)", "refs/tags") == "odd-tool 1.5.0"
    assert read_git(world.origin, "rev-parse", "release-1.5.0^{}") == read_git(world.origin, "rev-parse", "trunk")
    assert read_git(world.origin, "log", "--format=%s", "trunk").splitlines() == ["Release 1.5.0", "A project"]
    assert read_git(world.path / "checkout", "remote") == "upstream"
    assert project.snapshot() == before


def test_version_is_raised_in_each_kind_of_file_and_nothing_else_changes(odd, read_git):
    project, world, _ = odd
    changed = read_git(world.origin, "diff", "--name-only", "trunk^", "trunk").splitlines()
    files = ["oddity/_version.py", "oddity/about.toml", "setup.cfg"]
    assert changed == ["docs/HISTORY.md", *files]
    for name in files:
        assert read_git(world.origin, "show", f"trunk:{name}") == (project.path / name).read_text("utf-8").replace(
            "1.4.0", "1.5.0"
        ).rstrip("\n")
    history = read_git(world.origin, "show", "trunk:docs/HISTORY.md")
    assert re.search(r"## \[1\.5\.0\] - \d{4}-\d\d-\d\d\n\n### Changed\n\n- Odder than before\.", history)


def test_same_bytes_are_everywhere_under_the_other_name(odd):
    _, world, _ = odd
    built = world.built()
    files = ["odd_tool-1.5.0-py3-none-any.whl", "odd_tool-1.5.0.tar.gz"]
    both = {name: built[name] for name in files}
    assert world.served("testpypi") == both
    assert {name: digest for name, digest in world.served("pypi").items() if "1.4.0" not in name} == both
    (release,) = world.releases()
    assert world.assets(release) == built
    assert [line.split()[0] for line in sorted(world.uploads("testpypi"))] == files
    with zipfile.ZipFile(world.store / "dist" / files[0]) as wheel:
        assert b'release = "1.5.0"' in wheel.read("oddity/about.toml")


def test_release_carries_the_project_s_own_texts(odd):
    _, world, _ = odd
    (release,) = world.releases()
    assert (release["tag_name"], release["draft"]) == ("release-1.5.0", False)
    assert release["name"] == "Odd 1.5.0: Odder than before"
    assert release["body"].startswith(
        "### Changed\n\n- Odder than before.\n\nInstall it: pip install odd-tool==1.5.0\n"
    )
    assert re.search(r"\[docs/HISTORY\.md\]\(\S+/somebody/odd/blob/release-1\.5\.0/docs/HISTORY\.md\)", release["body"])


def test_its_session_ran_and_its_dependency_came_from_the_user_s_index(odd):
    _, world, _ = odd
    assert re.search(r"^- pass_smoke: passed", world.report(), re.MULTILINE)
    log = (world.store / "logs" / "smoke.log").read_text("utf-8")
    assert re.search(r"smoked .*site-packages/oddity/__init__\.py", log)
    assert re.search(r"install_from_pypi: .*`odd --version` prints '1\.5\.0'", world.report())
    assert re.search(r"upgrade_from_pypi: 1\.4\.0 -> 1\.5\.0; .*prints '1\.5\.0'", world.report())
    assert '"name": "packaging"' in (world.store / "dist" / "oddity-1.5.0.cdx.json").read_text("utf-8")
    assert not [name for name in world.served("pypi") if not name.startswith("odd_tool-")]


def test_report_says_what_this_backend_cannot_do(odd):
    _, world, _ = odd
    assert re.search(r"know_backend: setuptools\S*: .*not reproducible", world.report())
