"""Preflight: the record that later steps compare the built files with is the one that was written."""

from __future__ import annotations

from releaser.core.counting import count_of
from releaser.core.step import Conflict, Done, Outcome, Step
from releaser.release import Release
from releaser.store import broken_journal


class TrustJournal(Step[Release]):
    """The journal is whole: no line was changed, none is missing."""

    name = "trust_journal"
    title = "Journal whole"
    choices = ("begin",)

    def check(self, release: Release) -> Outcome:
        """Follow the chain of hashes, and compare its end with the journal's head."""
        chain = release.store.chain
        if chain.problem:
            return Conflict(*broken_journal(chain))
        return Done(
            f"{count_of(chain.lines, 'line')}, each with the hash of the one before" if chain.lines else "none yet"
        )
