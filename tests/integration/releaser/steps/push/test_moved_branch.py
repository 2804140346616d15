"""Somebody pushes to the release branch while a release is under way: what it costs, and each way to the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from harness.scene import Scene, assert_says

from releaser.changelog.document import Changelog
from releaser.core.step import Done
from releaser.errors import ConflictError
from releaser.rehearsal import remote
from releaser.steps.after.fast_forward import FastForward
from releaser.steps.publish.upload_dists import UploadDists
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag
from releaser.versions.version import Version

RELEASE = ("release", "--version", "0.2.0", "--yes")
QUICK = [
    word
    for name in ("try_with_uv", "try_testpypi", "install_from_pypi", "upgrade_from_pypi", "inspect_uploads")
    for word in ("--skip", name)
]


@pytest.fixture
def uploaded(scene: Scene) -> Scene:
    """TestPyPI has the files; then a colleague adds an entry to the changelog and pushes."""
    release = scene.with_dists()
    UploadDists("testpypi").run(release)
    scene.others_push("CHANGELOG.md", "- Nothing.\n", "- Nothing.\n- A colleague's entry.\n")
    return scene


def test_it_is_noticed_straight_before_the_first_upload_and_costs_no_number(scene: Scene) -> None:
    scene.with_dists()
    # The survey and the question are over when the colleague pushes: the answer that counts is the last.
    pushed: list[str] = []

    def push_late(question: str) -> None:
        assert "upload_testpypi" in question
        pushed.append(scene.others_push())

    scene.patch.setattr("releaser.engine.say_yes", push_late)
    ran = scene.run(*RELEASE, *QUICK)
    assert (ran.code, len(pushed)) == (3, 1), ran.text
    assert_says(ran.err, "ask_again: origin/main has moved", "--choose push_tag=merge", "costs another build, and no")
    assert scene.testpypi.uploads() == []


def test_the_choices_are_named_with_their_price(uploaded: Scene) -> None:
    uploaded.refused(
        PushTag(),
        "origin/main has moved",
        remedy="`--choose push_tag=merge` (costs a merge commit in main; the files stay as they are), "
        "`--choose push_tag=branch` (costs a merge later: the commit and v0.2.0 are pushed as release/0.2.0), "
        "or `invoke rollback --version 0.2.0`, which discards it; then pull and release again "
        "(costs another build, and TestPyPI: it keeps the files of 0.2.0).",
    )
    uploaded.refuses(*RELEASE, "--choose", "push_tag=marge", code=2, says=["no choice push_tag=marge", "=merge"])


def test_a_merge_releases_the_same_bytes_to_the_end(uploaded: Scene) -> None:
    commit, tip = uploaded.release().commit(), uploaded.at_origin("rev-parse", "main")
    ran = uploaded.run(*RELEASE, *QUICK, "--choose", "push_tag=merge")
    assert ran.code == 0, ran.text
    assert uploaded.at_origin("rev-parse", "main^1", "main^2", "v0.2.0^{commit}").split() == [tip, commit, commit]
    assert sorted(uploaded.testpypi.uploads()) == sorted(uploaded.pypi.uploads())
    merged = Changelog.parse(uploaded.at_origin("show", "main:CHANGELOG.md") + "\n")
    assert merged.unreleased.body.strip() == "### Fixed\n\n- A colleague's entry."
    assert "colleague" not in merged.notes(Version(0, 2, 0))
    assert 'version = "0.2.0"' in uploaded.at_origin("show", "main:pyproject.toml")
    assert uploaded.git("rev-parse", "HEAD") == commit
    assert uploaded.run("status", "--version", "0.2.0").code == 0


def test_a_branch_of_its_own_leaves_main_to_the_colleague(uploaded: Scene) -> None:
    commit, tip = uploaded.release().commit(), uploaded.at_origin("rev-parse", "main")
    ran = uploaded.run("tag", "--version", "0.2.0", "--yes", "--choose", "push_tag=branch")
    assert ran.code == 0, ran.text
    refs = uploaded.at_origin("rev-parse", "main", "release/0.2.0", "v0.2.0^{commit}").split()
    assert refs == [tip, commit, commit]
    outcome = uploaded.check(PushTag())
    assert isinstance(outcome, Done)
    assert "in origin/release/0.2.0; main lacks it" in outcome.evidence
    assert "does not have the release commit" in str(uploaded.check(FastForward()))


def test_what_git_cannot_merge_is_left_to_a_person(scene: Scene) -> None:
    release = scene.with_dists()
    scene.others_push("pyproject.toml", 'version = "0.1.0"', 'version = "0.1.1"')
    scene.refuses(
        *RELEASE, "--choose", "push_tag=merge", code=3, says=["a person has to merge pyproject.toml", "push_tag=branch"]
    )
    assert scene.at_origin("for-each-ref", "refs/heads/release") == ""
    assert release.commit()


def test_a_branch_that_moves_once_more_during_the_push_takes_nothing(uploaded: Scene) -> None:
    before = uploaded.at_origin("for-each-ref")
    remote.guard(uploaded.origin, {"refuse": ""})
    ran = uploaded.run("tag", "--version", "0.2.0", "--yes", "--choose", "push_tag=merge")
    assert ran.code == 1, ran.text
    assert uploaded.at_origin("for-each-ref") == before


def test_of_two_machines_the_one_whose_push_is_overtaken_names_who_made_the_tag_where_and_when(scene: Scene) -> None:
    release = scene.with_dists()
    CreateTag().run(release)
    other = replace(scene.in_another_clone(), state=scene.others)
    for name, value in (("name", "Ada"), ("email", "ada@example.org")):
        other.git("config", f"user.{name}", value)
    other.set(RELEASER_MACHINE="the other machine")
    CreateTag().run(other.with_release_commit())
    # The other's push arrives between this one's last look and its push.
    hook = scene.project.path / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\nunset $(git rev-parse --local-env-vars)\ncd {other.project.path} || exit 9\n"
        "git push --quiet origin v0.2.0\n"
    )
    hook.chmod(0o755)
    with pytest.raises(ConflictError, match=r"v0\.2\.0 was not pushed: origin has v0.2.0 at another commit") as caught:
        PushTag().run(release)
    assert_says(caught.value.message, "made by Ada <ada@example.org> on the other machine at 20", "UTC")
