"""Steps that leave a receipt, keyed by the wheel: the same bytes are not tried twice."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from releaser.core.step import Done, Outcome, Skipped, Step, Todo
from releaser.dists.built import Dists
from releaser.errors import ServiceError, StepError
from releaser.release import Release
from releaser.store import NoReceipt, Receipt


class Receipted(Step[Release]):
    """A trial of the built files, whose result is kept as a receipt.

    Attributes:
        doing: What running it does, for the plan.
    """

    doing: str

    def check(self, release: Release) -> Outcome:
        """Look for the receipt of these bytes; what was left out for lack of something is tried when it is required."""
        dists = release.dists()
        if dists is None:
            return Todo(self.doing)
        receipt = release.store.receipt(dists.sha256[dists.wheel.name], self.receipt_name(release))
        if isinstance(receipt, NoReceipt):
            return Todo(f"{self.doing}: {receipt.reason}" if receipt.reason else self.doing)
        if not receipt.skipped:
            given = f"{receipt.evidence} (given {receipt.at[:16]} UTC for {receipt.wheel[:12]})"
            return self.since(release, dists) or Done(given, receipt.at)
        if receipt.at < release.opened and (self.name in release.required or self.has_become_possible(receipt)):
            return Todo(f"{self.doing}, which was skipped: {receipt.evidence}")
        return Skipped(receipt.evidence)

    def run(self, release: Release) -> None:
        """Try it; write the receipt if it passes."""
        dists = release.built()
        with release.store.scratch(self.name) as scratch:
            receipt = self.attempt(release, dists, scratch)
        wheel = dists.sha256[dists.wheel.name]
        release.store.write_receipt(release.journal, wheel, self.receipt_name(release), receipt)

    def since(self, _release: Release, _dists: Dists) -> Outcome | None:
        """Return what has changed since the receipt was given, as far as it can be asked; None if nothing has."""
        return None

    def has_become_possible(self, _skipped: Receipt) -> bool:
        """Return whether what this machine lacked when the step was skipped is there now, as far as that is cheap."""
        return False

    def receipt_name(self, _release: Release) -> str:
        """Return the receipt's name; a trial of more than the wheel names that too."""
        return self.name

    @abstractmethod
    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Try it, in an empty directory.

        Raises:
            StepError: It did not pass.
        """


def expect_sha256(found: str, digest: str, what: str, listed: str | None = None) -> None:
    """Fail a trial that received other bytes than were built.

    Args:
        found: The sha256 of what was received.
        digest: The sha256 of what was built.
        what: What was received, in words.
        listed: The sha256 that the service says it holds.

    Raises:
        ServiceError: What was built is there, and did not arrive whole.
        StepError: The hashes differ.
    """
    if found != digest and listed == digest:
        raise ServiceError(
            f"{what} did not arrive whole: its sha256 is {found[:12]}, and {digest[:12]} is listed there",
            "Rerun the command, which downloads it again.",
        )
    if found != digest:
        raise StepError(
            f"{what} has sha256 {found[:12]}; {digest[:12]} was built",
            "Find out who published it, then release the next version.",
        )
