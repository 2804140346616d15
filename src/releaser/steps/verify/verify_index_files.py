"""Verify: check that the index serves users the built files, byte for byte, and that its page is right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from releaser.adapters.index.files import IndexFile
from releaser.adapters.index.responses import ReleasePage
from releaser.adapters.index.signatures import verify_signature
from releaser.adapters.publishers import Publisher
from releaser.adapters.waiting import wait_for
from releaser.core.step import Conflict, Outcome, Warned
from releaser.dists.attested import judge
from releaser.dists.built import Dists
from releaser.errors import StepError, ToleratedError
from releaser.release import Release
from releaser.steps.receipted import Receipted, expect_sha256
from releaser.store import Receipt


class VerifyIndexFiles(Receipted):
    """The files downloaded from the index are the built files; its page has the version and the description."""

    name = "verify_index_files"
    title = "PyPI serves the built files byte for byte"
    doing = "download both files, compare them, read the release's page"
    skippable = True

    def since(self, release: Release, dists: Dists) -> Outcome | None:
        """Ask what the index serves now: files may be deleted or yanked at any time."""
        served = release.pypi.files(release.config.distribution, release.version)
        now = {name: file.sha256 for name, file in served.items()}
        if wrong := [name for name, digest in dists.upload_sha256.items() if now.get(name) != digest]:
            return Conflict(
                f"pypi served {', '.join(wrong)} as built, and does not any more",
                f"Find out who deleted it, and release {release.version.bump(release.version.stage or 'patch')}: the "
                "name of a deleted file can never be used again. To go on without this check, add "
                f"`--skip {self.name}`.",
            )
        return _yanked(release, served)

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Download and compare; then read the data that the page shows, which lags behind the files."""
        index, name = release.pypi, release.config.distribution
        served = index.files(name, release.version)
        for file, digest in dists.upload_sha256.items():
            if file not in served:
                raise StepError(f"The index does not serve {file}", "Rerun the command.")
            expect_sha256(index.download(served[file], scratch / file), digest, f"{file} from the index")
        wait_for(
            index.name,
            "the release's page",
            lambda: index.release_page(name, release.version) is not None,
            release.wait_limits,
        )
        page = index.release_page(name, release.version) or ReleasePage()
        wrong = [
            what
            for what, right in (
                ("version", page.version == release.version.pep440),
                ("description", bool((page.description or "").strip())),
            )
            if not right
        ]
        if wrong:
            raise StepError(
                f"{index.page(name, release.version)} shows a wrong or no {' and '.join(wrong)}", "Check the page."
            )
        attested = _attested(release, dists.upload_sha256)
        # Somebody has decided that, after the release: it is no fault of what was built, and rerunning changes nothing.
        if yanked := _yanked(release, served):
            raise ToleratedError(yanked.reason, yanked.remedy)
        links = ", ".join(sorted(page.project_urls or {})) or "none"
        return Receipt(
            "; ".join(f"{file} sha256 {digest[:12]}" for file, digest in dists.upload_sha256.items())
            + f"; page: {page.description_content_type or 'plain'} description, links: {links}; {attested}"
        )


def _attested(release: Release, digests: Mapping[str, str]) -> str:
    """Compare the attestations that the index serves; return what was found, in words.

    Raises:
        StepError: One is for other bytes, of another publisher, or its signature is wrong.
        ToleratedError: There are none where a workflow should have made some, or another workflow published.
    """
    index, config = release.pypi, release.config
    registered = index.publisher or Publisher(release.repository, "")
    expected = config.pypi.attestations and config.pypi.via == "ci"
    count, verified = 0, 0
    for file, digest in digests.items():
        found = index.provenance(config.distribution, release.version, file) or []
        verdict = judge(file, digest, found, registered, expected=expected)
        if verdict.kind == "wrong":
            raise StepError(f"Attestations of {file}: {verdict.says}", verdict.remedy)
        if verdict.kind in ("warning", "missing"):
            raise ToleratedError(f"Attestations of {file}: {verdict.says}", verdict.remedy)
        signatures = [verify_signature(one, file, digest, index.publisher or one.told) for one in found]
        if wrong := [one.says for one in signatures if one.kind == "wrong"]:
            raise StepError(
                f"The attestation of {file} has a wrong signature: {wrong[0]}", "Find out who published it."
            )
        count += len(found)
        verified += sum(one.kind == "right" for one in signatures)
    if not count:
        return "no attestations"
    return f"{count} attestations for these bytes, {verified} signatures verified, {count - verified} unproven"


def _yanked(release: Release, served: Mapping[str, IndexFile]) -> Warned | None:
    """Return what to say of yanked files; None if none is."""
    reasons = [one.yanked or "no reason given" for one in served.values() if one.yanked is not None]
    if not reasons:
        return None
    return Warned(
        f"{release.version} is served as it was built, and yanked: {', '.join(dict.fromkeys(reasons))}",
        f"Un-yank it (`invoke yank --version {release.version} --undo`), or release a patch version.",
    )
