"""Opening: from a directory and the words of a command line to a project and its release."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.git import Git
from releaser.config.load import load_config, state_root
from releaser.config.project import Config
from releaser.errors import UsageError
from releaser.release import Release
from releaser.secret import Credentials
from releaser.store import ReleaseStore
from releaser.versions.files import from_config
from releaser.versions.version import Version


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
    """The release of `version` from the checkout at `root`, with its state under `state`.

    Raises:
        UsageError: The checkout is none, has no commit, or has no remote of the configured name.
    """
    git = Git.at(root)
    git.head()
    remote = git.remote_url(config.git.remote) or (None if needs_remote else str(git.root))
    if remote is None:
        raise UsageError(
            f"{git.root} has no git remote named {config.git.remote}, so there is nowhere to release to.",
            f"Add it: `git remote add {config.git.remote} ADDRESS`, or name another in [tool.releaser.git].",
        )
    store = ReleaseStore.of(state, config.distribution, remote, version)
    return Release(config, version, git, store, credentials or Credentials(), description)


def project(start: Path) -> tuple[Path, Config]:
    """The root and the configuration of the project that `start` lies in."""
    root = Git.at(start).root
    return root, load_config(root)


def opened_release(start: Path, version: str | None, title: str | None = None, *, needs_remote: bool = True) -> Release:
    """The release of a version given on the command line."""
    root, config = project(start)
    wanted, state = wanted_version(version, config, root), state_root()
    return open_release(root, config, wanted, state, description=title, needs_remote=needs_remote)


def wanted_version(text: str | None, config: Config, root: Path) -> Version:
    """The version that was asked for.

    Raises:
        UsageError: None was given (what could come next is listed).
        VersionError: It cannot be released.
    """
    if text:
        return Version.parse(text)
    declared = from_config(config.version_files[0]).read(root).version
    offered = "\n".join(f"  {part:<6} {version}" for part, version in declared.next_versions().items())
    raise UsageError(
        f"Which version? The project is at {declared}; next could be\n{offered}", "Give it with --version."
    )
