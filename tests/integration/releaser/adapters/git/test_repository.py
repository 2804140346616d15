"""Real git, in real repositories, some of them as a killed git leaves them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from releaser.adapters.git import Git, GitTag
from releaser.adapters.git.trees import add_worktree, remove_worktree
from releaser.adapters.remotes import GitLimits, network_settings
from releaser.core.activity import Activity, bound
from releaser.errors import CommandError, ServiceError, UsageError
from releaser.rehearsal import remote

ABSENT = "1234567890" * 4
REF = "refs/releaser/v1"


def git(where: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's git configuration, instead of that of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    path = tmp_path / "gitconfig"
    path.write_text("[user]\n\tname = Me\n\temail = me@localhost\n[init]\n\tdefaultBranch = main\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return path


@dataclass(frozen=True)
class Repository:
    """A checkout, and the bare repository that it calls origin."""

    path: Path
    origin: Path

    @property
    def adapter(self) -> Git:
        return Git(self.path)

    def commit(self, name: str = "file", content: str | bytes = "", message: str = "") -> str:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        git(self.path, "add", name)
        git(self.path, "commit", "--quiet", "--allow-empty", "--message", message or f"Write {name}")
        return git(self.path, "rev-parse", "HEAD")

    def refs(self) -> dict[str, str]:
        lines = git(self.origin, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def clone(self, name: str, *options: str) -> Git:
        path = self.path.with_name(name)
        git(self.path.parent, "clone", "--quiet", *options, f"file://{self.origin}", str(path))
        return Git(path)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    found = Repository(tmp_path / "checkout", tmp_path / "origin.git")
    git(tmp_path, "init", "--quiet", "--bare", str(found.origin))
    git(tmp_path, "init", "--quiet", str(found.path))
    git(found.path, "remote", "add", "origin", f"file://{found.origin}")
    found.commit(content="one\n", message="The first")
    git(found.path, "push", "--quiet", "origin", "main")
    return found


def state(path: Path) -> dict[str, bytes]:
    """Everything that makes up a checkout but its objects."""
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and not file.is_relative_to(path / ".git" / "objects")
    }


# --- where it is ------------------------------------------------------------------------------------------------------


def test_a_repository_is_found_from_anywhere_in_it(repository: Repository) -> None:
    repository.commit("deep/er/file")

    assert Git.at(repository.path / "deep" / "er").root == repository.path
    assert Git.at(repository.path).head() == git(repository.path, "rev-parse", "HEAD")


def test_what_is_no_checkout_is_refused_with_gits_own_reason(tmp_path: Path, repository: Repository) -> None:
    with pytest.raises(UsageError, match=r"is not in a git checkout.*not a git repository"):
        Git.at(tmp_path)
    with pytest.raises(UsageError, match="must be run in a work tree"):
        Git.at(repository.origin)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_somebody_elses_checkout_is_refused_with_gits_own_reason(repository: Repository) -> None:
    for path in (repository.path, repository.path / ".git"):
        os.chown(path, 12345, 12345)

    with pytest.raises(UsageError, match="dubious ownership"):
        Git.at(repository.path)


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "new")

    with pytest.raises(UsageError, match="has no commit yet"):
        Git.at(tmp_path / "new").head()


def test_what_another_git_left_in_the_environment_leads_nowhere_else(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = repository.adapter.head()
    git(tmp_path, "init", "--quiet", "other")
    for name, path in {
        "GIT_DIR": ".git",
        "GIT_INDEX_FILE": ".git/index",
        "GIT_OBJECT_DIRECTORY": ".git/objects",
    }.items():
        monkeypatch.setenv(name, str(tmp_path / "other" / path))

    assert Git.at(repository.path).head() == head
    assert repository.adapter.changes() == []


def test_warnings_do_not_get_into_answers(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = git(repository.path, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_TRACE", "1")

    assert Git.at(repository.path).head() == expected
    assert repository.adapter.subject(expected) == "The first"
    assert repository.adapter.changes() == []


# --- commits, tags, files ---------------------------------------------------------------------------------------------


def test_a_branch_has_a_name_and_a_detached_head_has_none(repository: Repository) -> None:
    assert repository.adapter.branch() == "main"
    git(repository.path, "checkout", "--quiet", "--detach")
    assert repository.adapter.branch() is None


def test_what_leads_to_no_commit_is_none(repository: Repository) -> None:
    git(repository.path, "tag", "a-file", "HEAD:file")
    asked, head = repository.adapter, repository.adapter.head()

    assert [asked.commit(one) for one in ("HEAD", "nothing", ABSENT, "--all", "refs/tags/a-file")] == [
        head,
        None,
        None,
        None,
        None,
    ]
    assert asked.commits("HEAD", "nothing", ABSENT, "refs/tags/a-file", "main") == [head, None, None, None, head]
    assert asked.parent(head) is None


def test_annotated_and_lightweight_tags_are_told_apart(repository: Repository) -> None:
    asked, head = repository.adapter, repository.adapter.head()
    git(repository.path, "tag", "light")
    asked.create_tag("v1", head, "Release version 1")
    git(repository.path, "push", "--quiet", "origin", "light", "v1")

    for light, annotated in (
        (asked.tag("light"), asked.tag("v1")),
        (asked.remote_tag("origin", "light"), asked.remote_tag("origin", "v1")),
    ):
        assert light == GitTag(head, head)
        assert annotated == GitTag(git(repository.path, "rev-parse", "refs/tags/v1"), head)
        assert (light.annotated, annotated.annotated) == (False, True)
    assert git(repository.path, "tag", "--list", "--format=%(contents)", "v1") == "Release version 1"
    assert (asked.tag("none"), asked.remote_tag("origin", "none")) == (None, None)
    assert asked.tags() == ["light", "v1"]


def test_a_tag_is_deleted_once_and_its_absence_is_no_error(repository: Repository) -> None:
    repository.adapter.create_tag("v1", "HEAD", "one")

    repository.adapter.delete_tag("v1")
    repository.adapter.delete_tag("v1")

    assert repository.adapter.tags() == []


def test_only_tags_in_a_commits_history_are_its_tags(repository: Repository) -> None:
    git(repository.path, "tag", "before")
    first = repository.adapter.head()
    repository.commit("later")
    git(repository.path, "tag", "after")

    assert repository.adapter.tags_of(first) == ["before"]
    assert repository.adapter.tags_of("HEAD") == ["after", "before"]


@pytest.mark.parametrize(
    "content",
    [
        b"one\r\ntwo\nthree\r",
        b"no final newline",
        b"\n\n  spaces \t \n\n",
        "\ufeffBOM, \u2028 and \x85 are no line ends here\n".encode(),
        b"see https://user:password@example.invalid/x and ghp_0123456789012345678901234567890123456\n",
        b"",
    ],
    ids=["CRLF", "no final newline", "spaces", "unusual line ends", "what looks secret", "empty"],
)
def test_a_file_is_read_exactly_as_it_is_stored(repository: Repository, content: bytes) -> None:
    git(repository.path, "config", "core.autocrlf", "false")
    commit = repository.commit("docs/text", content)
    repository.commit("docs/text", "changed since")

    found = repository.adapter.file(commit, "docs/text")

    assert found is not None
    assert found.encode() == content


def test_what_is_no_file_at_a_commit_is_none(repository: Repository) -> None:
    commit = repository.commit("docs/text")

    assert [repository.adapter.file(commit, path) for path in ("docs", "none", "docs/none")] == [None, None, None]
    assert repository.adapter.file(ABSENT, "docs/text") is None


def test_a_file_that_is_not_utf_8_is_refused_and_not_mended(repository: Repository) -> None:
    commit = repository.commit("text", b"caf\xe9\n")

    with pytest.raises(UsageError, match=rf"text at {commit[:12]} is not UTF-8"):
        repository.adapter.file(commit, "text")


def test_history_is_counted_and_compared(repository: Repository) -> None:
    asked, first = repository.adapter, repository.adapter.head()
    second = repository.commit("a")
    third = repository.commit("b")

    assert asked.parent(third) == second
    assert asked.count_between(first, third) == 2
    assert (asked.contains(third, first), asked.contains(first, third), asked.contains(first, first)) == (
        True,
        False,
        True,
    )
    assert asked.contains(third, ABSENT) is False


def test_a_signature_is_not_taken_for_an_answer(repository: Repository, tmp_path: Path, config: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen to sign with")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with config.open("a") as file:
        file.write(f"[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = {key}.pub\n[commit]\n\tgpgSign = true\n")
        file.write("[log]\n\tshowSignature = true\n")
    commit = repository.commit("signed", message="Signed")
    assert "gpgsig" in git(repository.path, "cat-file", "commit", commit)

    assert repository.adapter.subject(commit) == "Signed"
    assert abs(repository.adapter.time_of(commit) - (repository.path / "signed").stat().st_mtime) < 60


# --- the checkout -----------------------------------------------------------------------------------------------------


def test_every_kind_of_change_is_seen_and_ignored_files_are_not(repository: Repository, config: Path) -> None:
    with config.open("a") as file:
        file.write("[status]\n\tshowUntrackedFiles = no\n\tbranch = true\n[color]\n\tui = always\n")
    repository.commit(".gitignore", "ignored\n")
    repository.commit("b", "b")
    assert repository.adapter.changes() == []

    (repository.path / "file").write_text("changed")
    (repository.path / "b").write_text("staged")
    git(repository.path, "add", "b")
    (repository.path / "new").touch()
    (repository.path / "ignored").touch()

    assert sorted(repository.adapter.changes()) == [" M file", "?? new", "M  b"]


def test_asking_leaves_the_users_index_alone(repository: Repository) -> None:
    (repository.path / "file").touch()
    before = state(repository.path)

    repository.adapter.changes()

    assert state(repository.path) == before


def test_the_edge_of_a_shallow_clone_has_no_parent(repository: Repository) -> None:
    head = repository.commit("later")
    git(repository.path, "push", "--quiet", "origin", "main")
    shallow = repository.clone("shallow", "--depth=1")

    assert (shallow.head(), shallow.parent(head)) == (head, None)


def test_a_branch_moves_forward_and_never_aside(repository: Repository) -> None:
    first = repository.adapter.head()
    second = repository.commit("file", "two\n")
    git(repository.path, "reset", "--quiet", "--hard", first)

    repository.adapter.fast_forward(second)

    assert (repository.adapter.branch(), repository.adapter.head()) == ("main", second)
    assert (repository.path / "file").read_text() == "two\n"
    git(repository.path, "reset", "--quiet", "--hard", first)
    other = repository.commit("other")
    with pytest.raises(CommandError, match=r"git merge failed(?s:.*)fast-forward"):
        repository.adapter.fast_forward(second)
    assert repository.adapter.head() == other


# --- the remote -------------------------------------------------------------------------------------------------------


def test_the_remotes_address_is_told_without_the_credentials_in_it(repository: Repository) -> None:
    git(repository.path, "remote", "add", "other", "https://me:secret@example.invalid/owner/name.git")

    assert repository.adapter.remote_url("other") == "https://example.invalid/owner/name.git"
    assert repository.adapter.remote_url("none") is None


def test_the_remote_is_asked_and_not_the_memory_of_it(repository: Repository) -> None:
    second = repository.clone("second")
    head = repository.commit("later")
    git(repository.path, "push", "--quiet", "origin", "main")

    assert second.remote_branch("origin", "main") == head
    assert second.remote_branch("origin", "ma") is None
    assert git(second.root, "rev-parse", "origin/main") != head


def test_steps_of_one_survey_reach_the_remote_over_one_connection_until_something_is_pushed(
    repository: Repository, tmp_path: Path
) -> None:
    for name, program in (("uploadpack", "upload-pack"), ("receivepack", "receive-pack")):
        script = tmp_path / name
        script.write_text(f'#!/bin/sh\necho {name} >>"{tmp_path}/connections"\nexec git {program} "$@"\n')
        script.chmod(0o755)
        git(repository.path, "config", f"remote.origin.{name}", str(script))
    adapter, commit = repository.adapter, git(repository.path, "rev-parse", "HEAD")
    activity = Activity()

    def ask(number: int) -> object:
        with bound(activity):
            return adapter.remote_tag("origin", "v1") if number % 2 else adapter.remote_branch("origin", "main")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(8))) == [commit, None] * 4
    git(repository.path, "tag", "v1")
    with bound(activity):
        adapter.push("origin", "refs/tags/v1")
    assert ask(1) == GitTag(commit, commit)

    assert (tmp_path / "connections").read_text().split() == ["uploadpack", "receivepack", "uploadpack"]


def test_a_remote_that_does_not_answer_is_named_with_its_words(repository: Repository) -> None:
    shutil.rmtree(repository.origin)

    with pytest.raises(
        ServiceError, match=r"Could not read the git remote origin: .*does not appear to be a git repository"
    ):
        repository.adapter.remote_refs("origin")


@pytest.fixture
def silent() -> Iterator[str]:
    """An address without its scheme, at which connections are accepted and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}/origin.git"


HASTY = GitLimits(ask=1, transfer=1)


@pytest.mark.parametrize("scheme", ["http", "git"])
def test_a_remote_that_accepts_and_never_responds_is_given_up(repository: Repository, silent: str, scheme: str) -> None:
    git(repository.path, "remote", "set-url", "origin", f"{scheme}://{silent}")

    with pytest.raises(ServiceError, match=r"The git remote origin did not respond within 1 s") as caught:
        Git(repository.path, HASTY).remote_refs("origin")

    assert "`git remote get-url origin`" in caught.value.remedy
    assert children() == []


@pytest.mark.parametrize("scheme", ["http", "git"])
def test_a_push_that_gets_no_response_may_have_arrived(repository: Repository, silent: str, scheme: str) -> None:
    git(repository.path, "remote", "set-url", "origin", f"{scheme}://{silent}")

    with pytest.raises(ServiceError, match=r"did not end within 1 s; whether it arrived is unknown") as caught:
        Git(repository.path, HASTY).push("origin", "main")

    assert "raise timeout in [tool.releaser.git]" in caught.value.remedy
    assert children() == []


class TestAPushWhoseAnswerIsLost:
    def test_it_is_done_where_the_remote_holds_all_of_it(self, repository: Repository) -> None:
        commit = repository.commit()
        repository.adapter.create_tag("v1", commit, "One")
        remote.guard(repository.origin, {"drop-stored": ""})

        repository.adapter.push("origin", f"{commit}:refs/heads/main", "refs/tags/v1")
        assert repository.refs().keys() == {"refs/heads/main", "refs/tags/v1"}

        repository.adapter.push("origin", ":refs/tags/v1")
        assert repository.refs() == {"refs/heads/main": commit}

    def test_it_is_told_as_failed_where_the_remote_holds_none(self, repository: Repository) -> None:
        before = repository.refs()
        remote.guard(repository.origin, {"drop": ""})

        with pytest.raises(ServiceError, match=r"failed; nothing of it arrived: .*hung up"):
            repository.adapter.push("origin", f"{repository.commit()}:refs/heads/main")

        assert repository.refs() == before

    def test_it_is_not_guessed_where_the_remote_cannot_be_asked(self, repository: Repository) -> None:
        git(repository.path, "remote", "set-url", "origin", "git://127.0.0.1:1")

        with pytest.raises(ServiceError, match="failed; whether it arrived is unknown: "):
            repository.adapter.push("origin", f"{repository.commit()}:refs/heads/main")


def test_a_fetch_that_gets_no_response_is_given_up(repository: Repository, silent: str) -> None:
    git(repository.path, "remote", "set-url", "origin", f"git://{silent}")

    with pytest.raises(CommandError, match=r"git fetch did not end in 1 s"):
        Git(repository.path, HASTY).fetch_objects("origin", ABSENT)
    assert children() == []


def children() -> list[str]:
    """The gits that this process has started and that still run."""
    return [one.name() for one in psutil.Process().children(recursive=True) if one.name().startswith("git")]


_SPEED = {"GIT_HTTP_LOW_SPEED_LIMIT", "GIT_HTTP_LOW_SPEED_TIME"}


@pytest.mark.parametrize(
    ("configured", "environment", "left_alone"),
    [
        ("", {}, set()),
        ("http.lowspeedlimit 1000\nhttp.lowspeedtime 5", {}, _SPEED),
        ("", {"GIT_HTTP_LOW_SPEED_TIME": "5"}, _SPEED),
        ("core.sshcommand ssh -i key", {}, {"GIT_SSH_COMMAND"}),
        ("", {"GIT_SSH": "plink"}, {"GIT_SSH_COMMAND"}),
        ("", {"SSH_ASKPASS": "ask"}, {"GIT_SSH_COMMAND"}),
    ],
)
def test_what_the_user_has_set_for_remotes_is_left_alone(monkeypatch, configured, environment, left_alone) -> None:
    monkeypatch.delenv("SSH_ASKPASS", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdin", None)

    assert network_settings(configured).keys() == {*_SPEED, "GIT_SSH_COMMAND"} - left_alone


def test_without_a_terminal_ssh_asks_for_nothing(repository: Repository, tmp_path: Path, monkeypatch) -> None:
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\nexit 1\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(ssh.parent), prepend=os.pathsep)
    monkeypatch.delenv("SSH_ASKPASS", raising=False)
    git(repository.path, "remote", "set-url", "origin", "git@host.invalid:owner/name.git")

    with pytest.raises(ServiceError, match="Could not read the git remote origin"):
        repository.adapter.remote_refs("origin")

    assert "-o BatchMode=yes" in (tmp_path / "words").read_text()


@pytest.mark.parametrize("options", [(), ("--depth=1",)], ids=["full", "shallow"])
def test_objects_are_fetched_without_moving_anything(repository: Repository, options: tuple[str, ...]) -> None:
    second = repository.clone("second", *options)
    head = repository.commit("later")
    git(repository.path, "push", "--quiet", "origin", "main")
    before = state(second.root)
    assert second.commit(head) is None

    second.fetch_objects("origin", head)

    assert second.commit(head) == head
    assert second.contains(head, second.head())
    assert state(second.root) == before


def test_branch_and_tag_are_pushed_together(repository: Repository) -> None:
    head = repository.commit("later")
    repository.adapter.create_tag("v1", head, "one")

    repository.adapter.push("origin", f"{head}:refs/heads/main", "refs/tags/v1")

    assert repository.refs() == {
        "refs/heads/main": head,
        "refs/tags/v1": git(repository.path, "rev-parse", "refs/tags/v1"),
    }


def test_of_a_push_that_a_hook_refuses_nothing_arrives(repository: Repository) -> None:
    remote.guard(repository.origin, {"refuse": ""})
    before = repository.refs()
    head = repository.commit("later")
    repository.adapter.create_tag("v1", head, "one")

    with pytest.raises(ServiceError, match=r"Pushing .* to origin failed.*protected: pushes are refused for now"):
        repository.adapter.push("origin", f"{head}:refs/heads/main", "refs/tags/v1")

    assert repository.refs() == before


def test_when_one_ref_may_not_move_the_other_does_not_arrive_either(repository: Repository) -> None:
    remote.guard(repository.origin, {})
    other = repository.clone("other")
    git(other.root, "commit", "--quiet", "--allow-empty", "--message", "Meanwhile")
    git(other.root, "push", "--quiet", "origin", "main")
    before = repository.refs()
    head = repository.commit("later")
    repository.adapter.create_tag("v1", head, "one")

    with pytest.raises(ServiceError, match=r"Pushing .* failed"):
        repository.adapter.push("origin", f"{head}:refs/heads/main", "refs/tags/v1")

    assert repository.refs() == before


def test_nothing_is_pushed_that_was_not_asked_for(repository: Repository, config: Path) -> None:
    with config.open("a") as file:
        file.write("[push]\n\tfollowTags = true\n")
    repository.adapter.create_tag("private", "HEAD", "mine")
    head = repository.commit("later")
    repository.adapter.create_tag("v1", head, "one")

    repository.adapter.push("origin", f"{head}:refs/heads/main", "refs/tags/v1")

    assert sorted(repository.refs()) == ["refs/heads/main", "refs/tags/v1"]


# --- working trees ----------------------------------------------------------------------------------------------------


def half_made(repository: Repository, tree: Path) -> None:
    """As a git that was killed while it checked out leaves it: locked, and without the file that leads to git."""
    add_worktree(repository.adapter, tree, "HEAD")
    git(repository.path, "worktree", "lock", "--reason", "initializing", str(tree))
    (tree / ".git").unlink()


def missing_but_locked(repository: Repository, tree: Path) -> None:
    half_made(repository, tree)
    shutil.rmtree(tree)


def locked_index(repository: Repository, tree: Path) -> None:
    add_worktree(repository.adapter, tree, "HEAD")
    Path(git(tree, "rev-parse", "--git-path", "index.lock")).touch()
    assert Git(tree).index_is_locked()


def files_of_nobody(repository: Repository, tree: Path) -> None:
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "file").touch()


def another_repositorys_tree(repository: Repository, tree: Path) -> None:
    git(tree.parent, "clone", "--quiet", str(repository.origin), "other")
    git(tree.parent / "other", "worktree", "add", "--quiet", "--detach", str(tree))


@pytest.mark.parametrize(
    "before",
    [
        lambda *_: None,
        lambda repository, tree: add_worktree(repository.adapter, tree, "HEAD"),
        half_made,
        missing_but_locked,
        locked_index,
        files_of_nobody,
        another_repositorys_tree,
    ],
    ids=["nothing", "a tree", "half made", "missing", "locked index", "other files", "another repository's"],
)
def test_a_working_tree_is_made_whatever_lies_there(
    repository: Repository, tmp_path: Path, before: Callable[[Repository, Path], None]
) -> None:
    tree = tmp_path / "state" / "tree"
    tree.parent.mkdir()
    first = repository.adapter.head()
    repository.commit("later")
    before(repository, tree)

    add_worktree(repository.adapter, tree, first)

    made = Git(tree)
    assert (made.head(), made.branch(), made.changes(), made.index_is_locked()) == (first, None, [], False)
    assert sorted(path.name for path in tree.iterdir()) == [".git", "file"]
    common = ("rev-parse", "--path-format=absolute", "--git-common-dir")
    assert git(tree, *common) == git(repository.path, *common)


@pytest.mark.parametrize(
    "before", [lambda repository, tree: add_worktree(repository.adapter, tree, "HEAD"), half_made, missing_but_locked]
)
def test_of_a_removed_working_tree_git_knows_nothing_more(
    repository: Repository, tmp_path: Path, before: Callable[[Repository, Path], None]
) -> None:
    tree = tmp_path / "tree"
    before(repository, tree)

    remove_worktree(repository.adapter, tree)
    remove_worktree(repository.adapter, tree)

    assert not tree.exists()
    assert len(git(repository.path, "worktree", "list").splitlines()) == 1


def test_the_users_checkout_and_other_trees_stay_as_they_are(repository: Repository, tmp_path: Path) -> None:
    elsewhere = tmp_path / "not mounted now"
    git(repository.path, "worktree", "add", "--quiet", "--detach", str(elsewhere))
    elsewhere.rename(tmp_path / "aside")
    (repository.path / "file").write_text("being edited")
    before = state(repository.path)

    add_worktree(repository.adapter, tmp_path / "tree", "HEAD")
    remove_worktree(repository.adapter, tmp_path / "tree")

    assert state(repository.path) == before
    (tmp_path / "aside").rename(elsewhere)
    assert Git(elsewhere).changes() == []


def test_a_commit_in_a_working_tree_holds_the_named_files_alone_and_moves_no_branch(
    repository: Repository, tmp_path: Path
) -> None:
    head = repository.adapter.head()
    add_worktree(repository.adapter, tmp_path / "tree", head)
    tree = Git(tmp_path / "tree")
    for name in ("file", "new", "staged", "left"):
        (tree.root / name).write_text("written")
    git(tree.root, "add", "staged")

    commit = tree.commit_files("chore: bump version to 1", "file", "new")

    assert commit == tree.head()
    assert (tree.parent(commit), tree.subject(commit)) == (head, "chore: bump version to 1")
    assert git(tree.root, "show", "--format=", "--name-only", commit).splitlines() == ["file", "new"]
    assert repository.adapter.head() == head


# --- refs and bundles -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_a_ref_is_made_once_and_deleted_as_often_as_one_likes(tmp_path: Path, form: str) -> None:
    git(tmp_path, "init", "--quiet", f"--object-format={form}", "new")
    made = Repository(tmp_path / "new", tmp_path)
    first, second = made.commit("a"), made.commit("b")

    made.adapter.set_ref(REF, first)

    with pytest.raises(CommandError, match="already exists"):
        made.adapter.set_ref(REF, second)
    assert made.adapter.commits(REF) == [first]
    made.adapter.delete_ref(REF)
    made.adapter.delete_ref(REF)
    assert made.adapter.commit(REF) is None


def bundled(repository: Repository, path: Path) -> str:
    """A commit that only a bundle holds."""
    base = repository.adapter.head()
    commit = repository.commit("released", "1")
    repository.adapter.set_ref(REF, commit)
    repository.adapter.bundle(path, REF, base)
    git(repository.path, "reset", "--quiet", "--hard", base)
    return commit


@pytest.mark.parametrize("options", [(), ("--depth=1",)], ids=["full", "shallow"])
def test_a_bundle_brings_the_same_commit_to_a_new_clone_and_touches_nothing_else(
    repository: Repository, tmp_path: Path, options: tuple[str, ...]
) -> None:
    commit = bundled(repository, tmp_path / "bundle")
    clone = repository.clone("clone", *options)
    before = state(clone.root)

    assert clone.unbundle(tmp_path / "bundle", REF) is True

    assert clone.commit(REF) == commit
    assert clone.file(commit, "released") == "1"
    assert {name for name, held in state(clone.root).items() if before.get(name) != held} == {f".git/{REF}"}


def test_a_bundle_whose_base_is_not_here_brings_nothing(repository: Repository, tmp_path: Path) -> None:
    bundled(repository, tmp_path / "bundle")
    git(tmp_path, "init", "--quiet", "other")
    other = Repository(tmp_path / "other", tmp_path)
    other.commit("unrelated")

    assert other.adapter.unbundle(tmp_path / "bundle", REF) is False
    assert other.adapter.commit(REF) is None


def test_a_torn_bundle_brings_nothing(repository: Repository, tmp_path: Path) -> None:
    bundled(repository, tmp_path / "bundle")
    content = (tmp_path / "bundle").read_bytes()
    (tmp_path / "bundle").write_bytes(content[: len(content) - 30])
    clone = repository.clone("clone")

    assert clone.unbundle(tmp_path / "bundle", REF) is False
    assert clone.commit(REF) is None


def test_whoever_restores_from_a_bundle_at_the_same_time_finds_the_commit(
    repository: Repository, tmp_path: Path
) -> None:
    commit = bundled(repository, tmp_path / "bundle")
    clone = repository.clone("clone")

    def restore(_: int) -> str | None:
        clone.unbundle(tmp_path / "bundle", REF)
        return clone.commit(REF)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(restore, range(8))) == [commit] * 8
