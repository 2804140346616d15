"""Qualify: a nox session of the project passes with the built wheel, in an environment of its own."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters import nox
from releaser.adapters.git.trees import remove_worktree
from releaser.config.qualify import QualifyConfig
from releaser.dists.built import Dists
from releaser.release import Release
from releaser.steps.receipted import Receipted
from releaser.store import Receipt


class PassSession(Receipted):
    """One session; one that is not required may find that nothing in it can run on this machine."""

    skippable = True

    def __init__(self, session: str, *, required: bool) -> None:
        self.session = session
        self.required = required
        self.name = f"pass_{session.replace('-', '_')}"
        self.title = f"Session {session} passes with the built wheel"
        self.doing = f"nox -s {session}, with the built wheel"

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Run it in the release commit's tree."""
        log = release.store.path / "logs" / f"{self.session}.log"
        tree, own = release.store.worktree, scratch / "tree"
        if not tree.exists():  # it is removed when a release is wrapped up, and this session was left out then
            release.add_worktree(own, release.must_have_commit())
            tree = own
        try:
            tally = nox.session(self.session, tree, dists.wheel, scratch, log)
        finally:
            if tree == own:
                remove_worktree(release.git, own)
        if tally is None:
            return Receipt("passed")
        if tally.passed == 0 and not self.required:
            return Receipt(f"nothing in it can run here: {tally.why or 'no tests'}", skipped=True)
        skipped = f", {tally.skipped} skipped ({tally.why})" if tally.skipped else ""
        return Receipt(f"{tally.passed} passed{skipped}")


def configured_sessions(config: QualifyConfig, *, alone: bool) -> tuple[PassSession, ...]:
    """Return a step for each session that the project configures to run alone, or for each of the others."""
    required = [PassSession(name, required=True) for name in config.sessions]
    where_possible = [PassSession(name, required=False) for name in config.where_possible]
    return tuple(one for one in (*required, *where_possible) if (one.session in config.alone) == alone)
