"""What no service can tell, kept per version outside the checkout: release commit, built files, receipts.

::

    STATE/DISTRIBUTION-REMOTE/VERSION/
        lock                one run at a time
        journal.jsonl       the record; what was built, and what passed, is compared with it
        journal.head        how many lines it has, and the hash of the last
        holder.json         who has the lock
        commit.bundle       the release commit, so that a new clone gets the same one
        worktree/           the release commit, written as it is committed
        modules/            objects of its submodules that the checkout lacks
        sent/               what may have been sent to the services
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
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import filelock

from releaser.core.chain import Chain, read_chain
from releaser.core.files import write_atomically
from releaser.core.holder import Holder, machine, now
from releaser.core.journal import Journal
from releaser.dists.built import Dists, read_dists
from releaser.dists.sent import Sent
from releaser.errors import ConflictError, UsageError
from releaser.versions.version import Version

ACCEPT = "trust_journal=begin"
"""The choice to begin another journal, with the built files as they are."""


@dataclass(frozen=True)
class Receipt:
    """The evidence that something passed with one wheel, or could not be tried here.

    Attributes:
        evidence: What was seen.
        skipped: Whether it could not be tried.
        at: When the receipt was given, in ISO 8601; set when it is written.
        wheel: The sha256 of the wheel that it is for; set when it is written.
    """

    evidence: str
    skipped: bool = False
    at: str = ""
    wheel: str = ""


@dataclass(frozen=True)
class NoReceipt:
    """There is no receipt, or one that does not count.

    Attributes:
        reason: Why the one that is there does not count; None if there is none.
    """

    reason: str | None = None


@dataclass(frozen=True)
class ReleaseStore:
    """The state directory of one version of one project."""

    path: Path

    @classmethod
    def of(cls, root: Path, distribution: str, remote: str, version: Version) -> ReleaseStore:
        """Return the store of a version under `root`; clones of one remote share it."""
        return cls(root / f"{distribution}-{hashlib.sha256(remote.encode()).hexdigest()[:8]}" / str(version))

    def machine(self, *, make: bool) -> str:
        """Return what this machine is called in public; see `holder.machine`."""
        return machine(self.path.parent.parent, make=make)

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
    def sent(self) -> Sent:
        """What may have been sent to the services."""
        return Sent(self.path / "sent")

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
            UsageError: The state directory is none.
        """
        make_state(self.path)
        lock = filelock.FileLock(self.path / "lock")
        holder = self.path / "holder.json"
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise ConflictError(
                f"Another run is releasing this version{_held_by(holder)}: it has locked {self.path / 'lock'}",
                "Wait until it ends.",
            ) from None
        try:
            write_atomically(holder, json.dumps(asdict(Holder.this_run())) + "\n")
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    @property
    def journal(self) -> Path:
        """The record."""
        return self.path / "journal.jsonl"

    @property
    def chain(self) -> Chain:
        """What the journal holds now.

        Raises:
            ConflictError: It cannot be read.
        """
        try:
            return read_chain(self.journal)
        except OSError as error:
            raise ConflictError(
                f"The journal {self.journal} cannot be read: {error.strerror or error}",
                "Make it readable, or move it away, then rerun the command.",
            ) from error

    def require_journal(self) -> None:
        """See that something of this version is recorded here.

        Raises:
            UsageError: Nothing is.
        """
        if not self.chain.lines and not self.chain.problem:
            version = self.path.name
            raise UsageError(
                f"No release of {version} is recorded in {self.path}",
                "Rerun the command on the machine that made the release, or look at what is published with "
                f"`invoke verify --version {version}`.",
            )

    def dists(self) -> Dists | None:
        """Return the built files; None before they are complete.

        Raises:
            ConflictError: A file is missing, or was changed after it was built, or nothing records that it was built.
        """
        dists = read_dists(self.dist)
        if dists is None:
            return None
        built = self.chain.newest("built")
        if built is None:
            raise ConflictError(
                f"The journal does not record that the files in {self.dist} were built here",
                "Restore journal.jsonl, or run `invoke rollback` if nothing is published yet and build again. If the "
                f"files are right as they are, add `--choose {ACCEPT}`, which is recorded.",
            )
        for name, digest in dists.sha256.items():
            recorded = built["files"].get(name)
            if digest != recorded:
                what = f"the journal has {recorded[:12]}" if recorded else "the journal does not have it"
                raise ConflictError(
                    f"{self.dist / name} was changed after it was built at {built['at']}: its sha256 is {digest[:12]}, "
                    f"and {what}",
                    "Restore the file. If nothing is published yet, `invoke rollback` and build again; otherwise "
                    "download it from the release.",
                )
        return dists

    def receipt(self, wheel_sha256: str, name: str) -> Receipt | NoReceipt:
        """Return the receipt of trying `name` with this wheel. One that is not as it was written does not count."""
        path = self._receipt(wheel_sha256, name)
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return NoReceipt()
        except OSError as error:
            return NoReceipt(f"its receipt cannot be read: {error.strerror or error}")
        recorded = self.chain.newest("receipt", name=name, wheel=wheel_sha256)
        if recorded is None:
            return NoReceipt("the journal does not have its receipt")
        if recorded["sha256"] != hashlib.sha256(content).hexdigest():
            return NoReceipt("its receipt was changed after it was written")
        return Receipt(**json.loads(content))

    def write_receipt(self, journal: Journal, wheel_sha256: str, name: str, receipt: Receipt) -> None:
        """Record and write the receipt of trying `name` with this wheel."""
        dated = replace(receipt, at=now(), wheel=wheel_sha256)
        content = (json.dumps(asdict(dated), ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        journal.write("receipt", name=name, wheel=wheel_sha256, sha256=hashlib.sha256(content).hexdigest())
        write_atomically(self._receipt(wheel_sha256, name), content)

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
            elif path.suffix not in (".jsonl", ".head") and path.name not in ("lock", "holder.json"):
                path.unlink()

    def _receipt(self, wheel_sha256: str, name: str) -> Path:
        return self.path / "receipts" / wheel_sha256[:16] / f"{name}.json"


def make_state(path: Path) -> None:
    """Make a directory of the state directory, if it is not there.

    Raises:
        UsageError: It cannot be one.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(
            f"No state can be kept in {path}: {error.filename or path} is not a directory",
            "Move that file away, or set RELEASER_STATE_DIR to a directory.",
        ) from None
    except FileNotFoundError as error:  # of /proc and its like, where the system makes every directory
        raise UsageError(
            f"No state can be kept in {path}: {error.filename or path} cannot be made",
            "Set RELEASER_STATE_DIR to a directory on a disk.",
        ) from None


def broken_journal(chain: Chain) -> tuple[str, str]:
    """Return what is wrong with a journal, and what to do about it."""
    return (
        f"The journal {chain.path} {chain.problem}",
        "Restore it. To go on without it, check the built files, then add "
        f"`--choose {ACCEPT}`: they are taken as they are, everything is tried again, and that is recorded.",
    )


def _held_by(path: Path) -> str:
    """Return who holds the lock, as it follows "this version"; nothing in the moment before that is written."""
    try:
        return f" ({Holder(**json.loads(path.read_text('utf-8')))})"
    except (OSError, ValueError, TypeError):
        return ""
