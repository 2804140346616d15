"""What is tried on this machine and leaves a receipt, keyed by the wheel: the same bytes are not tried twice."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from releaser.core.step import Done, Outcome, Skipped, Step, Todo
from releaser.dists.built import Dists
from releaser.errors import StepError
from releaser.release import Release
from releaser.store import Receipt


class Receipted(Step[Release]):
    """A trial of the built files.

    Attributes:
        doing: What running it does, for the plan.
    """

    doing: str

    def check(self, release: Release) -> Outcome:
        """Looks for the receipt of these bytes."""
        dists = release.dists()
        receipt = release.store.receipt(dists.sha256[dists.wheel.name], self.receipt_name(release)) if dists else None
        if receipt is None:
            return Todo(self.doing)
        return Skipped(receipt.evidence) if receipt.skipped else Done(receipt.evidence)

    def run(self, release: Release) -> None:
        """Tries, and writes the receipt if it went well."""
        dists = release.built()
        with release.store.scratch(self.name) as scratch:
            receipt = self.attempt(release, dists, scratch)
        release.store.write_receipt(dists.sha256[dists.wheel.name], self.receipt_name(release), receipt)

    def receipt_name(self, _release: Release) -> str:
        """What the receipt is kept as; a trial of more than the wheel names that, too."""
        return self.name

    @abstractmethod
    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Tries it, in an empty directory.

        Raises:
            StepError: It did not pass.
        """


def expect_sha256(found: str, digest: str, what: str) -> None:
    """Fails a trial that got other bytes than were built.

    Raises:
        StepError: The hashes differ.
    """
    if found != digest:
        raise StepError(
            f"{what} has sha256 {found[:12]}, and {digest[:12]} was built.",
            "Find out who put it there; release the next version.",
        )
