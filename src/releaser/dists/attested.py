"""Whether attestations that an index serves with a file are for its bytes, and by the publisher that is configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from releaser.adapters.index.provenance import Attestation
from releaser.adapters.publishers import Publisher


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a file's attestations; `missing` where there should be some and are none."""

    kind: Literal["right", "wrong", "warning", "unproven", "none", "missing"]
    says: str
    remedy: str = ""


def judge(
    file: str, sha256: str, attestations: Sequence[Attestation] | None, registered: Publisher, *, expected: bool
) -> Verdict:
    """Compare a file's attestations with its bytes and with the publisher; their signatures are another question.

    Args:
        file: The file's name.
        sha256: What its bytes are.
        attestations: As the index serves them.
        registered: Who publishes, as configured; an empty workflow is any.
        expected: Whether the configuration says that uploads are attested.
    """
    if not attestations:
        if expected:
            return Verdict(
                "missing",
                "none, and attestations = true is configured: it was not uploaded by a job with trusted publishing",
                "Find out who uploaded it. Attestations cannot be added later; the next version can have some.",
            )
        return Verdict("none", "none: they come with uploads by trusted publishing only")
    by = ", ".join(dict.fromkeys(one.by for one in attestations))
    if any(one.subjects and one.subjects.get(file) != sha256 for one in attestations):
        return Verdict("wrong", f"an attestation by {by} is for other bytes", "Find out who published it.")
    if strangers := [one.by for one in attestations if _differs(one.told.repository, registered.repository)]:
        return Verdict(
            "wrong", f"published by {', '.join(strangers)}; expected {registered.repository}", "Find out why."
        )
    for one in attestations:
        signer = one.certificate.signer
        if signer and (misfits := one.told.misfits(signer)):
            says = (
                f"the index says that {by} published it, but of the job whose certificate signed, {'; '.join(misfits)}"
            )
            return Verdict("wrong", says, "Trust neither; find out who published it.")
    told = attestations[0].told
    if registered.workflow and (misfits := registered.misfits(told)):
        says = f"published by {by}; of that job, {'; '.join(misfits)}, as configured"
        return Verdict("warning", says, "Find out why, or correct the configuration.")
    if not all(one.subjects for one in attestations):
        return Verdict("unproven", f"published by {by}; for which bytes could not be read")
    return Verdict("right", f"{len(attestations)} for these bytes; the index says that {by} published them")


def _differs(found: str, expected: str) -> bool:
    return found != "" and found.lower() != expected.lower()
