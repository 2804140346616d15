"""Open a project and its release from a directory and the words of a command line."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters import environment
from releaser.adapters.git import Git
from releaser.config.load import load_config, state_root
from releaser.config.project import Config
from releaser.errors import UsageError
from releaser.release import Release, open_release
from releaser.versions.files import from_config
from releaser.versions.version import Version


def project(start: Path) -> tuple[Path, Config]:
    """Return the root and the configuration of the project that `start` is in.

    The configuration is read before git is asked: it says which variables no program gets, git included.
    """
    start = start.resolve()
    tops = (path for path in (start, *start.parents) if (path / ".git" / "HEAD").exists() or (path / ".git").is_file())
    root = next(tops, None) or Git.at(start).root
    config = load_config(root)
    environment.configure(config.token_variables, config.pass_env)
    return Git.at(root).root, config


def opened_release(start: Path, version: str | None, title: str | None = None, *, needs_remote: bool = True) -> Release:
    """Return the release of a version given on the command line."""
    root, config = project(start)
    wanted, state = wanted_version(version, config, root), state_root()
    return open_release(root, config, wanted, state, description=title, needs_remote=needs_remote)


def wanted_version(text: str | None, config: Config, root: Path) -> Version:
    """Return the version that was asked for.

    Raises:
        UsageError: None was given (what could come next is listed).
        VersionError: It cannot be released.
    """
    if text:
        return Version.parse(text)
    declared = from_config(config.version_files[0]).read(root).version
    offered = "\n".join(f"  {part:<6} {version}" for part, version in declared.next_versions().items())
    raise UsageError(
        f"No version was given. The project is at {declared}; the next could be\n{offered}", "Give one with --version."
    )
