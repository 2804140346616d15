"""The checkout as it is, in place of a release commit: what is built from it is kept apart from every release."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from releaser.adapters.git.entries import Entry, present
from releaser.adapters.index.files import version_of
from releaser.commands.opening import opened_release, project
from releaser.config.images import ImageTargetConfig
from releaser.core.files import SUMS
from releaser.dists.built import Dists, read_dists
from releaser.errors import UsageError
from releaser.release import Release
from releaser.store import ReleaseStore
from releaser.versions.files import from_config


@dataclass(frozen=True)
class RunStore(ReleaseStore):
    """A store for one run at a time: what a run built is removed when it ends; its journal and logs stay."""

    @classmethod
    def of_checkout(cls, release: Release) -> RunStore:
        """Return the store for runs from this checkout, next to the stores of the project's releases."""
        root = hashlib.sha256(str(release.git.root).encode()).hexdigest()[:8]
        return cls(release.store.path.parent / f"checkout-{root}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out, and begin and end without built files.

        Raises:
            ConflictError: Another run holds the lock.
        """
        with super().locked():
            self._empty()  # a killed run leaves what it built
            try:
                yield
            finally:
                self._empty()

    def _empty(self) -> None:
        for path in (self.dist, self.images, self.path / "receipts", self.path / "scratch"):
            if path.exists():
                shutil.rmtree(path)


@dataclass(frozen=True)
class CheckoutRelease(Release):
    """A version that is built from the checkout as it is, uncommitted changes included, or from files given.

    Attributes:
        revision: The commit that built files and images are dated and labelled with.
        files: A directory with the built files; None to build them from the checkout.
        exact: Whether to build `revision` as it is committed instead, because what is built becomes public.
    """

    revision: str = ""
    files: Path | None = None
    exact: bool = False

    @property
    def tree(self) -> Path:
        """The user's own checkout."""
        return self.git.root

    @contextmanager
    def source_tree(self, room: Path) -> Iterator[Path]:
        """Give the checkout as it is, or a tree that is exactly `revision`."""
        if not self.exact:
            yield self.tree
            return
        with self.pristine_tree(room, self.revision) as tree:
            yield tree

    def source_files(self) -> dict[str, Entry]:
        """Return the files of the checkout as they are, or those of `revision`."""
        return super().source_files() if self.exact else present(self.git)

    @property
    def source(self) -> str:
        """What is built, in words."""
        return super().source if self.exact else "the checkout as it is"

    def commit(self) -> str | None:
        """Return `revision`."""
        return self.revision

    def must_have_commit(self) -> str:
        """Return `revision`."""
        return self.revision

    def dists(self) -> Dists | None:
        """Return the files given, or those that were built from the checkout."""
        return read_dists(self.files) if self.files else super().dists()


def open_checkout(start: Path) -> CheckoutRelease:
    """Return the version that the checkout declares, built from the checkout as it is. It needs no git remote."""
    return from_checkout(opened_release(start, declared_version(start), needs_remote=False))


def declared_version(start: Path) -> str:
    """Return the version that the project's first version file declares."""
    root, config = project(start)
    return str(from_config(config.version_files[0]).read(root).version)


def from_checkout(release: Release, files: Path | None = None, revision: str | None = None) -> CheckoutRelease:
    """Return the version of `release`, built from the checkout or from files given.

    Args:
        release: The release; it and its store are left alone.
        files: See `CheckoutRelease`.
        revision: See `CheckoutRelease`; by default what is checked out.
    """
    return CheckoutRelease(
        release.config,
        release.version,
        release.git,
        RunStore.of_checkout(release),
        release.credentials,
        release.description,
        rebuilt=release.rebuilt,
        revision=revision or release.git.head(),
        files=files,
    )


def with_files(release: Release, directory: Path) -> CheckoutRelease:
    """Return the release with the files in a directory as its built files, to be uploaded from here.

    Raises:
        ConflictError: A file is missing or was changed.
        UsageError: The directory has no SHA256SUMS, or its files are another version's.
    """
    dists = read_dists(directory)
    if dists is None:
        raise UsageError(f"{directory} has no {SUMS}", "Build the files with `invoke build`, which writes one.")
    for path in dists.uploads:
        if version_of(path.name) != release.version:
            raise UsageError(
                f"{path.name} is not version {release.version}", "Give the directory with that version's files."
            )
    config = release.config
    indexes = {
        "testpypi": config.testpypi.model_copy(update={"via": "upload"}),
        "pypi": config.pypi.model_copy(update={"via": "upload"}),
    }
    return from_checkout(replace(release, config=config.model_copy(update=indexes)), directory)


def with_targets(release: Release, targets: Sequence[ImageTargetConfig]) -> Release:
    """Return the release with some of its images alone, which this run builds or pushes itself."""
    images = release.config.images.model_copy(update={"targets": tuple(targets), "via": "push"})
    return replace(release, config=release.config.model_copy(update={"images": images}))
