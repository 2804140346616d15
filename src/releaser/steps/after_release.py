"""After: the announcement is written, the milestone closed, the user's branch moved forward."""

from __future__ import annotations

from releaser.adapters.forge import Milestone
from releaser.release import Release
from releaser.step import Done, Outcome, Skipped, Step, Todo
from releaser.store import write_atomically


class WriteAnnouncement(Step[Release]):
    """A text to announce the release with lies in the store."""

    name = "write_announcement"
    title = "The announcement is written"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Looks for it; whoever has edited it since keeps the edits."""
        path = release.store.path / "announcement.md"
        return Done(str(path)) if path.exists() else Todo(f"write {path}")

    def run(self, release: Release) -> None:
        """Writes it."""
        write_atomically(release.store.path / "announcement.md", _text(release))


class CloseMilestone(Step[Release]):
    """The version's milestone is closed, if there is one."""

    name = "close_milestone"
    title = "The milestone is closed"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Looks for a milestone of the configured title."""
        title = _milestone_title(release)
        if release.version.is_prerelease:
            return Skipped("a pre-release closes no milestone")
        found = self._find(release)
        if found is None:
            return Skipped(f"there is no milestone {title}")
        return (
            Done(f"{title} is closed")
            if found.state == "closed"
            else Todo(f"close {title} ({found.open_issues} still open in it)")
        )

    def run(self, release: Release) -> None:
        """Closes it."""
        found = self._find(release)
        if found:
            release.forge.close_milestone(found.number)

    def _find(self, release: Release) -> Milestone | None:
        return release.forge.find_milestone(_milestone_title(release))


class FastForward(Step[Release]):
    """The user's branch is at the release, if it is clean and where the release began."""

    name = "fast_forward"
    title = "The local branch is at the release"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Moves nothing that anybody has changed meanwhile: then one line says to pull."""
        git, commit = release.git, release.commit()
        if commit is None:
            return Todo("move the local branch forward, if it is clean and where the release began")
        head = git.head()
        if git.contains(head, commit):
            return Done(f"{git.branch() or 'HEAD'} has {commit[:12]}")
        pull = f"`git pull --ff-only {release.config.git.remote} {release.config.git.branch}` brings the release commit"
        if git.branch() != release.config.git.branch:
            return Skipped(f"{release.config.git.branch} is not checked out; {pull}")
        if head != git.parent(commit):
            return Skipped(f"the branch has moved since the release began; {pull}")
        if git.changes():
            return Skipped(f"there are uncommitted changes; {pull}")
        return Todo(f"git merge --ff-only {commit[:12]}")

    def run(self, release: Release) -> None:
        """Fast-forwards."""
        release.git.fast_forward(str(release.commit()))


class RemoveWorktree(Step[Release]):
    """The working tree that the release was made in is gone."""

    name = "remove_worktree"
    title = "The release's working tree is removed"

    def check(self, release: Release) -> Outcome:
        """Looks for it."""
        return Todo(f"remove {release.store.worktree}") if release.store.worktree.exists() else Done("removed")

    def run(self, release: Release) -> None:
        """Removes it."""
        release.git.remove_worktree(release.store.worktree)


def _text(release: Release) -> str:
    return release.config.after.announcement.format(
        distribution=release.config.distribution,
        version=release.version,
        notes=release.notes(),
        release_url=release.forge.release_url(release.tag),
    )


def _milestone_title(release: Release) -> str:
    return release.config.forge.milestone.format(version=release.version)
