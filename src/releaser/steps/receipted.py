"""Steps that leave a receipt, keyed by the wheel: the same bytes are not tried twice."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from releaser.core.step import Done, Outcome, Skipped, Step, Todo
from releaser.dists.built import Dists
from releaser.errors import StepError
from releaser.release import Release
from releaser.store import Receipt


class Receipted(Step[Release]):
    """A trial of the built files, whose result is kept as a receipt.

    Attributes:
        doing: What running it does, for the plan.
    """

    doing: str

    def check(self, release: Release) -> Outcome:
        """Look for the receipt of these bytes."""
        dists = release.dists()
        receipt = release.store.receipt(dists.sha256[dists.wheel.name], self.receipt_name(release)) if dists else None
        if receipt is None:
            return Todo(self.doing)
        return Skipped(receipt.evidence) if receipt.skipped else Done(receipt.evidence)

    def run(self, release: Release) -> None:
        """Try it; write the receipt if it passes."""
        dists = release.built()
        with release.store.scratch(self.name) as scratch:
            receipt = self.attempt(release, dists, scratch)
        release.store.write_receipt(dists.sha256[dists.wheel.name], self.receipt_name(release), receipt)

    def receipt_name(self, _release: Release) -> str:
        """Return the receipt's name; a trial of more than the wheel names that too."""
        return self.name

    @abstractmethod
    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Try it, in an empty directory.

        Raises:
            StepError: It did not pass.
        """


def expect_sha256(found: str, digest: str, what: str) -> None:
    """Fail a trial that received other bytes than were built.

    Raises:
        StepError: The hashes differ.
    """
    if found != digest:
        raise StepError(
            f"{what} has sha256 {found[:12]}; {digest[:12]} was built",
            "Find out who published it, then release the next version.",
        )
