"""What the registry gives users of a version: tags, digests, platforms, labels, SBOM, provenance, what runs inside."""

from __future__ import annotations

from collections.abc import Mapping

from releaser.adapters.registry.oci import Descriptor, attested, images
from releaser.images import of_release
from releaser.images.published import ImageProof, Proof
from releaser.images.tags import Reach, Tag
from releaser.inspection.findings import Findings
from releaser.release import Release

Pointed = Mapping[Tag, Descriptor | None]
_SBOM, _PROVENANCE = "https://spdx.dev/Document", "https://slsa.dev/provenance/"


def pointed(release: Release) -> dict[Tag, Descriptor | None]:
    """Ask the registry where each tag points that this version has to have.

    Raises:
        ServiceError: The registry or the git remote did not answer.
    """
    return {tag: release.registry.find(tag.name) for tag in of_release.tags(release)}


def own_digests(release: Release, found: Pointed) -> dict[str, str]:
    """Return the sha256, in hex, of what the version's own tags point at, by reference."""
    repository = release.registry.repository
    return {
        f"{repository}:{tag.name}": root.digest.removeprefix("sha256:")
        for tag, root in found.items()
        if tag.reach is Reach.VERSION and root
    }


def look_at_tags(found: Pointed) -> list[Findings]:
    """Say which tags are there; what is wrong with them, `ImageProof` tells."""
    notes = Findings("images")
    for tag, descriptor in found.items():
        if descriptor:
            notes.right(tag.name, descriptor.digest)
    return [notes]


def prove(release: Release, commit: str | None) -> Proof:
    """Look at every image; run it where an engine is.

    Raises:
        ServiceError: The registry or the engine did not answer.
    """
    tags = of_release.tags(release)
    with of_release.engine(release) as engine:
        proof = ImageProof(release.registry, release.config, release.version, tags, {}, commit, engine).given()
    if release.no_engine:
        proof.notes.append(f"--version inside was not run: {release.no_engine}")
    return proof


def attestations(release: Release, found: Pointed) -> dict[str, tuple[int, int, int]]:
    """Return, by the version's own tags, how many platforms there are, and how many have SBOM and provenance.

    Raises:
        StepError: It is no image, or the registry did not answer.
    """
    counts = {}
    for tag, root in found.items():
        if tag.reach is Reach.VERSION and root:
            kinds = attested(release.registry, root)
            each = [kinds.get(image.manifest.digest, set()) for image in images(release.registry, root)]
            counts[tag.name] = (
                len(each),
                sum(any(kind.startswith(_SBOM) for kind in one) for one in each),
                sum(any(kind.startswith(_PROVENANCE) for kind in one) for one in each),
            )
    return counts


def look_at_proof(proof: Proof) -> list[Findings]:
    """Say what the registry has wrong, and what could not be looked at."""
    notes = Findings("images")
    for text in proof.seen:
        notes.right("content", text)
    for text in proof.wrong:
        notes.wrong("content", text, "Push a floating tag again; if an X.Y.Z tag is wrong, release the next version.")
    for text in dict.fromkeys(proof.notes):
        notes.unproven("content", text)
    return [notes]


def look_at_attestations(counts: Mapping[str, tuple[int, int, int]]) -> list[Findings]:
    """Say which platforms have a bill of materials and a provenance."""
    notes = Findings("images")
    for tag, (platforms, with_sbom, with_provenance) in counts.items():
        for what, count in (("SBOM", with_sbom), ("provenance", with_provenance)):
            says = f"{count} of {platforms} platforms"
            if count == platforms:
                notes.right(f"{tag} {what}", says)
            else:
                notes.warning(f"{tag} {what}", says, "Build with buildx's --sbom and --provenance.")
    return [notes]
