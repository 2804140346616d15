"""A tree is the commit, whatever the user's git would make of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from harness.projects import git

from releaser.adapters.git import Git
from releaser.adapters.git.entries import differences, entries, present, unlike
from releaser.adapters.git.submodules import absolute
from releaser.adapters.git.trees import add_worktree, export, files_of, has_worktree, remove_worktree
from releaser.errors import ServiceError, StepError, UsageError
from releaser.rehearsal import remote

FILES = {
    "plain.txt": b"one\ntwo\n",
    "dos.txt": b"one\r\ntwo\r\n",
    "mixed": b"one\r\ntwo\n\0",
    "run.sh": b"#!/bin/sh\necho ok\n",
    "deep/er/utf16.txt": "ä\n".encode(),
    "keyword.txt": b"$Id$\n",
    "odd/n\xc3\xa4me with space.txt".encode().decode("utf-8", "replace"): b"x\n",
}
ATTRIBUTES = b"plain.txt text eol=crlf\nkeyword.txt ident\n*.sh filter=mine\nutf16.txt working-tree-encoding=UTF-16\n"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's git configuration."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "gitconfig"
    path.write_text("[user]\n\tname = Me\n\temail = me@localhost\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return create(tmp_path / "checkout", FILES)


def create(path: Path, files: dict[str, bytes], *, form: str = "sha1") -> Path:
    """Commit files as they are; then have git check them out as the user's settings say."""
    path.mkdir()
    git(path, "init", "--quiet", "--template=", "--initial-branch=main", f"--object-format={form}")
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    (path / "link").symlink_to("deep/er")
    for name in sorted(path.glob("*.sh")):
        name.chmod(0o755)
    git(path, "add", "--all")
    (path / ".gitattributes").write_bytes(ATTRIBUTES)
    git(path, "add", ".gitattributes")
    git(path, "commit", "--quiet", "--message", "A project")
    return path


def contents(tree: Path) -> dict[str, bytes]:
    found = (path for path in tree.rglob("*") if path.is_file() and not path.is_symlink() and path.name != ".git")
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in found}


def hostile(checkout: Path, config: Path) -> None:
    """Every setting of the user's that changes what a checkout holds."""
    config.write_text(
        config.read_text() + "[core]\n\tautocrlf = true\n\teol = crlf\n\tfileMode = false\n\tsymlinks = false\n"
        f"\tattributesFile = {checkout}/.git/mine\n"
        '[filter "mine"]\n\tsmudge = tr a-z A-Z\n\tclean = cat\n'
        '[filter "all"]\n\tsmudge = echo smudged\n[submodule]\n\trecurse = true\n'
    )
    (checkout / ".git" / "mine").write_text("* filter=all\n")
    (checkout / ".git" / "info").mkdir(exist_ok=True)
    (checkout / ".git" / "info" / "attributes").write_text("* filter=all\n")
    hook = checkout / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho hooked >plain.txt\n")
    hook.chmod(0o755)


def sparse(checkout: Path, config: Path) -> None:
    git(checkout, "sparse-checkout", "set", "--cone", "deep")


def sparse_here_alone(checkout: Path, config: Path) -> None:
    git(checkout, "config", "extensions.worktreeConfig", "true")
    git(checkout, "sparse-checkout", "set", "--no-cone", "/deep/")


def replaced(checkout: Path, config: Path) -> None:
    """A blob and the commit itself, replaced in this clone alone."""
    other = git(checkout, "hash-object", "-w", "--stdin", given="another text\n")
    git(checkout, "replace", git(checkout, "rev-parse", "HEAD:plain.txt"), other)


@pytest.mark.parametrize("user", [hostile, sparse, sparse_here_alone, replaced])
def test_a_working_tree_has_the_blobs_whatever_the_users_git_makes_of_them(
    checkout: Path, config: Path, tmp_path: Path, user: Callable[[Path, Path], None]
) -> None:
    user(checkout, config)
    before = os.umask(0o077)
    try:
        add_worktree(Git(checkout), tmp_path / "tree", "HEAD")
    finally:
        os.umask(before)

    tree = tmp_path / "tree"
    assert contents(tree) == {**FILES, ".gitattributes": ATTRIBUTES}
    assert (tree / "link").readlink() == Path("deep/er")
    modes = {name: stat.S_IMODE((tree / name).stat().st_mode) for name in ("run.sh", "plain.txt", "deep")}
    assert modes == {"run.sh": 0o755, "plain.txt": 0o644, "deep": 0o755}
    assert Git(tree).changes() == []


def test_a_commit_in_it_holds_what_was_written_byte_for_byte(checkout: Path, config: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    hostile(checkout, config)
    sparse(checkout, config)
    add_worktree(Git(checkout), tree, "HEAD")
    written = {"dos.txt": b"three\r\n", "plain.txt": b"three\n", "run.sh": b"echo\r\n", "new": b"\r\n"}
    for name, content in written.items():
        (tree / name).write_bytes(content)

    commit = Git(tree).commit_files("Change", *written)

    changed = entries(Git(checkout), commit)
    assert all(changed[name].holds(content) for name, content in written.items())
    assert changed["run.sh"].mode == "100755"
    assert git(checkout, "show", "--format=", "--name-only", commit).splitlines() == sorted(written)
    assert differences(tree, changed) == []


def test_modes_of_old_histories_are_the_usual_ones(checkout: Path, tmp_path: Path) -> None:
    listed = b"100664 old.txt\0" + bytes.fromhex(git(checkout, "rev-parse", "HEAD:plain.txt"))
    (tmp_path / "listed").write_bytes(listed)
    tree = git(checkout, "hash-object", "-t", "tree", "-w", "--literally", tmp_path / "listed")
    commit = git(checkout, "commit-tree", "-m", "Old", tree)

    assert export(Git(checkout), commit, tmp_path / "tree").keys() == {"old.txt"}


def test_a_repository_with_sha256_ids_is_no_different(tmp_path: Path) -> None:
    made = create(tmp_path / "checkout", FILES, form="sha256")

    assert len(export(Git(made), "HEAD", tmp_path / "tree")["plain.txt"].id) == 64
    git(made, "checkout", "--quiet", "HEAD", "dos.txt")
    assert unlike(Git(made), "HEAD", present(Git(made))) == []


def test_a_tree_that_was_not_finished_is_told_from_one_that_was(checkout: Path, tmp_path: Path) -> None:
    add_worktree(Git(checkout), tmp_path / "tree", "HEAD")
    assert not Git(tmp_path / "tree").index_is_locked()

    (checkout / "sub").mkdir()
    git(checkout, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(checkout, "commit", "--quiet", "--message", "Record a submodule without an address")
    with pytest.raises(UsageError, match="no address"):
        add_worktree(Git(checkout), tmp_path / "tree", "HEAD")
    assert Git(tmp_path / "tree").index_is_locked()


def test_an_address_is_not_taken_for_an_option(nested: Path, tmp_path: Path) -> None:
    git(nested, "config", "--file", ".gitmodules", "submodule.outer.url", f"--upload-pack=touch {tmp_path}/touched")
    git(nested, "add", ".gitmodules")
    git(nested, "commit", "--quiet", "--message", "Attack")
    git(tmp_path, "clone", "--quiet", "--no-checkout", f"file://{nested}", "victim")

    with pytest.raises(ServiceError, match="could not be fetched"):
        export(Git(tmp_path / "victim"), "HEAD", tmp_path / "tree")
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree: (tree / "plain.txt").write_bytes(b"one\r\ntwo\r\n"), "plain.txt has other content"),
        (lambda tree: (tree / "mixed").unlink(), "mixed is missing"),
        (lambda tree: (tree / "run.sh").chmod(0o644), "run.sh has mode 100644, not 100755"),
        (lambda tree: (tree / "deep" / "more").touch(), "deep/more is not in the commit"),
        (lambda tree: (tree / "also").symlink_to("deep"), "also is not in the commit"),
    ],
)
def test_a_tree_that_is_not_the_commit_is_told_from_one_that_is(
    checkout: Path, tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    wanted = export(Git(checkout), "HEAD", tmp_path / "tree")

    change(tmp_path / "tree")

    assert differences(tmp_path / "tree", wanted) == [said]


def test_a_tree_that_cannot_be_the_commit_is_refused(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "left").touch()

    with pytest.raises(StepError, match=r"is not commit .*: left is not in the commit"):
        export(Git(checkout), "HEAD", tmp_path / "tree")


def test_a_partial_clone_gets_its_blobs_at_once(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "config", "uploadpack.allowFilter", "true")
    git(checkout, "config", "uploadpack.allowAnySHA1InWant", "true")
    for name, kind in (("blobless", "blob:none"), ("treeless", "tree:0")):
        git(tmp_path, "clone", "--quiet", "--no-checkout", f"--filter={kind}", f"file://{checkout}", name)

        export(Git(tmp_path / name), "HEAD", tmp_path / f"{name}-tree")

        assert contents(tmp_path / f"{name}-tree") == {**FILES, ".gitattributes": ATTRIBUTES}


# --- submodules -------------------------------------------------------------------------------------------------------


@pytest.fixture
def nested(checkout: Path, tmp_path: Path) -> Path:
    """A submodule that has a submodule, at an older commit than its own branch is at."""
    for name in ("inner", "outer"):
        create(tmp_path / name, {f"{name}.txt": b"recorded\n"})
    allow = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--name")
    git(tmp_path / "outer", *allow, "the inner", "../inner", "in")
    git(tmp_path / "outer", "commit", "--quiet", "--message", "Add it")
    git(checkout, "remote", "add", "origin", tmp_path / "checkout.git")
    git(checkout, *allow, "outer", tmp_path / "outer", "lib/outer")
    git(checkout, "config", "--file", ".gitmodules", "submodule.outer.url", "../outer")
    git(checkout, "add", ".gitmodules")
    git(checkout, "commit", "--quiet", "--message", "Add it")
    (tmp_path / "outer" / "outer.txt").write_text("later\n")
    git(tmp_path / "outer", "commit", "--quiet", "--all", "--message", "Later")
    return checkout


def allow_files(config: Path) -> None:
    config.write_text(config.read_text() + '[protocol "file"]\n\tallow = always\n')


def test_submodules_are_fetched_at_their_recorded_commits(nested: Path, config: Path, tmp_path: Path) -> None:
    allow_files(config)

    files = export(Git(nested), "HEAD", tmp_path / "tree")

    assert (tmp_path / "tree" / "lib" / "outer" / "outer.txt").read_text() == "recorded\n"
    assert (tmp_path / "tree" / "lib" / "outer" / "in" / "inner.txt").read_text() == "recorded\n"
    assert "lib/outer/in/inner.txt" in files
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_submodules_come_from_the_users_store_where_it_has_the_commit(nested: Path, tmp_path: Path) -> None:
    git(nested, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive")
    (tmp_path / "outer").rename(tmp_path / "gone")

    add_worktree(Git(nested), tmp_path / "tree", "HEAD")

    assert (tmp_path / "tree" / "lib" / "outer" / "in" / "inner.txt").read_text() == "recorded\n"
    assert Git(tmp_path / "tree").changes() == []
    assert "lib/outer/outer.txt" in files_of(Git(nested), "HEAD", "origin", tmp_path / "cache")


def test_a_submodule_that_cannot_be_had_is_refused_by_name(nested: Path, config: Path, tmp_path: Path) -> None:
    allow_files(config)
    git(nested, "submodule", "--quiet", "deinit", "--force", "--all")
    git(nested, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},lib/outer")
    git(nested, "commit", "--quiet", "--message", "Record what nobody has")
    shutil_rmtree(nested / ".git" / "modules")

    with pytest.raises(ServiceError, match=r"lib/outer.*111111111111.*does not have|could not be fetched"):
        export(Git(nested), "HEAD", tmp_path / "tree")
    git(nested, "rm", "--quiet", "-f", ".gitmodules")
    git(nested, "commit", "--quiet", "--message", "Forget the address")
    with pytest.raises(UsageError, match=r"lib/outer is recorded as a submodule, and \.gitmodules has no address"):
        export(Git(nested), "HEAD", tmp_path / "other")


def shutil_rmtree(path: Path) -> None:
    for one in sorted(path.rglob("*"), reverse=True):
        one.rmdir() if one.is_dir() and not one.is_symlink() else one.unlink()


@pytest.mark.parametrize(
    ("base", "url", "found"),
    [
        ("https://forge.example/acme/widget.git", "../lib.git", "https://forge.example/acme/lib.git"),
        ("https://forge.example/acme/widget/", "./lib", "https://forge.example/acme/widget/lib"),
        ("git@forge.example:acme/widget.git", "../lib.git", "git@forge.example:acme/lib.git"),
        ("git@forge.example:widget.git", "../lib.git", "git@forge.example:lib.git"),
        ("git@forge.example:acme/widget", "../../other/lib", "git@forge.example:other/lib"),
        ("/srv/widget.git", "../lib", "/srv/lib"),
        ("https://forge.example/acme/widget", "https://other.example/lib", "https://other.example/lib"),
    ],
)
def test_a_relative_address_is_relative_to_the_projects(base: str, url: str, found: str) -> None:
    assert absolute(base, url) == found


# --- Git LFS ----------------------------------------------------------------------------------------------------------

CONTENT = b"\0a model\r\n"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(CONTENT).hexdigest()}\nsize 10\n"


@pytest.fixture
def with_pointer(checkout: Path) -> Path:
    """A pointer, and two files that only look like one: by its name, and by its text."""
    for name, text in {"a.onnx": POINTER, "b.onnx": "no pointer\n", "doc.txt": POINTER}.items():
        (checkout / name).write_text(text)
    (checkout / ".gitattributes").write_text("*.onnx filter=lfs diff=lfs merge=lfs -text\n")
    git(checkout, "-c", "filter.lfs.clean=cat", "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "Add a model")
    return checkout


def install_lfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    """A git-lfs that gives this content for every pointer."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "content").write_bytes(answer)
    program = tmp_path / "bin" / "git-lfs"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = smudge ] && cat >/dev/null && exec cat {tmp_path}/content\necho git-lfs/3\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")


def test_lfs_content_is_put_in_the_place_of_its_pointer(
    with_pointer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_lfs(tmp_path, monkeypatch, CONTENT)

    files = export(Git(with_pointer), "HEAD", tmp_path / "tree")

    assert (tmp_path / "tree" / "a.onnx").read_bytes() == CONTENT
    assert (tmp_path / "tree" / "doc.txt").read_text() == POINTER
    assert files["a.onnx"].holds(CONTENT)
    assert not files["a.onnx"].holds(POINTER.encode())


def test_other_content_than_the_pointer_names_is_refused(
    with_pointer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_lfs(tmp_path, monkeypatch, POINTER.encode())

    with pytest.raises(ServiceError, match=r"git-lfs did not give the content of a\.onnx"):
        export(Git(with_pointer), "HEAD", tmp_path / "tree")


# --- bare repositories ------------------------------------------------------------------------------------------------


def test_a_bare_repository_is_used_where_git_is_told_to_find_none(checkout: Path, config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text() + "[safe]\n\tbareRepository = explicit\n")

    remote.create(tmp_path / "origin.git", checkout, "main")

    bare = Git(tmp_path / "origin.git")
    assert bare.commit("main") == Git(checkout).head()
    assert "plain.txt" in export(bare, "main", tmp_path / "tree")


ONE_AT_A_TIME = """#!/bin/sh
case " $* " in
*" worktree "*)
    mkdir {taken} || exit 9
    {git} "$@"
    code=$?
    sleep 0.05
    rmdir {taken}
    exit $code
    ;;
esac
exec {git} "$@"
"""


def test_trees_that_are_made_side_by_side_do_not_meet_in_git(checkout, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(ONE_AT_A_TIME.format(git=shutil.which("git"), taken=tmp_path / "taken"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    def come_and_go(number: int) -> bool:
        tree = tmp_path / f"side{number}" / "tree"
        add_worktree(Git(checkout), tree, "HEAD")
        remove_worktree(Git(checkout), tree)
        return has_worktree(Git(checkout), tree)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(come_and_go, range(4))) == [False] * 4
