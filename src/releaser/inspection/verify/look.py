"""Look at everything that is published of a version: first ask all services, then try what they serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from releaser.adapters.index import readme, rules
from releaser.adapters.index.provenance import Attestation
from releaser.adapters.index.responses import ReleasePage
from releaser.adapters.index.signatures import Signature, verify_signature
from releaser.core.files import SUMS, read_sums
from releaser.errors import StepError
from releaser.inspection.findings import Finding, Findings
from releaser.inspection.questions import Question, ask
from releaser.inspection.verify import forge, images, index, trials
from releaser.inspection.verify.links import follow, links_of
from releaser.release import Release

_TOLD = {"yes": True, "no": False}
_TRIALS_S = 900.0
"""How long what services serve may take to be downloaded, installed and run."""


def look(release: Release, scratch: Path, tell: Callable[[str], None]) -> list[Finding]:
    """Look at a published version.

    Args:
        release: Of which version.
        scratch: An empty directory.
        tell: Says what is going on.
    """
    return _Look(release, scratch, tell).findings()


class _Look:
    def __init__(self, release: Release, scratch: Path, tell: Callable[[str], None]) -> None:
        self.release = release
        self.scratch = scratch
        self.tell = tell
        name, version, remote = release.config.distribution, release.version, release.config.git.remote
        self.files = Question("the index's files", lambda: release.pypi.files(name, version))
        self.page = Question("the index's page", lambda: release.pypi.release_page(name, version))
        self.found = Question("the release", lambda: release.forge.find_release(release.tag))
        self.latest = Question("the latest release", lambda: release.forge.latest_release())
        self.shown = Question("the forge's tag", lambda: release.forge.tags.look(release.tag))
        self.tag = Question("the remote's tag", lambda: release.git.remote_tag(remote, release.tag))
        self.branch = Question("the branch", self._on_branch)
        self.wheel = ""
        self.metadata: Mapping[str, str] = {}
        self.pointed = Question("the image tags", lambda: images.pointed(release))

    def findings(self) -> list[Finding]:
        """Return all findings, subject by subject."""
        has_images = bool(self.release.config.images.targets)
        self.tell("asking the index, the forge, the git remote" + (" and the registry" if has_images else ""))
        services: list[Question[Any]] = [
            *(self.files, self.page, self.found, self.latest, self.shown, self.tag, self.branch),
            *([self.pointed] if has_images else []),
        ]
        ask(services)
        held = self.tag.answer
        self.commit = held.commit if held else self.shown.answer.commit if self.shown.answer else None
        sides = [*self._index(), *self._forge(), *(self._images() if has_images else _no_images())]
        found = [one for notes in sides for one in notes.found]
        order = list(dict.fromkeys(one.about for one in found))
        return sorted(found, key=lambda one: order.index(one.about))

    # --- the index ----------------------------------------------------------------------------------------------------

    def _index(self) -> list[Findings]:
        notes = Findings("index")
        if not self.files.answered(notes, "files"):
            return [notes]
        files = self.files.answer or {}
        found = index.look_at_files(self.release, files)
        if not files:
            return found
        release, folder = self.release, self.scratch / "index"
        links = self._links()
        attested = {name: Question(name, partial(self._attestations, name)) for name in files}
        got = Question("the index's files", lambda: trials.download_files(release, files, folder))
        self.tell("downloading what the index serves, following the page's links")
        ask([got, *attested.values(), *links], _TRIALS_S)
        got.answered(notes, "download")
        self.downloaded = got.answer or {}
        try:
            self.wheel, self.metadata = trials.metadata_of(folder, self.downloaded)
        except StepError as error:
            notes.wrong("wheel", error.message, error.remedy)
        found += [notes, *self._page()]
        found += index.look_at_links([one.answer for one in links if one.answer])
        proven = {name: one.answer for name, one in attested.items() if one.answered(notes, f"attestations {name}")}
        digests = {name: file.sha256 for name, file in files.items()}
        signed = [Question(name, partial(self._signatures, name, digests[name], proven[name] or [])) for name in proven]
        ask(signed, _TRIALS_S)
        known = {one.what: one.answer or [] for one in signed if one.answered(notes, f"signature {one.what}")}
        found += index.look_at_attestations(release, proven, digests, known)
        return found + self._installed() + self._origin()

    def _page(self) -> list[Findings]:
        notes = Findings("page")
        if not self.page.answered(notes, "page"):
            return [notes]
        return index.look_at_page(self.release, self.page.answer, self.metadata)

    def _links(self) -> list[Question[Any]]:
        page = self.page.answer or ReleasePage()
        kind, variant = rules.description_type({"description_content_type": page.description_content_type or ""})
        html = readme.render(page.description or "", kind, variant).html or ""
        named = links_of(page.project_urls or {}, html)
        return [Question(address, partial(follow, name, address)) for address, name in named.items()]

    def _attestations(self, file: str) -> list[Any]:
        return self.release.pypi.provenance(self.release.config.distribution, self.release.version, file) or []

    def _signatures(self, file: str, sha256: str, attestations: Sequence[Attestation]) -> list[Signature]:
        registered = self.release.pypi.publisher
        return [verify_signature(one, file, sha256, registered or one.told) for one in attestations]

    def _installed(self) -> list[Findings]:
        release = self.release
        if not self.wheel:
            return []
        by_pip = Question("pip", lambda: trials.install_by_pip(release, self.scratch / "pip"))
        requires = self.metadata.get("Requires-Python", "")
        by_uv = Question("uv", lambda: trials.install_by_uv(release, self.wheel, requires, self.scratch / "uv"))
        self.tell("installing it by pip and by uv")
        ask([by_pip, by_uv], _TRIALS_S)
        found: list[Findings] = []
        if by_pip.answer:
            digest, seen = by_pip.answer
            notes = Findings("installation")
            if digest in ("", *self.downloaded.values()):
                notes.right("pip", f"{seen}; sha256 {digest[:16]}")
            else:
                notes.wrong("pip", f"pip took sha256 {digest[:16]}, which the index does not list", "Find out why.")
            found.append(notes)
        else:
            found += trials.look_at_trial("pip", None, by_pip.error)
        seen_by_uv = f"Python {by_uv.answer[0]}: {by_uv.answer[1]}" if by_uv.answer else None
        return found + trials.look_at_trial("uv", seen_by_uv, by_uv.error)

    def _origin(self) -> list[Findings]:
        packed = [self.scratch / "index" / name for name in self.downloaded if name.endswith((".whl", ".tar.gz"))]
        return trials.look_at_origin(self.release, packed, self.commit)

    # --- the forge and the git remote -----------------------------------------------------------------------------

    def _forge(self) -> list[Findings]:
        notes, found = Findings("release"), self.found.answer
        sides = [notes]
        if self.found.answered(notes, "release"):
            if self.latest.answered(notes, "latest"):
                sides += forge.look_at_release(self.release, found, self.latest.answer)
            sides += forge.look_at_notes(self.release, found, self.commit)
        on_tag = Findings("tag")
        self.shown.answered(on_tag, "forge")
        if self.tag.answered(on_tag, "tag"):
            sides += forge.look_at_tag(
                self.release, self.tag.answer, self.shown.answer, _TOLD.get(self.branch.answer or "")
            )
        sides.append(on_tag)
        if found and not found.draft:
            got = Question("the assets", lambda: trials.download_assets(self.release, found, self.scratch / "release"))
            self.tell("downloading the release's assets")
            ask([got], _TRIALS_S)
            if got.answered(notes, "assets") and self.files.answer:
                assets = got.answer or {}
                sums = read_sums(self.scratch / "release") if SUMS in assets else None
                sides += forge.look_at_assets(self.downloaded, assets, sums)
                workflow = self.release.config.release_workflow if self.release.config.run == "ci" else None
                sides += self._artifacts({name: assets[name] for name in self.downloaded if name in assets}, workflow)
        return sides

    def _artifacts(self, digests: Mapping[str, str], workflow: str | None, where: str = "") -> list[Findings]:
        notes = Findings("artifact attestations")
        asked = [
            Question(name, partial(self.release.forge.attestations.of, digest)) for name, digest in digests.items()
        ]
        ask(asked)
        found = {one.what: one.answer or [] for one in asked if one.answered(notes, one.what)}
        return [notes, *forge.look_at_artifacts(self.release, found, digests, workflow, where)]

    def _on_branch(self) -> str:
        """Return yes, no or unknown; from the clone where it has both commits, else from the forge."""
        config, git = self.release.config.git, self.release.git
        held, tip = git.remote_tag(config.remote, self.release.tag), git.remote_branch(config.remote, config.branch)
        if held and tip and git.commit(tip) and git.commit(held.commit):
            return "yes" if git.contains(tip, held.commit) else "no"
        told = self.release.forge.tags.on_branch(config.branch, held.commit) if held else None
        return "unknown" if told is None else "yes" if told else "no"

    # --- images ---------------------------------------------------------------------------------------------------

    def _images(self) -> list[Findings]:
        notes = Findings("images")
        if not self.pointed.answered(notes, "tags"):
            return [notes]
        pointed = self.pointed.answer or {}
        if not any(pointed.values()):
            notes.wrong("tags", f"none of {', '.join(tag.name for tag in pointed)} exists", "Push the images.")
            return [notes]
        proof = Question("the images", lambda: images.prove(self.release, self.commit))
        counts = Question("the images' attestations", lambda: images.attestations(self.release, pointed))
        self.tell("looking into the images")
        ask([proof, counts], _TRIALS_S)
        sides: list[Findings] = images.look_at_tags(pointed)
        if proof.answered(notes, "content") and proof.answer:
            sides += images.look_at_proof(proof.answer)
        if counts.answered(notes, "attestations"):
            sides += images.look_at_attestations(counts.answer or {})
        config = self.release.config.images
        workflow = config.workflow if config.via == "ci" else None
        return [*sides, *self._artifacts(images.own_digests(self.release, pointed), workflow, "oci://"), notes]


def _no_images() -> Sequence[Findings]:
    notes = Findings("images")
    notes.none("tags", "the project has no images")
    return [notes]
