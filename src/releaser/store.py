"""What no service can tell, kept per version outside the checkout: release commit, built files, receipts.

::

    STATE/DISTRIBUTION-REMOTE/VERSION/
        lock                one run at a time
        journal.jsonl       the record
        commit.bundle       the release commit, so that a new clone gets the same one
        worktree/           the release commit, written as it is committed
        modules/            objects of its submodules that the checkout lacks
        dist/               sdist, wheel, SBOM, SHA256SUMS: these bytes and no others
        images/             an OCI layout with every image
        receipts/WHEEL/     what passed with that wheel (by its sha256)
        scratch/            what steps need while they run
        logs/               what the build and the sessions printed
        report.md  announcement.md
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock

from releaser.dists.built import Dists, read_dists
from releaser.errors import ConflictError
from releaser.files import write_atomically
from releaser.versions.version import Version


@dataclass(frozen=True)
class Receipt:
    """The evidence that something passed with one wheel, or could not be tried here."""

    evidence: str
    skipped: bool = False


@dataclass(frozen=True)
class ReleaseStore:
    """The state directory of one version of one project."""

    path: Path

    @classmethod
    def of(cls, root: Path, distribution: str, remote: str, version: Version) -> ReleaseStore:
        """Return the store of a version under `root`; clones of one remote share it."""
        return cls(root / f"{distribution}-{hashlib.sha256(remote.encode()).hexdigest()[:8]}" / str(version))

    @property
    def worktree(self) -> Path:
        """Where the release commit is checked out."""
        return self.path / "worktree"

    @property
    def dist(self) -> Path:
        """Where the built files are."""
        return self.path / "dist"

    @property
    def images(self) -> Path:
        """Where the built images are."""
        return self.path / "images"

    @property
    def modules(self) -> Path:
        """Where the objects of submodules are that the user's checkout lacks."""
        return self.path / "modules"

    @property
    def bundle(self) -> Path:
        """The release commit as a git bundle."""
        return self.path / "commit.bundle"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs of this version out; a killed run leaves no lock behind.

        Raises:
            ConflictError: Another run has the lock.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(self.path / "lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise ConflictError(
                f"Another run is releasing this version: it has locked {self.path / 'lock'}", "Wait until it ends."
            ) from None
        try:
            yield
        finally:
            lock.release()

    def dists(self) -> Dists | None:
        """Return the built files; None before they are complete.

        Raises:
            ConflictError: A file is missing or was changed after it was built.
        """
        return read_dists(self.dist)

    def receipt(self, wheel_sha256: str, name: str) -> Receipt | None:
        """Return the receipt of trying `name` with this wheel; None if there is none."""
        path = self._receipt(wheel_sha256, name)
        return Receipt(**json.loads(path.read_text("utf-8"))) if path.exists() else None

    def write_receipt(self, wheel_sha256: str, name: str, receipt: Receipt) -> None:
        """Write the receipt of trying `name` with this wheel."""
        write_atomically(self._receipt(wheel_sha256, name), json.dumps(asdict(receipt), ensure_ascii=False) + "\n")

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """Make an empty directory for the length of the block; what a killed run left in it is removed first."""
        path = self.path / "scratch" / name
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def discard(self) -> None:
        """Remove everything except the journal."""
        for path in self.path.iterdir() if self.path.exists() else ():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.suffix != ".jsonl" and path.name != "lock":
                path.unlink()

    def _receipt(self, wheel_sha256: str, name: str) -> Path:
        return self.path / "receipts" / wheel_sha256[:16] / f"{name}.json"
