"""One release: a version of a project, and the services and files that its steps ask and change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from releaser.adapters import environment
from releaser.adapters.docker import buildx
from releaser.adapters.docker.buildx import BakeOptions
from releaser.adapters.forge.client import Forge
from releaser.adapters.git import Git, Settings, trees
from releaser.adapters.git.entries import Entry, differences
from releaser.adapters.index.client import Index
from releaser.adapters.index.twine_login import IndexAddress
from releaser.adapters.publishers import Publisher
from releaser.adapters.registry.client import Registry
from releaser.adapters.remotes import GitLimits, repository_of
from releaser.adapters.waiting import WaitLimits
from releaser.changelog.document import Changelog, today_in_utc
from releaser.config.project import Config, IndexConfig, IndexName
from releaser.core.holder import now
from releaser.core.journal import Journal
from releaser.dists.built import Dists
from releaser.dists.manifest import Manifest
from releaser.errors import UsageError
from releaser.history.commit import ReleaseCommit
from releaser.history.tags import History
from releaser.secret import Credentials, Redactor
from releaser.store import ReleaseStore
from releaser.versions.files import from_config
from releaser.versions.version import Version
from releaser.versions.version_file import VersionFile


@dataclass(frozen=True)
class Release:
    """What every step is given.

    Attributes:
        config: The project's configuration.
        version: What is released.
        git: The user's checkout, which no step but the last touches.
        store: What is kept of this version outside the checkout.
        credentials: Where tokens come from.
        description: The brief description in the release's title; by default the changelog section's lead line.
        bake_options: How its images are built.
        choices: What a person decided where what was found differs from what this release needs, by step.
        required: The steps that may not be skipped.
        opened: When this run began, in ISO 8601.
        found_absent: Whether a person has seen that PyPI has no file of it, on the page that shows its owner all files.
        rebuilt: What another job has built again; a job's identity uploads nothing else.
    """

    config: Config
    version: Version
    git: Git
    store: ReleaseStore
    credentials: Credentials
    description: str | None = None
    bake_options: BakeOptions = field(default_factory=BakeOptions)
    choices: Mapping[str, str] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    opened: str = field(default_factory=now)
    found_absent: bool = False
    rebuilt: Manifest | None = None

    @property
    def tree(self) -> Path:
        """The directory that holds what is released: the release commit, checked out apart from the user's checkout."""
        return self.store.worktree

    def add_worktree(self, path: Path, commit: str) -> None:
        """Check a commit out in a working tree that is exactly it; see `trees.add_worktree`."""
        trees.add_worktree(self.git, path, commit, self.config.git.remote, self.store.modules)

    @contextmanager
    def pristine_tree(self, room: Path, commit: str) -> Iterator[Path]:
        """Give a tree of its own that is exactly the commit, under `room`, for the length of the block."""
        tree = room / "source"
        try:
            self.add_worktree(tree, commit)
            yield tree
        finally:
            trees.remove_worktree(self.git, tree)

    @contextmanager
    def source_tree(self, _room: Path) -> Iterator[Path]:
        """Give the tree to build from, compared with the commit first: a hook may have written to it."""
        if differences(self.tree, self.source_files()):
            self.add_worktree(self.tree, self.must_have_commit())
        yield self.tree

    @property
    def source(self) -> str:
        """What is built, in words."""
        return f"commit {self.must_have_commit()[:12]}"

    def source_files(self) -> dict[str, Entry]:
        """Return the files that the built files are made from, by path: those of the release commit."""
        return trees.files_of(self.git, self.must_have_commit(), self.config.git.remote, self.store.modules)

    @cached_property
    def journal(self) -> Journal:
        """The record, to be written to; see `store.chain` for what it holds."""
        return Journal(self.store.journal, self.redactor())

    @property
    def tag(self) -> str:
        """The name of the version's tag."""
        return self.version.tag(self.config.git.tag)

    @property
    def ref(self) -> str:
        """The private ref that keeps the release commit alive from the moment it is made."""
        return f"refs/releaser/{self.tag}"

    @cached_property
    def testpypi(self) -> Index:
        """The index to try things on."""
        return self._index("testpypi", self.config.testpypi)

    @cached_property
    def pypi(self) -> Index:
        """The index that users install from."""
        return self._index("pypi", self.config.pypi)

    def index(self, name: IndexName) -> Index:
        """Return the index of that name."""
        return self.testpypi if name == "testpypi" else self.pypi

    @cached_property
    def forge(self) -> Forge:
        """The forge's view of the repository; see `repository` for where that is."""
        forge = self.config.forge
        token = self.credentials.token(forge.token_env)
        return Forge(self.repository, token.reveal() if token else None, forge.api_url, forge.web_url, forge.token_env)

    @cached_property
    def registry(self) -> Registry:
        """Where images go; a project without images has no registry."""
        images = self.config.images
        if images.repository is None:
            raise UsageError("This project has no images", "Give [tool.releaser.images] a repository and targets.")
        return Registry.of(images.repository, self.credentials.token(images.token_env or ""), images.token_env)

    @property
    def wait_limits(self) -> WaitLimits:
        """How long to wait for what was published to become visible."""
        wait = self.config.wait
        return WaitLimits(wait.timeout, wait.first_delay, wait.longest_delay)

    @cached_property
    def no_engine(self) -> str | None:
        """Why no image can be built or started here, as it was when this was first asked; None if they can be."""
        return buildx.unavailable(self.git.root)

    @property
    def git_settings(self) -> Settings:
        """What the user's settings make git do in the checkout."""
        return Settings(self.git.root, self.git.limits, self.git.own, self.git.login)

    @cached_property
    def why_it_cannot_sign(self) -> str | None:
        """Why git can sign nothing, as it was when this was first asked (a key may want a touch); None if it can."""
        return self.git_settings.why_it_cannot_sign()

    @cached_property
    def repository(self) -> str:
        """OWNER/NAME on the forge."""
        named = self.config.forge.repository or repository_of(self.git.remote_url(self.config.git.remote) or "")
        if named is None:
            raise UsageError(
                f"The remote {self.config.git.remote} does not name a repository on the forge",
                'Set repository = "OWNER/NAME" in [tool.releaser.forge].',
            )
        return named

    @cached_property
    def release_commit(self) -> ReleaseCommit:
        """How to find the release commit."""
        return ReleaseCommit(
            self.git, self.store, self.version, self.version_files, self.config.changelog, self.tag, self.ref
        )

    def commit(self) -> str | None:
        """Return the release commit; see `ReleaseCommit.find`."""
        return self.release_commit.find()

    def must_have_commit(self) -> str:
        """Return the release commit; see `ReleaseCommit.require`."""
        return self.release_commit.require()

    @cached_property
    def version_files(self) -> tuple[VersionFile, ...]:
        """The files that declare the version."""
        return tuple(from_config(one) for one in self.config.version_files)

    def changelog(self) -> Changelog:
        """Return the changelog that is published: the release commit's, or before there is one what it will be.

        Raises:
            ChangelogError: It cannot be read or rotated; the message says why.
        """
        commit = self.commit()
        text = self.git.file(commit, self.config.changelog) if commit else None
        if text is not None:
            return Changelog.parse(text)
        found = self.release_commit.changelog_here()
        return found if self.version.is_prerelease else Changelog.parse(self.rotated(found))

    def rotated(self, found: Changelog, day: dt.date | None = None) -> str:
        """Return a changelog's text with [Unreleased] as this version's section, dated today or with another day.

        Raises:
            ChangelogError: There is nothing to release, or the version has a section already.
        """
        return found.rotate(
            self.version,
            day or today_in_utc(),
            repository_url=f"{self.config.forge.web_url.rstrip('/')}/{self.repository}",
            tag_pattern=self.config.git.tag,
        )

    def notes(self) -> str:
        """Return the changelog section that the release carries, word for word."""
        return self.changelog().notes(self.version)

    def dists(self) -> Dists | None:
        """Return the built files; None before they are complete."""
        return self.store.dists()

    def built(self) -> Dists:
        """Return the built files, or raise `UsageError` where they are not there."""
        dists = self.dists()
        if dists is None:
            raise UsageError(
                f"{self.config.distribution} {self.version} has not been built yet",
                f"Run `invoke release --version {self.version}`, or `invoke build` for the current tree.",
            )
        return dists

    def highest_stable(self) -> bool:
        """Return whether this is a final version and no tag at the remote names a higher one."""
        return not self.version.is_prerelease and all(other <= self.version for other in self.history.finals())

    @cached_property
    def history(self) -> History:
        """Which versions are released."""
        config = self.config.git
        return History(self.git, config.remote, config.branch, config.tag)

    def redactor(self) -> Redactor:
        """Return what hides this release's tokens and every other credential of this process."""
        redact = Redactor()
        redact.learn(self.credentials.token(name) for name in self.config.token_variables)
        redact.learn(environment.secrets())
        return redact

    def _index(self, name: str, config: IndexConfig) -> Index:
        address = IndexAddress(config.repository, config.upload_url, config.simple_url, config.web_url)
        named = config.names_workflow
        publisher = Publisher(self.repository, config.workflow, config.environment) if named else None
        token, vouched = self.credentials.token(config.token_env), self.rebuilt.uploads if self.rebuilt else None
        return Index(
            name, address, token, config.token_env, publisher=publisher, attests=config.attestations, vouched=vouched
        )


def open_release(
    root: Path,
    config: Config,
    version: Version,
    state: Path,
    credentials: Credentials | None = None,
    description: str | None = None,
    *,
    needs_remote: bool = True,
) -> Release:
    """Return the release of `version` from the checkout at `root`, with its state under `state`.

    Raises:
        UsageError: The checkout is none, has no commit, or has no remote of the configured name.
    """
    git = Git.at(root, GitLimits(transfer=config.git.timeout))
    git.head()
    remote = git.remote_url(config.git.remote) or (None if needs_remote else str(git.root))
    if remote is None:
        raise UsageError(
            f"{git.root} has no git remote named {config.git.remote}, so there is nowhere to release to",
            f"Add it with `git remote add {config.git.remote} ADDRESS`, or name another remote in [tool.releaser.git].",
        )
    store = ReleaseStore.of(state, config.distribution, remote, version)
    return Release(config, version, git, store, credentials or Credentials(), description)
