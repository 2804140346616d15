"""Qualify: the user's own pre-push hook lets the release through, before anything is public."""

from __future__ import annotations

from pathlib import Path

from releaser.core.step import Done, Outcome, Skipped
from releaser.dists.built import Dists
from releaser.errors import StepError
from releaser.release import Release
from releaser.steps.receipted import Receipted
from releaser.store import Receipt


class TryPushHook(Receipted):
    """The hook pre-push passes for the release commit and its tag."""

    name = "try_push_hook"
    title = "pre-push hook passes"
    doing = "run the hook pre-push in a dry run of the push"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Look whether there is a hook, then for the receipt."""
        if "pre-push" not in release.git_settings.hooks():
            return Done("there is no pre-push hook")
        if release.git_settings.push_hook_uploads():
            return Skipped("the pre-push hook is git-lfs's, which sends files even in a dry run; it runs at the push")
        return super().check(release)

    def attempt(self, release: Release, _dists: Dists, _scratch: Path) -> Receipt:
        """Push without sending anything: the hook sees what it will see at the push."""
        config, commit = release.config.git, release.must_have_commit()
        if release.git.remote_tag(config.remote, release.tag):
            return Receipt(f"{release.tag} is pushed already", skipped=True)
        refs = (f"{commit}:refs/heads/{config.branch}", f"{commit}:refs/tags/{release.tag}")
        reason = release.git_settings.why_it_cannot_push(config.remote, *refs, hooks=True)
        if reason:
            raise StepError(
                f"A dry run of the push to {config.remote} failed: {reason}",
                "Fix what it names, then rerun the command; nothing is public yet.",
            )
        return Receipt(f"pre-push passed in a dry run of the push to {config.remote}")
