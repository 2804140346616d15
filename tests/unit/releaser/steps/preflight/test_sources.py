"""What a commit only names can be had before anything is made."""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.projects import git
from harness.scene import Scene

from releaser.core.step import Done
from releaser.errors import ServiceError, UsageError
from releaser.steps.preflight.sources import HaveSources

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1\n"


def with_submodule(scene: Scene) -> None:
    """Record a submodule whose commit is nowhere in the checkout's store."""
    library = scene.project.path.with_name("library")
    library.mkdir()
    git(library, "init", "--quiet")
    (library / "tables.py").write_text("X = 1\n")
    git(library, "add", "--all")
    git(library, "commit", "--quiet", "--message", "A library")
    scene.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "src/tiny_thing/vendor")
    scene.project.commit("Vendor it")


def test_what_the_commit_holds_itself_needs_nothing(scene: Scene) -> None:
    assert scene.check(HaveSources()) == Done("all in the commit itself")


def test_submodules_and_filters_are_named(scene: Scene) -> None:
    with_submodule(scene)
    scene.project.write(".gitattributes", "*.md filter=spelling\n*.py text eol=crlf\n")
    scene.project.commit("Spell")

    outcome = scene.check(HaveSources())

    commit = scene.git("rev-parse", "HEAD:src/tiny_thing/vendor")[:12]
    converted = "eol=crlf is not applied to 4 files; filter=spelling is not applied to 2 files"
    said = f"submodule src/tiny_thing/vendor at {commit}; {converted}"
    assert outcome == Done(said)
    assert (scene.with_release_commit().tree / "src" / "tiny_thing" / "vendor" / "tables.py").exists()


def test_a_submodule_that_cannot_be_fetched_is_refused_with_its_address(scene: Scene) -> None:
    with_submodule(scene)
    other = scene.in_another_clone()
    scene.project.path.with_name("library").rename(scene.project.path.with_name("gone"))

    other.failed(
        ServiceError,
        HaveSources(),
        "src/tiny_thing/vendor could not be fetched",
        "library",
        remedy="Run `git submodule update --init src/tiny_thing/vendor`",
    )


def test_a_submodule_without_an_address_is_refused(scene: Scene) -> None:
    with_submodule(scene)
    scene.git("rm", "--quiet", "--force", ".gitmodules")
    scene.project.commit("Forget the address")

    scene.in_another_clone().failed(UsageError, HaveSources(), "no address", remedy="Add it with `git submodule add")


def test_pointers_are_refused_by_name_where_git_lfs_is_not_installed(scene: Scene, tmp_path: Path) -> None:
    git_alone = tmp_path / "git alone"
    git_alone.mkdir()
    (git_alone / "git").symlink_to(str(shutil.which("git")))
    scene.project.write("src/tiny_thing/model.onnx", POINTER)
    scene.project.write(".gitattributes", "*.onnx filter=lfs -text\n")
    scene.git("config", "filter.lfs.clean", "cat")
    scene.project.commit("A model")
    scene.set(PATH=str(git_alone))

    scene.refused(HaveSources(), "src/tiny_thing/model.onnx", "git-lfs is not installed", remedy="Install git-lfs")
