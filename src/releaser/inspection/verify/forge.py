"""What the forge and the git remote show of a version: the release, its assets and the tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from releaser.adapters.forge.attestations import ArtifactAttestation
from releaser.adapters.forge.records import ReleaseInfo
from releaser.adapters.forge.tags import TagLook
from releaser.adapters.git.calls import GitTag
from releaser.adapters.publishers import Publisher
from releaser.changelog.document import Changelog
from releaser.core.files import SUMS
from releaser.errors import ReleaserError
from releaser.inspection.findings import Findings
from releaser.release import Release
from releaser.texts.release_page import with_lf


def look_at_release(release: Release, found: ReleaseInfo | None, latest: str | None) -> list[Findings]:
    """Look at the release's page."""
    notes = Findings("release")
    if found is None:
        notes.wrong("release", f"the forge has no release of {release.tag}", "Publish one, or check the version.")
        return [notes]
    if found.draft:
        notes.wrong(
            "release", f"it is still a draft: {found.url}", f"Run `invoke release --version {release.version}`."
        )
        return [notes]
    notes.right("release", f"{found.name or found.tag}, {found.url}")
    if found.prerelease == release.version.is_prerelease:
        notes.right("mark", "pre-release" if found.prerelease else "final")
    else:
        marked = "a pre-release" if found.prerelease else "final"
        notes.wrong("mark", f"it is marked as {marked}", f"Correct it at {found.url}.")
    is_latest = latest == found.tag
    if release.version.is_prerelease and is_latest:
        notes.wrong("latest", "a pre-release is shown as the latest", f"Choose at {release.forge.releases_url}.")
    else:
        notes.right("latest", "yes" if is_latest else f"no; {latest or 'none'} is")
    broken = [one.name for one in found.assets if one.state != "uploaded"]
    if broken:
        notes.wrong("assets", f"the upload broke off: {', '.join(broken)}", f"Look at {found.url}.")
    return [notes]


def look_at_notes(release: Release, found: ReleaseInfo | None, commit: str | None) -> list[Findings]:
    """Compare the release's notes with the changelog's section at the tag."""
    notes = Findings("release")
    if found is None or found.draft:
        return []
    try:
        text = release.git.file(commit, release.config.changelog) if commit and release.git.commit(commit) else None
        section = Changelog.parse(text).notes(release.version) if text is not None else None
    except ReleaserError as error:
        notes.warning("notes", f"the changelog at the tag has no such section: {error.message}", "Read both.")
        return [notes]
    if section is None:
        notes.unproven("notes", "the tag's changelog is not here to compare with", "Fetch tags: `git fetch --tags`.")
    elif with_lf(section).strip() in with_lf(found.body):
        notes.right("notes", f"the section in {release.config.changelog} at the tag, word for word")
    else:
        notes.warning("notes", f"they lack the section in {release.config.changelog} at the tag", f"Read {found.url}.")
    return [notes]


def look_at_tag(release: Release, held: GitTag | None, shown: TagLook | None, on_branch: bool | None) -> list[Findings]:
    """Look at the tag, as the git remote has it and as the forge shows it."""
    notes, branch = Findings("tag"), release.config.git.branch
    if held is None:
        notes.wrong("tag", f"{release.config.git.remote} has no tag {release.tag}", "Check the version.")
        return [notes]
    notes.right("commit", held.commit)
    if held.annotated:
        notes.right("annotated", "yes")
    else:
        notes.warning("annotated", "no, it is lightweight", "Use `git tag --annotate` for the next version.")
    if shown and shown.commit != held.commit:
        notes.wrong("forge", f"the forge shows it at {shown.commit}", "Find out who moved it.")
    if on_branch is None:
        notes.unproven(
            "branch", f"whether it is on {branch} is not told", "Run `git fetch --tags`, then rerun the command."
        )
    elif on_branch:
        notes.right("branch", f"on {branch}")
    else:
        notes.warning("branch", f"its commit is not on {branch}", f"Merge {release.tag} into {branch}.")
    if shown and shown.verified is not None:
        notes.right("signed", "yes, verified by the forge" if shown.verified else f"no: {shown.reason}")
    elif shown is None or shown.annotated:
        notes.unproven("signed", "the forge does not tell")
    return [notes]


def look_at_assets(
    index: Mapping[str, str], assets: Mapping[str, str], sums: Mapping[str, str] | None
) -> list[Findings]:
    """Compare the bytes of the release's assets with those on the index and with SHA256SUMS.

    Args:
        index: The sha256 of each file downloaded from the index.
        assets: The sha256 of each asset downloaded from the release.
        sums: What the asset SHA256SUMS lists; None where there is none.
    """
    notes = Findings("same bytes")
    for name, digest in index.items():
        if name not in assets:
            notes.none(name, "the release does not have it")
        elif assets[name] == digest:
            notes.right(name, f"index and release: sha256 {digest[:16]}")
        else:
            notes.wrong(
                name,
                f"the index serves sha256 {digest[:16]}, the release {assets[name][:16]}",
                "Trust neither. Find out who published which, then release the next version.",
            )
    if sums is None:
        notes.none(SUMS, "the release has none: another tool made it")
        return [notes]
    known = {**assets, **index}
    differing = sorted(name for name, digest in sums.items() if known.get(name, digest) != digest)
    unknown = sorted(name for name in sums if name not in known)
    if differing:
        notes.wrong(SUMS, f"it lists other bytes of {', '.join(differing)}", "Trust neither; see above.")
    elif unknown:
        notes.wrong(SUMS, f"it lists what is not there: {', '.join(unknown)}", "Attach the missing files.")
    else:
        notes.right(SUMS, f"its {len(sums)} files have these bytes")
    return [notes]


def look_at_artifacts(
    release: Release,
    found: Mapping[str, Sequence[ArtifactAttestation]],
    digests: Mapping[str, str],
    workflow: str | None,
    where: str = "",
) -> list[Findings]:
    """Say which workflow attests at GitHub that it built what; who signed is what the certificate says, unverified.

    Args:
        release: The release.
        found: The attestations of each file or image.
        digests: The sha256 of each.
        workflow: The workflow that builds them; None where any may.
        where: What `gh` needs before a name to find it.
    """
    notes = Findings("artifact attestations")
    expected = Publisher(release.repository, workflow or "")
    for name, attestations in found.items():
        if not attestations:
            notes.none(name, "GitHub has none")
            continue
        readable = [one for one in attestations if one.signer]
        fitting = [one for one in readable if digests[name] in (one.subjects or {}).values()]
        by = ", ".join(dict.fromkeys(f"{one.signer.repository} {one.signer.workflow}" for one in fitting if one.signer))
        kinds = ", ".join(dict.fromkeys(one.predicate for one in fitting))
        strange = [why for one in fitting if one.signer for why in expected.misfits(one.signer)]
        if not readable:
            notes.unproven(name, f"{len(attestations)}, and none could be read")
        elif not fitting:
            notes.wrong(name, "they are for other bytes", "Find out who made them.")
        elif workflow and strange:
            notes.warning(name, f"{kinds} by {by}; of that job, {'; '.join(strange)}", "Find out why.")
        else:
            notes.right(name, f"{kinds} by {by}")
    if file := next((name for name, attestations in found.items() if attestations), None):
        notes.unproven(
            "signatures",
            "not verified here, so who built it is what the certificates say",
            f"Run `gh attestation verify {where}{file} --repo {release.repository}` for each.",
        )
    return [notes]
