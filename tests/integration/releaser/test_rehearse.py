"""A whole release of a tiny project, rehearsed; what it claims is read from the world, not from what it prints."""

from __future__ import annotations

import json
import os
import re
import signal
import tarfile
import zipfile

import pytest

# Generous: it is to take less than 5 s on a machine that does nothing else.
SECOND_RUN_SECONDS = 60

SECTION = (
    "Says who it is.\n"
    "\n"
    "### Added\n"
    "\n"
    "- `tiny-thing --version`, **bold**, [a link](https://example.invalid/?a=b&c=d), and what must arrive as it is:\n"
    "  - a nested item with \"quotes\", 'others', \\backslashes\\ and an accent: é\n"
    "\n"
    "  ```console\n"
    "  $ tiny-thing --version    # spaces stay\n"
    "  ```\n"
    "\n"
    "### Fixed\n"
    "\n"
    "- Nothing."
)
FILES = ["tiny_thing-0.2.0-py3-none-any.whl", "tiny_thing-0.2.0.tar.gz"]
ASSETS = sorted([*FILES, "SHA256SUMS", "tiny_thing-0.2.0.cdx.json"])


@pytest.fixture(scope="session")
def again(undisturbed, once):
    """The same command a second time, with what the logs held before it."""

    def repeat(_):
        world = undisturbed.world
        logs = [world.uploads("testpypi"), world.uploads("pypi"), world.mutations()]
        ended = undisturbed.invoke(undisturbed.project.path, "rehearse", "--version", "0.2.0")
        undisturbed.invoke.wait_until_alone()
        return ended, logs

    return once("again", repeat)


def test_remote_holds_an_annotated_tag_at_the_release_commit_on_top_of_the_branch(undisturbed, read_git):
    origin = undisturbed.world.origin
    assert undisturbed.world.refs().keys() == {"refs/heads/main", "refs/tags/v0.2.0"}
    assert read_git(origin, "cat-file", "-t", "v0.2.0") == "tag"
    message = read_git(origin, "for-each-ref", "--format=%(contents)", "refs/tags/v0.2.0")
    assert message == "Release version 0.2.0\n\nReleased-on: this machine"
    commit = read_git(origin, "rev-parse", "v0.2.0^{commit}")
    assert commit == read_git(origin, "rev-parse", "main")
    assert read_git(origin, "show", "-s", "--format=%B", commit).strip() == "chore: bump version to 0.2.0"
    assert read_git(origin, "rev-parse", f"{commit}^") == undisturbed.project.head()


def test_release_commit_changes_the_version_files_and_the_changelog_alone(undisturbed, read_git):
    origin = undisturbed.world.origin
    changed = read_git(origin, "diff", "--name-only", "main^", "main").splitlines()
    assert changed == ["CHANGELOG.md", "pyproject.toml", "src/tiny_thing/__init__.py"]
    for name in changed[1:]:
        old, new = (read_git(origin, "show", f"{commit}:{name}") for commit in ("main^", "main"))
        assert new == re.sub(r'(ersion(?:__)?) = "0\.1\.0"', r'\1 = "0.2.0"', old)
        assert new != old
    changelog = read_git(origin, "show", "main:CHANGELOG.md")
    assert re.search(r"^## \[Unreleased\]\n+## \[0\.2\.0\] - \d{4}-\d\d-\d\d\n\n", changelog, re.MULTILINE)
    assert f"\n\n{SECTION}\n\n## [0.1.0] - 2026-01-01\n" in changelog


def test_the_same_bytes_are_everywhere(undisturbed):
    world = undisturbed.world
    built = world.built()
    assert sorted(built) == ASSETS
    both = {name: built[name] for name in FILES}
    assert world.served("testpypi") == both
    assert {name: digest for name, digest in world.served("pypi").items() if "0.1.0" not in name} == both
    (release,) = world.releases()
    assert world.assets(release) == built
    assert {one["name"]: one["digest"] for one in release["assets"]} == {n: f"sha256:{d}" for n, d in built.items()}
    sums = (world.store / "dist" / "SHA256SUMS").read_text("utf-8")
    assert sums == "".join(f"{built[name]}  {name}\n" for name in sorted(built) if name != "SHA256SUMS")
    for name, digest in built.items():
        places = "same | same" if name in FILES else "- | -"
        assert f"| {name} | {digest} | {places} | same |" in world.report()


def test_nothing_was_uploaded_twice(undisturbed):
    world = undisturbed.world
    lines = [f"{name} {world.built()[name]}" for name in FILES]
    assert sorted(world.uploads("testpypi")) == lines
    assert sorted(line for line in world.uploads("pypi") if "0.1.0" not in line) == lines
    made = [re.sub(r"/\d+", "/N", line) for line in world.mutations()]
    release = "/repos/rehearsal/tiny-thing/releases"
    assert made[:6] == [
        f"POST {release} 201",
        *[f"POST /uploads{release}/N/assets 201"] * 4,
        f"PATCH {release}/N 200",
    ]


def test_forge_shows_the_release_with_the_changelog_section_word_for_word(undisturbed):
    world = undisturbed.world
    (release,) = world.releases()
    assert (release["tag_name"], release["draft"], release["prerelease"]) == ("v0.2.0", False, False)
    assert release["name"] == "v0.2.0 - Says who it is"
    assert release["body"].startswith(f"{SECTION}\n\n## Installation\n")
    assert "pip install tiny-thing==0.2.0" in release["body"]
    assert re.search(r"\[CHANGELOG\.md\]\(\S+/blob/v0\.2\.0/CHANGELOG\.md\)", release["body"])
    assert world.latest() == release["id"]


def test_built_files_say_the_version_and_hold_the_package_alone(undisturbed):
    dist = undisturbed.world.store / "dist"
    with zipfile.ZipFile(dist / FILES[0]) as wheel:
        assert {name.partition("/")[0] for name in wheel.namelist()} == {"tiny_thing", "tiny_thing-0.2.0.dist-info"}
        assert "\nVersion: 0.2.0\n" in wheel.read("tiny_thing-0.2.0.dist-info/METADATA").decode()
        assert b'__version__ = "0.2.0"' in wheel.read("tiny_thing/__init__.py")
    with tarfile.open(dist / FILES[1]) as sdist:
        assert "tiny_thing-0.2.0/src/tiny_thing/__init__.py" in sdist.getnames()
    bill = json.loads((dist / "tiny_thing-0.2.0.cdx.json").read_bytes())
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["version"] == "0.2.0"


def test_report_tells_what_the_world_shows(undisturbed, read_git):
    report = undisturbed.world.report()
    commit = read_git(undisturbed.world.origin, "rev-parse", "main")
    assert f"- release commit: {commit}\n" in report
    assert f"- tag: v0.2.0, annotated, at {commit}\n" in report
    assert "published, latest" in report
    assert re.search(r"install_from_pypi: .*`tiny-thing --version` prints 'tiny-thing 0\.2\.0'", report)
    assert re.search(r"upgrade_from_pypi: 0\.1\.0 -> 0\.2\.0; .*prints 'tiny-thing 0\.2\.0'", report)
    assert report in undisturbed.ended.out


def test_tokens_are_nowhere_but_in_their_files(undisturbed):
    world = undisturbed.world
    tokens = [file.read_bytes() for file in (world.path / "tokens").iterdir()]
    assert len(set(tokens)) == 3
    files = [file for file in undisturbed.invoke.home.rglob("*") if file.is_file() and file.parent.name != "tokens"]
    leaks = [file for file in files for token in tokens if token in file.read_bytes()]
    assert leaks == []
    assert [file.stat().st_mode & 0o077 for file in (world.path / "tokens").iterdir()] == [0, 0, 0]


def test_users_checkout_is_exactly_as_before(undisturbed, again):
    assert undisturbed.project.snapshot() == undisturbed.before


def test_second_run_finds_every_step_done_and_changes_nothing(undisturbed, again):
    ended, logs = again
    world = undisturbed.world
    assert ended.status == 0, ended.err
    assert [world.uploads("testpypi"), world.uploads("pypi"), world.mutations()] == logs
    assert world.facts("v0.2.0") == undisturbed.facts
    outcomes = re.findall(r"^\[ *[\d.]+ s\]    (\w+): (.*?)(?: \([\d.]+ s\))?:", ended.out, re.MULTILINE)
    assert {step for step, outcome in outcomes if outcome != "done"} == {
        step
        for step, outcome in outcomes
        if outcome == "skipped" and (step.endswith("_images") or step in ("attach_report", "have_environments"))
    }
    assert {step for step, _ in outcomes} >= {"find_tools", "build_dists", "push_tag", "upload_pypi", "fast_forward"}


def test_second_run_is_quick(undisturbed, again):
    ended, _ = again
    print(f"rehearsed in {undisturbed.ended.seconds:.1f} s, again in {ended.seconds:.1f} s")  # noqa: T201  with -rP
    assert ended.seconds < SECOND_RUN_SECONDS


def test_journal_tells_both_runs_and_its_chain_is_whole(undisturbed, again):
    from releaser.core.chain import read_chain

    chain = read_chain(undisturbed.world.store / "journal.jsonl")
    assert chain.problem is None
    ends = [one["outcome"] for one in chain.entries if one["event"] == "end"]
    assert ends[:2] == ["done", "done"]


@pytest.mark.parametrize(
    "where", ["on a detached head, in a shallow clone", "without a git identity, environment not activated"]
)
def test_rehearsal_needs_no_more_than_a_commit(where, tiny_project, invoke, undisturbed, read_git, tmp_path):
    project, env = tiny_project, {}
    if where.startswith("on"):
        shallow = tmp_path / "shallow"
        project.write("more.txt", "A second commit, so that there is history to cut off.\n")
        project.commit("More")
        read_git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{project.path}.git", str(shallow))
        read_git(shallow, "checkout", "--quiet", "--detach")
        project = type(project)(shallow, project.distribution, project.branch, project.remote)
        assert read_git(shallow, "rev-parse", "--is-shallow-repository") == "true"
    else:
        (tmp_path / "home").mkdir()
        env = {
            "HOME": str(tmp_path / "home"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            # Else git makes a name up from the machine's, on machines that have one.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "user.useConfigOnly",
            "GIT_CONFIG_VALUE_0": "true",
            "PATH": f"/usr/local/bin:{os.defpath}",
            "VIRTUAL_ENV": "",
        }
    before = project.snapshot()
    ended = invoke(project.path, "rehearse", "--version", "0.2.0", env=env)
    assert ended.status == 0, ended.err
    assert project.snapshot() == before
    facts = invoke.world(project, "0.2.0").facts("v0.2.0")
    ours = {key: value for key, value in facts.items() if key not in ("history", "change")}
    assert ours == {key: value for key, value in undisturbed.facts.items() if key in ours}


def test_candidate_is_a_prerelease_everywhere_and_leaves_the_changelog_alone(tiny_project, invoke, read_git):
    before = tiny_project.snapshot()
    ended = invoke(tiny_project.path, "rehearse", "--version", "0.2.0-rc.1")
    assert ended.status == 0, ended.err
    world = invoke.world(tiny_project, "0.2.0-rc.1")
    files = ["tiny_thing-0.2.0rc1-py3-none-any.whl", "tiny_thing-0.2.0rc1.tar.gz"]
    assert sorted(world.served("testpypi")) == files
    assert sorted(world.served("pypi")) == ["tiny_thing-0.1.0-py3-none-any.whl", *files]
    assert world.refs().keys() == {"refs/heads/main", "refs/tags/v0.2.0-rc.1"}
    changed = read_git(world.origin, "diff", "--name-only", "v0.2.0-rc.1^{}^", "v0.2.0-rc.1").splitlines()
    assert changed == ["pyproject.toml", "src/tiny_thing/__init__.py"]
    assert 'version = "0.2.0rc1"' in read_git(world.origin, "show", "main:pyproject.toml")
    assert '__version__ = "0.2.0-rc.1"' in read_git(world.origin, "show", "main:src/tiny_thing/__init__.py")
    (release,) = world.releases()
    assert (release["tag_name"], release["draft"], release["prerelease"]) == ("v0.2.0-rc.1", False, True)
    assert release["body"].startswith(f"{SECTION}\n\n")
    assert world.latest() is None
    assert "published, pre-release" in world.report()
    assert re.search(r"`tiny-thing --version` prints 'tiny-thing 0\.2\.0-rc\.1'", world.report())
    assert set(world.milestones().values()) <= {"open"}
    assert tiny_project.snapshot() == before


def test_second_rehearsal_at_the_same_time_is_refused_and_leaves_the_first_alone(tiny_project, invoke):
    words = ("rehearse", "--version", "0.2.0")
    path, second = invoke.world(tiny_project, "0.2.0").path, []

    def both_ran() -> bool:
        if (path / "forge" / ".lock").exists():
            second.append(invoke(tiny_project.path, *words))
        return bool(second)

    first = invoke.until(both_ran, tiny_project.path, *words)
    assert first.status == -signal.SIGKILL, first.err
    assert second[0].status == 3
    assert "Another rehearsal of this commit and version is running" in second[0].err
    assert "is continued" not in second[0].out
    assert (path / "running.json").exists()
