"""Publish: attach the built files while the release is a draft."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from releaser.adapters.forge.job import BOT
from releaser.adapters.forge.records import ReleaseInfo
from releaser.adapters.where import where
from releaser.core.activity import current
from releaser.core.step import Conflict, Done, Outcome, Step, Todo
from releaser.dists.built import Dists
from releaser.errors import ConflictError, StepError
from releaser.release import Release
from releaser.texts.proof import document

_TYPES = {".whl": "application/zip", ".gz": "application/gzip", ".json": "application/vnd.cyclonedx+json"}


class UploadAssets(Step[Release]):
    """The release has the built files, the bill of materials and the checksums as assets."""

    name = "upload_assets"
    title = "Built files attached to the release"
    choices = ("theirs", "ours")

    def check(self, release: Release) -> Outcome:
        """Compare hashes; the forge computes its own."""
        found, dists = release.forge.find_release(release.tag), release.dists()
        if found is None or dists is None:
            return Todo("attach sdist, wheel, bill of materials and SHA256SUMS")
        held, others = _held(release, found, dists), _others(found, dists)
        missing = _missing(held, dists)
        if not found.draft and missing:
            return Conflict(
                f"the release {release.tag} is published without {', '.join(missing)}, or with other bytes",
                f"Attach them manually at {found.url} from "
                + where(terminal=f"{dists.directory}, or", job="the artifact `dist` of this run, or")
                + " release the next version.",
            )
        chosen, shown = release.choices.get(self.name), ", ".join(others)
        replaced = _replaced(release, found, held, dists) if found.draft else []
        if replaced and chosen != "ours":
            return self._replaced(release, found, replaced, chosen)
        kept = release.store.chain.newest("kept", step=self.name, names=others) is not None
        if found.draft and others and not kept and not chosen:
            return Conflict(
                f"the draft of {release.tag} has what this release did not build: {shown}",
                where(
                    terminal=f"Publish it too with `--choose {self.name}=theirs`, or delete it with "
                    f"`--choose {self.name}=ours`.",
                    job=f"Delete it at {found.url}, then re-run the failed jobs. To publish it too, start "
                    f"{release.config.release_workflow} again with the input `choose` {self.name}=theirs.",
                ),
            )
        todo = [f"attach {', '.join(missing)}"] if missing else []
        if again := _left_by_a_run(release, found, held, dists):
            todo.append(f"replace {', '.join(again)}, which an earlier run put there")
        if found.draft and others and chosen == "ours":
            todo.insert(0, f"delete {shown}")
        elif found.draft and others and not kept:
            todo.append(f"keep {shown}")
        if todo:
            return Todo("; ".join(todo))
        more = f", and what this release did not build: {shown}" if others else ""
        return Done(f"{len(dists.assets)} assets as built{more}")

    def run(self, release: Release) -> None:
        """Upload what is missing; replace a broken upload, and what was sent from here before.

        Raises:
            ConflictError: Somebody has put other bytes under the name of a built file since the check.
        """
        found, dists = release.forge.find_release(release.tag), release.built()
        if found is None:
            raise StepError(
                f"The draft of {release.tag} no longer exists", "Rerun the command, which creates it again."
            )
        others, chosen = _others(found, dists) if found.draft else [], release.choices.get(self.name)
        held = _held(release, found, dists)
        if (replaced := _replaced(release, found, held, dists)) and chosen != "ours":
            conflict = self._replaced(release, found, replaced, chosen)
            raise ConflictError(conflict.what, conflict.remedy)
        if others and chosen == "ours":
            for asset in found.assets:
                if asset.name in others:
                    release.forge.assets.delete(asset.id)
        elif others:
            release.journal.write("kept", step=self.name, names=others)
        for name in _left_by_a_run(release, found, held, dists):
            put, built = held[name][:12], dists.assets[name][:12]
            current().note(f"{name} in the draft is replaced: an earlier run put {put} there; {built} is built now")
        for name in _missing(held, dists):
            path = dists.directory / name
            # Before it is sent, so that bytes which arrive without an answer are known as ours.
            release.journal.write("attaching", file=name, sha256=dists.assets[name])
            release.forge.assets.upload(found.id, path, _TYPES.get(path.suffix, "text/plain"))

    def _replaced(self, release: Release, found: ReleaseInfo, names: list[str], chosen: str | None) -> Conflict:
        """Return the conflict over built files that somebody replaced; `theirs` cannot settle it.

        A file name with other bytes than PyPI has, and than SHA256SUMS lists, is what no release may end with.
        """
        shown = ", ".join(names)
        what = f"somebody has put other bytes into the draft of {found.tag} under the name of a built file: {shown}"
        if chosen == "theirs":
            what += "; they cannot be kept under that name, which stands for the bytes that were built and tested"
        return Conflict(
            what,
            f"Look at {found.url}. "
            + where(
                terminal=f"Put the built files back with `--choose {self.name}=ours`. To publish theirs too, attach "
                f"them under another name first, then add `--choose {self.name}=theirs`.",
                job="Find out who put them there. Delete them there, then re-run the failed jobs, which attach the "
                f"built files. To publish theirs too, attach them under another name, and start "
                f"{release.config.release_workflow} again with the input `choose` {self.name}=theirs.",
            ),
        )


def _others(found: ReleaseInfo, dists: Dists) -> list[str]:
    """Return the names of assets that are not this release's: a person, or a workflow, attached them."""
    # The record of a release is attached to it when it is published; what a draft has of that name is not ours.
    ours = {*dists.assets, *(() if found.draft else document.names(dists))}
    return sorted(asset.name for asset in found.assets if asset.name not in ours)


def _missing(held: Mapping[str, str], dists: Dists) -> list[str]:
    return [name for name, digest in dists.assets.items() if held.get(name) != digest]


def _replaced(release: Release, found: ReleaseInfo, held: Mapping[str, str], dists: Dists) -> list[str]:
    """Return the names of built files under which the release has whole files that were never sent from here."""
    chain, again = release.store.chain, _left_by_a_run(release, found, held, dists)
    other = [name for name, digest in held.items() if digest != dists.assets[name] and name not in again]
    return sorted(name for name in other if not chain.newest("attaching", file=name, sha256=held[name]))


def _left_by_a_run(release: Release, found: ReleaseInfo, held: Mapping[str, str], dists: Dists) -> list[str]:
    """Return the names of built files under which a draft has others that a workflow put there.

    A job knows nothing of what the jobs of earlier runs sent, and the bill of materials differs with the index's day.
    A job that may publish has only files that were built twice, so they take the place of what a workflow left.
    """
    if release.rebuilt is None or not found.draft:
        return []
    by_workflow = {one.name for one in found.assets if one.uploader == BOT}
    return sorted(name for name, digest in held.items() if name in by_workflow and digest != dists.assets[name])


def _held(release: Release, found: ReleaseInfo, dists: Dists) -> dict[str, str]:
    """Return the hash of each whole asset that has a built file's name; of its bytes where the forge does not tell."""
    whole = [one for one in found.assets if one.state == "uploaded" and one.name in dists.assets]
    held = {one.name: one.sha256 for one in whole if one.sha256 is not None}
    with tempfile.TemporaryDirectory() as folder:
        download = release.forge.assets.download
        return held | {one.name: download(one, Path(folder, one.name)) for one in whole if one.sha256 is None}
