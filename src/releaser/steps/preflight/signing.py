"""Preflight: what git does by itself when it commits and tags: signatures and hooks."""

from __future__ import annotations

from releaser.core.step import Conflict, Done, Outcome, Step
from releaser.release import Release


class SignSomething(Step[Release]):
    """Git can sign, if it is set to sign the release commit or the tag."""

    name = "sign_something"
    title = "Signing works, where git signs"

    def check(self, release: Release) -> Outcome:
        """Make a signature that is kept nowhere: that a key is configured does not mean that it can be used."""
        settings = release.git_settings
        signed = settings.signed()
        if not signed:
            return Done("git signs neither commits nor tags")
        what = " and ".join(signed)
        if release.git.tag(release.tag) is not None:
            return Done(f"git signs {what}; the tag exists")
        kind = settings.signing_format()
        if reason := release.why_it_cannot_sign:
            return Conflict(
                f"git is set to sign {what} ({kind}) and cannot: {reason}",
                "Set user.signingKey to a key that works here, or run `git config tag.gpgSign false` "
                "(commit.gpgSign for commits).",
            )
        return Done(f"git signs {what} ({kind}); a signature was made")


class KnowHooks(Step[Release]):
    """The hooks that run in this release are known."""

    name = "know_hooks"
    title = "Git hooks known"

    def check(self, release: Release) -> Outcome:
        """Look for hooks that can refuse; those of the commit run before anything is public."""
        settings = release.git_settings
        hooks = settings.hooks()
        if not hooks:
            return Done("none that could refuse")
        where = f" (core.hooksPath is {folder})" if (folder := settings.hooks_folder()) else ""
        later = "; pre-push is tried before anything is public" if "pre-push" in hooks else ""
        return Done(f"{', '.join(hooks)} will run{where}{later}")
