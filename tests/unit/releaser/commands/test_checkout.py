"""A version built from the checkout as it is, or from files given: which bytes, which commit, and what stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from harness.scene import Scene

from releaser.commands.checkout import from_checkout, open_checkout, with_files
from releaser.core.step import Done, Todo
from releaser.errors import ConflictError, UsageError
from releaser.steps.keep.copy_dists import CopyDists


def test_the_checkout_is_the_version_that_it_declares_at_the_commit_that_is_checked_out(scene: Scene) -> None:
    scene.git("remote", "remove", "origin")

    opened = open_checkout(scene.project.path)

    assert str(opened.version) == "0.1.0"
    assert opened.tree == scene.project.path
    assert opened.must_have_commit() == opened.commit() == scene.git("rev-parse", "HEAD")


def test_what_becomes_public_is_built_as_it_is_committed(scene: Scene, tmp_path: Path) -> None:
    readme = scene.project.path / "README.md"
    committed = readme.read_bytes()
    readme.write_bytes(committed.replace(b"\n", b"\r\n"))
    opened = open_checkout(scene.project.path)

    with opened.source_tree(tmp_path) as tree:
        assert tree == scene.project.path
    with replace(opened, exact=True).source_tree(tmp_path) as tree:
        assert (tree / "README.md").read_bytes() == committed
    assert len(scene.git("worktree", "list").splitlines()) == 1
    assert (opened.source_files()["README.md"], opened.source) != (
        replace(opened, exact=True).source_files()["README.md"],
        replace(opened, exact=True).source,
    )


def test_what_is_built_from_it_is_kept_apart_from_the_release_and_from_other_clones(scene: Scene) -> None:
    release = scene.with_dists()
    own, other = from_checkout(release), from_checkout(scene.in_another_clone().release())

    assert release.dists() is not None
    assert own.dists() is None
    assert len({release.store.path, own.store.path, other.store.path}) == 3
    assert release.store.path.parent == own.store.path.parent


def test_its_built_files_last_as_long_as_a_run_and_its_record_stays(scene: Scene) -> None:
    opened = open_checkout(scene.project.path)
    left = opened.store.dist / "left-by-a-killed-run"
    left.parent.mkdir(parents=True)
    left.touch()

    with opened.store.locked():
        assert not left.exists()
        for path in (opened.store.dist, opened.store.images, opened.store.path / "logs"):
            path.mkdir()
        (opened.store.path / "journal.jsonl").touch()

    assert {path.name for path in opened.store.path.iterdir()} == {"lock", "logs", "journal.jsonl"}


def test_two_runs_from_one_checkout_at_a_time_are_one_too_many(scene: Scene) -> None:
    opened = open_checkout(scene.project.path)

    with opened.store.locked(), pytest.raises(ConflictError, match="Another run"), opened.store.locked():
        pass


def test_files_given_are_the_built_files_and_are_uploaded_from_here(scene: Scene) -> None:
    release = scene.with_dists()
    built = release.dists()
    assert built

    opened = with_files(scene.release(), built.directory)

    assert opened.dists() == built
    assert (opened.config.pypi.via, opened.config.testpypi.via) == ("upload", "upload")


def test_files_given_are_intact_and_of_the_version(scene: Scene) -> None:
    built = scene.with_dists().dists()
    assert built

    with pytest.raises(UsageError, match="has no SHA256SUMS"):
        with_files(scene.release(), scene.project.path)
    with pytest.raises(UsageError, match=r"is not version 0\.3\.0"):
        with_files(scene.release("0.3.0"), built.directory)
    built.wheel.write_bytes(b"other bytes")
    with pytest.raises(ConflictError, match="was changed after it was built"):
        with_files(scene.release(), built.directory)


def test_copied_files_are_exactly_those_that_were_built_and_what_else_is_there_stays(
    scene: Scene, tmp_path: Path
) -> None:
    release, target = scene.with_dists(), tmp_path / "dist"
    step = CopyDists(target)
    assert isinstance(step.check(release), Todo)
    target.mkdir()
    (target / "of-an-earlier-version.whl").touch()

    step.run(release)

    assert isinstance(step.check(release), Done)
    built = release.dists()
    assert built
    assert {path.name for path in step.copied()} == {*built.sha256, "SHA256SUMS"}
    for path in step.copied():
        assert path.read_bytes() == (built.directory / path.name).read_bytes()
    assert (target / "of-an-earlier-version.whl").exists()
    (target / built.wheel.name).write_bytes(b"other bytes")
    assert isinstance(step.check(release), Todo)
