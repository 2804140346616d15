"""The release commit: which commit of the checkout is released as a version, found without remembering anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from releaser.adapters.git import Git
from releaser.changelog.document import Changelog
from releaser.core.files import inside
from releaser.errors import ChangelogError, UsageError
from releaser.store import ReleaseStore
from releaser.versions.version import Version
from releaser.versions.version_file import FoundVersion, VersionFile


@dataclass(frozen=True)
class ReleaseCommit:
    """How to find the commit that is released as `version`.

    Attributes:
        git: The user's checkout.
        store: What is kept of this version; its bundle holds the commit once it is made.
        version: What is released.
        version_files: The files that declare the version.
        changelog: The changelog's path in the repository.
        tag: The name of the version's tag.
        ref: The private ref that keeps the commit.
    """

    git: Git
    store: ReleaseStore
    version: Version
    version_files: tuple[VersionFile, ...]
    changelog: str
    tag: str
    ref: str
    _declaring: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)
    """Results of `declares` by commit: every check asks, and what a commit contains never changes."""

    def find(self) -> str | None:
        """Return the commit made here, else the tagged one, else a HEAD that is a release commit already.

        A HEAD that already declares the version and has its changelog section (a bump merged by a pull request, for
        example) is released as it is.
        """
        kept, tagged, head = self.git.commits(self.ref, f"refs/tags/{self.tag}", "HEAD")
        if kept is None and self.store.bundle.exists():
            self.git.unbundle(self.store.bundle, self.ref)
            kept = self.git.commit(self.ref)
        if kept:
            return kept
        if tagged and self.declares(tagged):
            return tagged
        head = head or self.git.head()
        return head if self.declares(head) else None

    def require(self) -> str:
        """Return the release commit, for steps that cannot do without.

        Raises:
            UsageError: There is none yet.
        """
        commit = self.find()
        if commit is None:
            raise UsageError(
                f"There is no release commit of {self.version} yet",
                f"Run `invoke release --version {self.version}`, which makes it.",
            )
        return commit

    def pinned(self) -> str | None:
        """Return the commit if this machine has settled on one; from then on the checkout no longer matters."""
        return self.git.commit(self.ref) or (self.find() if self.store.bundle.exists() else None)

    def version_before(self) -> Version | None:
        """Return the version that the files declared before the release commit; None if that cannot be told.

        Raises:
            VersionError: The files cannot be read.
        """
        commit, first = self.find(), self.version_files[0]
        if commit is None:
            return self.declared(first).version
        text = self.git.file(f"{commit}^", first.path)
        return first.found_in(text).version if text is not None else None

    def declared(self, file: VersionFile) -> FoundVersion:
        """Return what a version file of the checkout declares.

        Raises:
            VersionError: It cannot be read, or does not declare one version that could be released.
        """
        text = self._left_out(file.path)
        return file.read(self.git.root) if text is None else file.found_in(text)

    def changelog_here(self) -> Changelog:
        """Return the changelog of the checkout.

        Raises:
            ChangelogError: It cannot be read, or is a link that leads out of the project.
        """
        path = self.git.root / self.changelog
        if inside(self.git.root, self.changelog) is None:
            raise ChangelogError(
                f"{self.changelog} is a symbolic link that leads outside the project", "Replace the link with the file."
            )
        text = self._left_out(self.changelog)
        return Changelog.read(path) if text is None else Changelog.parse(text)

    def declares(self, commit: str) -> bool:
        """Return whether all version files at `commit` declare this version, and its changelog has the section."""
        if commit not in self._declaring:
            self._declaring[commit] = self._find_declared(commit)
        return self._declaring[commit]

    def _left_out(self, path: str) -> str | None:
        """Return the text at HEAD of a file that a sparse checkout leaves out; None if it is on disk, or should be."""
        if (self.git.root / path).exists():
            return None
        sparse = self.git.line("config", "--type=bool", "core.sparseCheckout", missing="") == "true"
        return self.git.file(self.git.head(), path) if sparse else None

    def _find_declared(self, commit: str) -> bool:
        for file in self.version_files:
            try:
                text = self.git.file(commit, str(file.path))
                if text is None or file.found_in(text).version != self.version:
                    return False
            except UsageError:
                return False
        return self.version.is_prerelease or self._has_section(commit)

    def _has_section(self, commit: str) -> bool:
        text = self.git.file(commit, self.changelog)
        return text is not None and Changelog.parse(text).section(self.version) is not None
