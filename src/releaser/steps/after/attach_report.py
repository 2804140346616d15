"""After: attach the record of the release to it, and write the record's last hash into its notes."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.forge.records import ReleaseInfo
from releaser.core.files import sha256
from releaser.core.step import Done, Outcome, Skipped, Step, Todo, Warned
from releaser.errors import StepError
from releaser.release import Release
from releaser.steps.ci import taking_part
from releaser.texts.proof import document
from releaser.texts.release_page import record_edit

_TYPES = {".json": "application/json", ".html": "text/html"}


class AttachReport(Step[Release]):
    """The release has its record as a page and as JSON. What was attached stays: a later report has its own bytes."""

    name = "attach_report"
    title = "Record of the release attached to it"
    skippable = True
    essential = False

    def check(self, release: Release) -> Outcome:
        """Compare what is attached with what was made for that."""
        if not release.config.forge.attach_report:
            return Skipped("attach-report in [tool.releaser.forge] is false")
        found, dists = release.forge.find_release(release.tag), release.dists()
        if found is None or found.draft or dists is None:
            return Todo("attach the record, and write its last hash into the notes")
        if found.immutable:
            return _of_immutable(release, found)
        there = {asset.name: asset.sha256 for asset in found.assets if asset.state == "uploaded"}
        made, names = _made(release), document.names(dists)
        if not made:
            absent = [name for name in names if name not in there]
            return Todo(f"attach {', '.join(absent)}") if absent else Done("there; it was not made here")
        attached = release.store.chain.newest("attached")
        if altered := [name for name in names if attached and there.get(name) not in (attached["files"][name], None)]:
            return Warned(f"{', '.join(altered)} is not what was attached", f"Find out who replaced it at {found.url}.")
        if any(name not in there for name in names):
            return Todo(f"attach {', '.join(name for name in names if name not in there)}")
        if document.last_hash(made[0]) not in found.body:
            return Todo("write the record's last hash into the notes")
        return Done(f"{', '.join(names)}; last hash {document.last_hash(made[0])[:12]}, which is in the notes")

    def run(self, release: Release) -> None:
        """Make the record once, attach it, and write its last hash below the notes."""
        found, folder = release.forge.find_release(release.tag), release.store.path / "attached"
        if found is None or found.draft:
            raise StepError(f"{release.tag} is not published", "Rerun the command.")
        made = _made(release) or document.write(release, folder, taking_part.told)
        there = {asset.name for asset in found.assets if asset.state == "uploaded"}
        _note(release, found, document.last_hash(made[0]), made[0].name)
        if found.immutable:
            return
        sent = {}
        for path in made:
            if path.name not in there:
                release.forge.assets.upload(found.id, path, _TYPES[path.suffix])
            sent[path.name] = sha256(path)
        release.journal.write("attached", files=sent)


def _of_immutable(release: Release, found: ReleaseInfo) -> Outcome:
    """Answer for a release that takes no more assets; its notes can be edited all the same."""
    made = _made(release)
    if made and document.last_hash(made[0]) in found.body:
        where = made[0].parent
        return Done(f"its last hash is in the notes; the immutable release takes no more files, which are in {where}")
    return Todo("write the record's last hash into the notes; the immutable release takes no more files")


def _made(release: Release) -> tuple[Path, Path] | None:
    """Return what was made to be attached; None before both are there (the document is written last)."""
    names = document.names(release.built())
    made = (release.store.path / "attached" / names[0], release.store.path / "attached" / names[1])
    return made if all(path.exists() for path in made) else None


def _note(release: Release, found: ReleaseInfo, last: str, name: str) -> None:
    if last in found.body:
        return
    body = f"{found.body.rstrip()}\n\nThe last hash of this release's record, `{name}`: `{last}`\n"
    record_edit(release, found, release.forge.update_release(found.id, body=body))
