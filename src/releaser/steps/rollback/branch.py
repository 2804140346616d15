"""Take the version bump back in the branch, by a commit that reverts it: what is pushed is never rewritten."""

from __future__ import annotations

from releaser.adapters.git import Git
from releaser.adapters.git.trees import remove_worktree
from releaser.core.files import inside
from releaser.core.step import Conflict, Done, Outcome, Skipped, Stays, Step, Todo
from releaser.errors import CommandError, ConflictError
from releaser.release import Release
from releaser.steps.rollback.uploads import is_served, must_be_absent


class RevertBump(Step[Release]):
    """The branch at the remote declares the version no more, and its changelog entries are under [Unreleased] again.

    Without this the entries stay under the version's heading, and the next release has nothing to publish.
    """

    name = "revert_bump"
    title = "Version bump reverted in the branch"

    def __init__(self, asked: bool) -> None:
        self._asked = asked

    def check(self, release: Release) -> Outcome:
        """Look whether the branch declares the version, and for the commit that made it so."""
        branch, head = release.config.git.branch, _head(release)
        if head is None or not release.release_commit.declares(head):
            return Done(f"{branch} does not declare {release.version}")
        if is_served(release):
            return Skipped(f"{branch} declares {release.version}, which users have")
        if not self._asked:
            return Stays(
                f"{release.config.git.remote}/{branch} keeps the bump, and the entries under [{release.version}] in "
                f"{release.config.changelog}",
                f"Add `--revert` to take both back, or release {release.version} again from there.",
            )
        commit = _bump(release, head)
        if commit is None:
            return Conflict(
                f"no commit of {branch} was found that changes nothing but version files and changelog to "
                f"{release.version}",
                "Run the rollback without `--revert`, and revert the bump by hand.",
            )
        return Todo(f"push a commit to {branch} that reverts {commit[:12]} ({release.git.subject(commit)})")

    def run(self, release: Release) -> None:
        """Revert it on top of the remote's branch and push that, forward only.

        Raises:
            ConflictError: It cannot be reverted by git alone.
        """
        must_be_absent(release)
        config, head = release.config.git, _head(release)
        commit = _bump(release, head) if head else None
        if head is None or commit is None:
            raise ConflictError(f"{config.branch} has moved meanwhile", "Rerun the command.")
        with release.store.scratch(self.name) as scratch:
            tree = scratch / "source"
            release.add_worktree(tree, head)
            git = Git(tree, release.git.limits)
            try:
                git.run("-c", "core.autocrlf=false", "revert", "--no-edit", commit)
                reverted = git.head()
            except CommandError as error:
                raise ConflictError(
                    f"git cannot revert {commit[:12]} on {head[:12]}: {config.branch} changed the same lines",
                    f"Revert it by hand (`git revert {commit[:12]}`), push that, then rerun the command.",
                ) from error
            finally:
                remove_worktree(release.git, tree)
            release.git.push(config.remote, f"{reverted}:refs/heads/{config.branch}")


def _head(release: Release) -> str | None:
    """Return the remote branch's commit, with its objects fetched."""
    config = release.config.git
    found = release.git.remote_branch(config.remote, config.branch)
    if found and release.git.commit(found) is None:
        release.git.fetch_objects(config.remote, found)
    return found


def _bump(release: Release, head: str) -> str | None:
    """Return the commit that made the branch declare the version; None if it changed other files too."""
    git, declares = release.git, release.release_commit.declares
    paths = {file.path for file in release.version_files} | {release.config.changelog}
    for commit in git.lines("log", "--format=%H", "--max-count=500", head, "--", str(release.version_files[0].path)):
        parent = git.parent(commit)
        if parent and declares(commit) and not declares(parent):
            changed = set(git.lines("diff-tree", "--no-commit-id", "--name-only", "-r", parent, commit))
            resolved = {inside(git.root, path) or path for path in paths}
            return commit if changed <= {str(path) for path in paths | resolved} else None
    return None
