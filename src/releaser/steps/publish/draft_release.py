"""Publish: create the release as a draft with title and notes; a published one may be immutable."""

from __future__ import annotations

from releaser.adapters.where import where
from releaser.core.step import Conflict, Done, Outcome, Step, Todo
from releaser.errors import ServiceError, StepError
from releaser.release import Release
from releaser.texts.release_page import identity, is_kept, notes, title, with_lf


class DraftRelease(Step[Release]):
    """The forge has a release of the tag, with title and notes. It is published when its assets are complete."""

    name = "draft_release"
    title = "Release drafted with title and notes"
    choices = ("theirs", "ours")

    def check(self, release: Release) -> Outcome:
        """Look for a draft or a published release of the tag."""
        found = release.forge.find_release(release.tag)
        if found is None and release.store.chain.newest("burned", tag=release.tag):
            return Conflict(
                f"an immutable release of {release.tag} was deleted, and GitHub never takes its tag's name again",
                f"Release {release.version.bump(release.version.stage or 'patch')} instead.",
            )
        if found is None:
            return Todo("draft it with title and notes" if release.commit() is None else f"draft {title(release)!r}")
        chosen = release.choices.get(self.name)
        if is_kept(release, found) and chosen != "ours":
            return Done(f"{found.name!r}, as somebody edited it")
        if found.draft:
            there = (found.name, with_lf(found.body), found.prerelease)
            wanted = (title(release), with_lf(notes(release)), release.version.is_prerelease)
            if there == wanted:
                return Done(f"draft {found.name!r}")
            ours = release.store.chain.newest("drafted", sha256=identity(found)) is not None
            if ours or chosen == "ours" or there[:2] == wanted[:2]:
                return Todo("update the draft")
            what = f"somebody has edited title or notes of the draft of {release.tag}, {found.name!r}"
        elif with_lf(release.notes()) in with_lf(found.body):
            return Done(repr(found.name))
        else:
            what = f"the release {release.tag} is published with other notes than the changelog's section"
        if chosen == "theirs":
            return Todo(f"keep title and notes as they are: {found.name!r}")
        if found.draft:
            return Conflict(
                what,
                f"Look at {found.url}, then "
                + where(
                    terminal=f"keep what is there with `--choose {self.name}=theirs`, or write this release's title "
                    f"and notes with `--choose {self.name}=ours`.",
                    job="delete the draft and re-run the failed jobs, which make it again. To keep what is there, "
                    f"start {release.config.release_workflow} again with the input `choose` {self.name}=theirs.",
                ),
            )
        return Conflict(
            what,
            f"Edit it at {found.url}, so that it has the section word for word"
            + where(
                terminal=f", or keep it with `--choose {self.name}=theirs`.",
                job=f". Then re-run the failed jobs; or start {release.config.release_workflow} again with the input "
                f"`choose` {self.name}=theirs, which keeps it.",
            ),
        )

    def run(self, release: Release) -> None:
        """Create the draft, or update it."""
        forge, name, body, pre = release.forge, title(release), notes(release), release.version.is_prerelease
        found = forge.find_release(release.tag)
        if found is not None and release.choices.get(self.name) == "theirs":
            release.journal.write("kept", step=self.name, sha256=identity(found), name=found.name)
            if found.prerelease != pre:
                forge.update_release(found.id, prerelease=pre)
            return
        if found is not None:
            made = forge.update_release(found.id, name=name, body=body, prerelease=pre)
            release.journal.write("drafted", sha256=identity(made))
            return
        try:
            made = forge.create_draft(release.tag, release.must_have_commit(), name, body, pre)
        except ServiceError as error:
            if "immutable release" not in error.message:
                raise
            following = release.version.bump(release.version.stage or "patch")
            raise StepError(
                error.message,
                f"Run `invoke rollback --version {release.version}`, which takes the tag back, and release "
                f"{following}: a deleted release of this tag was immutable, and GitHub never takes its name again.",
            ) from error

        release.journal.write("drafted", sha256=identity(made))
