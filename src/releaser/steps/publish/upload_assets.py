"""Publish: attach the built files while the release is a draft."""

from __future__ import annotations

from releaser.adapters.forge.client import ReleaseInfo
from releaser.core.step import Conflict, Done, Outcome, Step, Todo
from releaser.dists.built import Dists
from releaser.errors import StepError
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
        missing, others = _missing(found, dists), _others(found, dists)
        if not found.draft and missing:
            return Conflict(
                f"the release {release.tag} is published without {', '.join(missing)}, or with other bytes",
                f"Attach them manually at {found.url} from {dists.directory}, or release the next version.",
            )
        chosen, shown = release.choices.get(self.name), ", ".join(others)
        kept = release.store.chain.newest("kept", step=self.name, names=others) is not None
        if found.draft and others and not kept and not chosen:
            return Conflict(
                f"the draft of {release.tag} has what this release did not build: {shown}",
                f"Publish it too with `--choose {self.name}=theirs`, or delete it with `--choose {self.name}=ours`.",
            )
        todo = [f"attach {', '.join(missing)}"] if missing else []
        if found.draft and others and chosen == "ours":
            todo.insert(0, f"delete {shown}")
        elif found.draft and others and not kept:
            todo.append(f"keep {shown}")
        if todo:
            return Todo("; ".join(todo))
        more = f", and what this release did not build: {shown}" if others else ""
        return Done(f"{len(dists.assets)} assets as built{more}")

    def run(self, release: Release) -> None:
        """Upload what is missing; replace a broken upload."""
        found, dists = release.forge.find_release(release.tag), release.built()
        if found is None:
            raise StepError(
                f"The draft of {release.tag} no longer exists", "Rerun the command, which creates it again."
            )
        others = _others(found, dists) if found.draft else []
        if others and release.choices.get(self.name) == "ours":
            for asset in found.assets:
                if asset.name in others:
                    release.forge.assets.delete(asset.id)
        elif others:
            release.journal.write("kept", step=self.name, names=others)
        for name in _missing(found, dists):
            path = dists.directory / name
            release.forge.assets.upload(found.id, path, _TYPES.get(path.suffix, "text/plain"))


def _others(found: ReleaseInfo, dists: Dists) -> list[str]:
    """Return the names of assets that are not this release's: a person, or a workflow, attached them."""
    ours = {*dists.assets, *document.names(dists)}
    return sorted(asset.name for asset in found.assets if asset.name not in ours)


def _missing(found: ReleaseInfo, dists: Dists) -> list[str]:
    there = {asset.name: asset.sha256 for asset in found.assets if asset.state == "uploaded"}
    return [name for name, digest in dists.assets.items() if there.get(name) != digest]
