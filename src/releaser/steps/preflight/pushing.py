"""Preflight: the push goes to the repository that is asked, and its login is accepted."""

from __future__ import annotations

import os
from pathlib import Path

from releaser.core.step import Conflict, Done, Outcome, Step
from releaser.release import Release


class PushWhereAsked(Step[Release]):
    """Pushes go to the repository that fetches come from, and nowhere else."""

    name = "push_where_asked"
    title = "Push address is the remote's"

    def check(self, release: Release) -> Outcome:
        """Compare the addresses that git makes of remote.pushurl and url.*.pushInsteadOf."""
        remote = release.config.git.remote
        elsewhere = release.git_settings.elsewhere(remote)
        fetched = release.git.remote_url(remote)
        if not elsewhere:
            return Done(str(fetched))
        how = (
            f"Run `git config --unset-all remote.{remote}.pushurl` (push to a mirror separately)"
            if release.git_settings.has_push_addresses(remote)
            else f"Correct url.*.pushInsteadOf, or what `git config --get-all remote.{remote}.url` lists"
        )
        return Conflict(
            f"pushes to {remote} go to {', '.join(elsewhere)}, but {remote} is {fetched}: "
            "branch and tag would land where nothing looks for them",
            f"{how}, or name the remote to release to in [tool.releaser.git].",
        )


class WriteToGit(Step[Release]):
    """The release commit, its private ref, its working tree and the tag can be written to this clone."""

    name = "write_to_git"
    title = "Git directory writable"

    def check(self, release: Release) -> Outcome:
        """Ask the system for each directory that git will write to; one that is missing is made in the one above."""
        places = ("objects", "refs", "refs/tags", "refs/releaser", "worktrees", "logs", "packed-refs")
        denied = dict.fromkeys(
            str(found)
            for place in places
            if not os.access(found := _existing(release.git.git_path(place)), os.W_OK | (os.X_OK * found.is_dir()))
        )
        if denied:
            return Conflict(
                f"git cannot write to {', '.join(denied)}",
                "Change the permissions or the owner, or mount the disk for writing; nothing was changed.",
            )
        return Done(f"{_existing(release.git.git_path('refs'))} and what git keeps with it")


def _existing(path: Path) -> Path:
    """Return a path, or the nearest directory above it that exists."""
    return next(one for one in (path, *path.parents) if one.exists())


class LogInToRemote(Step[Release]):
    """The remote accepts the login for a push."""

    name = "log_in_remote"
    title = "Login for the push accepted"

    def check(self, release: Release) -> Outcome:
        """Push without sending anything; hooks and rules of the remote do not run in a dry run."""
        remote = release.config.git.remote
        reason = release.git_settings.why_it_cannot_push(remote, hooks=False)
        # A remote that cannot even be read fails here, as it does in the other steps that ask it.
        if reason and release.git.remote_tag(remote, release.tag) and release.release_commit.pinned():
            return Done(f"{release.tag} is pushed already")
        if reason:
            return Conflict(
                f"a push to {remote} would fail: {reason}",
                "Fix what git names: write access for this login, or a setting of the push.",
            )
        return Done(f"a dry run of a push to {remote} passed; its hooks do not run in one, so they are unproven")
