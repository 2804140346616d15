"""Publish: the forge's release, as a draft first, then its assets, then published: a published one may be immutable."""

from __future__ import annotations

from releaser.adapters.forge import ReleaseInfo
from releaser.errors import StepError
from releaser.release import Release
from releaser.step import Conflict, Done, NothingToUndo, Outcome, Step, Todo, Undone, UndoOutcome
from releaser.store import Dists

_TYPES = {".whl": "application/zip", ".gz": "application/gzip", ".json": "application/vnd.cyclonedx+json"}


class DraftRelease(Step[Release]):
    """There is a release of the tag, with title and notes; published only when its assets are complete."""

    name = "draft_release"
    title = "The forge has the release, with title and notes"

    def check(self, release: Release) -> Outcome:
        """Looks for a draft or a published release of the tag."""
        found = _found(release)
        if found is None:
            return Todo("draft it with title and notes" if release.commit() is None else f"draft {title(release)!r}")
        if found.draft:
            same = (found.name, _lines(found.body), found.prerelease) == (
                title(release),
                _lines(notes(release)),
                release.version.is_prerelease,
            )
            return Done(f"draft {found.name!r}") if same else Todo("bring the draft's title and notes up to date")
        if release.notes() not in _lines(found.body):
            return Conflict(
                f"the release {release.tag} is published with other notes than the changelog's section.",
                f"Edit it at {found.url}, so that it holds the section word for word.",
            )
        return Done(f"{found.name!r}")

    def run(self, release: Release) -> None:
        """Makes the draft, or corrects it."""
        found = _found(release)
        if found is None:
            release.forge.create_draft(
                release.tag, str(release.commit()), title(release), notes(release), release.version.is_prerelease
            )
        else:
            release.forge.update_release(
                found.id, name=title(release), body=notes(release), prerelease=release.version.is_prerelease
            )

    def undo(self, release: Release) -> UndoOutcome:
        """Deletes it; the tag's name may stay burned if the forge makes releases immutable."""
        found = _found(release)
        if found is None:
            return NothingToUndo("no release on the forge")
        release.forge.delete_release(found.id)
        return Undone(f"the {'draft' if found.draft else 'published'} release {release.tag} is deleted")


class UploadAssets(Step[Release]):
    """The release holds the built files, the bill of materials and the checksums."""

    name = "upload_assets"
    title = "The release holds every built file"

    def check(self, release: Release) -> Outcome:
        """Compares hashes; the forge computes them itself."""
        found, dists = _found(release), release.dists()
        if found is None or dists is None:
            return Todo("attach sdist, wheel, bill of materials and SHA256SUMS")
        missing = _missing(found, dists)
        if not missing:
            return Done(f"{len(found.assets)} assets")
        if not found.draft:
            return Conflict(
                f"the release {release.tag} is published without {', '.join(missing)}, or with other bytes.",
                f"Attach them by hand at {found.url} from {dists.directory}, or release the next version.",
            )
        return Todo(f"attach {', '.join(missing)}")

    def run(self, release: Release) -> None:
        """Uploads what is missing; a broken upload is replaced."""
        found, dists = _found(release), release.built()
        if found is None:
            raise StepError(f"The draft of {release.tag} is gone.", "Run the same command again; it is made anew.")
        for name in _missing(found, dists):
            path = dists.directory / name
            release.forge.upload_asset(found.id, path, _TYPES.get(path.suffix, "text/plain"))


class PublishRelease(Step[Release]):
    """The release is out; latest only if it is the highest stable version."""

    name = "publish_release"
    title = "The release is published"

    def check(self, release: Release) -> Outcome:
        """Looks whether it is still a draft, and which release is the latest."""
        found = _found(release)
        if found is None or found.draft:
            return Todo("publish it")
        if release.highest_stable() and release.forge.latest_release() != release.tag:
            return Todo("make it the latest")
        return Done(found.url)

    def run(self, release: Release) -> None:
        """Publishes it."""
        found = _found(release)
        if found is None:
            raise StepError(f"The draft of {release.tag} is gone.", "Run the same command again; it is made anew.")
        category = release.config.forge.discussion_category if found.draft else None
        release.forge.publish_release(found.id, make_latest=release.highest_stable(), discussion_category=category)


def title(release: Release) -> str:
    """The release's title: with the brief description if there is one."""
    pattern = release.config.forge.title
    description = release.description or release.changelog().lead_line(release.version)
    if not description:
        pattern = pattern.partition("{description}")[0].rstrip(" -:")
    return pattern.format(version=release.version, description=description)


def notes(release: Release) -> str:
    """The changelog's section word for word, how to install, and where all changes stand."""
    config = release.config
    words = {
        "distribution": config.distribution,
        "version": release.version.pep440 if release.version.is_prerelease else str(release.version),
        "changelog": config.changelog,
        "changelog_url": release.forge.file_url(config.changelog, release.tag),
    }
    parts = [release.notes(), config.forge.install.format(**words), config.forge.full_changes.format(**words)]
    return "\n\n".join(part for part in parts if part) + "\n"


def assets(dists: Dists) -> dict[str, str]:
    """Name to sha256 of everything that is attached: what SHA256SUMS lists, and itself."""
    from releaser.store import SUMS, sha256

    return {**dists.sha256, SUMS: sha256(dists.directory / SUMS)}


def _found(release: Release) -> ReleaseInfo | None:
    return release.forge.find_release(release.tag)


def _missing(found: ReleaseInfo, dists: Dists) -> list[str]:
    there = {asset.name: asset.sha256 for asset in found.assets if asset.state == "uploaded"}
    return [name for name, digest in assets(dists).items() if there.get(name) != digest]


def _lines(text: str) -> str:
    """The forge may keep CRLF."""
    return text.replace("\r\n", "\n")
