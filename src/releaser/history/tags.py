"""Which versions are released: asked of the remote, because a clone may lack tags, branches and history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from releaser.adapters.git import Git
from releaser.adapters.git.ancestry import first_merged
from releaser.versions.version import Version


@dataclass(frozen=True)
class History:
    """The tags of versions.

    Attributes:
        git: The user's checkout.
        remote: The remote's name.
        branch: The branch that is released from.
        pattern: The name of a version's tag.
    """

    git: Git
    remote: str
    branch: str
    pattern: str

    def finals(self) -> list[Version]:
        """Return the final versions that have a tag at the remote, or here if there is no remote.

        Raises:
            ServiceError: The remote did not answer.
        """
        remote = self.git.remote_url(self.remote)
        names = self.git.remote_tags(self.remote) if remote else self.git.tags()
        return [version for version in self._versions(names) if not version.is_prerelease]

    def finals_here(self) -> list[Version]:
        """Return the final versions that have a tag in this clone."""
        return [version for version in self._versions(self.git.tags()) if not version.is_prerelease]

    def highest_of_branch(self, commit: str, but: Version | None = None) -> Version | None:
        """Return the highest version whose tag at the remote is in the history of a commit of the branch.

        Args:
            commit: The commit.
            but: A version that does not count.

        Raises:
            ServiceError: The remote did not answer.
            CommandError: This clone is shallow, and the remote did not give the history that it lacks.
        """
        if not self.git.remote_url(self.remote):
            return self.highest_here(commit, but)
        tags = self.git.remote_tags(self.remote)
        named = {one: name for name in tags if (one := Version.from_tag(name, self.pattern)) and one != but}
        falling = {named[one]: tags[named[one]] for one in sorted(named, reverse=True)}
        found = first_merged(self.git, self.remote, falling, commit, self.branch)
        return Version.from_tag(found, self.pattern) if found else None

    def highest_here(self, commit: str, but: Version | None = None) -> Version | None:
        """Return the highest version whose tag in this clone is in the history of a commit, as far as it is here."""
        return max((one for one in self._versions(self.git.tags_of(commit)) if one != but), default=None)

    def _versions(self, names: Iterable[str]) -> list[Version]:
        found = (Version.from_tag(name, self.pattern) for name in names)
        return [version for version in found if version]
