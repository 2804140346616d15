"""Submodules: where the objects of their recorded commits are, here or at their recorded addresses."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from releaser.adapters import process
from releaser.adapters.environment import Changes
from releaser.adapters.git.calls import last
from releaser.adapters.git.entries import SUBMODULE, Entry
from releaser.adapters.git.repository import Git
from releaser.errors import CommandError, ServiceError, UsageError

SOURCE = "releaser.source"
"""A setting of a rehearsal's clone: the checkout that it was made from."""

# As git-submodule has it: an address in a file that others wrote may not name every program or file of this machine.
_NOT_FROM_USER: Changes = {"GIT_PROTOCOL_FROM_USER": "0"}


@dataclass(frozen=True)
class Submodule:
    """A submodule of a commit.

    Attributes:
        path: Where it is in the tree.
        name: What its repository is called in the user's module store.
        commit: The commit that is recorded.
        address: Where it comes from; None if .gitmodules does not say.
    """

    path: str
    name: str
    commit: str
    address: str | None


@dataclass(frozen=True)
class Origin:
    """Where the objects of a project come from.

    Attributes:
        git: A repository of the user whose module store may have submodules' commits.
        address: The project's own address, which addresses of submodules can be relative to.
        checkout: The working tree in which submodules may have repositories; None for a bare repository.
    """

    git: Git
    address: str
    checkout: Path | None

    @classmethod
    def of(cls, git: Git, remote: str) -> Origin:
        """Return where a checkout's objects come from; a rehearsal's clone names the checkout it was made from."""
        source = git.line("config", SOURCE, missing="")
        user = Git(Path(source), git.limits) if source else git
        return cls(user, user.line("remote", "get-url", remote, missing="") or str(user.root), user.root)

    def inside(self, submodule: Submodule, git: Git) -> Origin:
        """Return where the objects of a submodule's submodules come from, if its own are in `git`."""
        checkout = self.checkout / submodule.path if self.checkout else None
        return Origin(git, submodule.address or self.address, checkout)


def submodules(git: Git, commit: str, files: Mapping[str, Entry], address: str) -> list[Submodule]:
    """Return the submodules of a commit, in the order of their paths."""
    recorded = {path: entry.id for path, entry in files.items() if entry.mode == SUBMODULE}
    if not recorded:
        return []
    words = ("config", "--blob", f"{commit}:.gitmodules", "-z", "--list")
    pairs = (line.partition("\n") for line in git.ask(*words, check=False).text.split("\0") if line)
    settings = {key.removeprefix("submodule."): value for key, _, value in pairs}
    names = {value: key.removesuffix(".path") for key, value in settings.items() if key.endswith(".path")}
    found = []
    for path, recorded_commit in recorded.items():
        name = names.get(path, path)
        url = settings.get(f"{name}.url")
        found.append(Submodule(path, name, recorded_commit, absolute(address, url) if url else None))
    return found


def absolute(base: str, url: str) -> str:
    """Return a submodule's address; one that begins with ./ or ../ is relative to its project's."""
    if not re.match(r"\.\.?/", url):
        return url
    base = base.rstrip("/")
    while re.match(r"\.\.?/", url):
        step, _, url = url.partition("/")
        if step == "..":
            base, sign, _ = (
                base.rpartition("/") if "/" in base.partition("://")[2] or "/" in base else base.rpartition(":")
            )
            if sign == ":":
                return f"{base}:{url}" if not re.match(r"\.\.?/", url) else url
    return f"{base}/{url}"


def held(origin: Origin, submodule: Submodule) -> Git | None:
    """Return the repository of the user that has the recorded commit; None if there is none."""
    places = [origin.git.git_path("modules") / submodule.name]
    places.append(origin.git.root / origin.git.line("rev-parse", "--git-common-dir") / "modules" / submodule.name)
    if origin.checkout and (origin.checkout / submodule.path / ".git").exists():
        inside = Git(origin.checkout / submodule.path)
        places.append(inside.root / inside.line("rev-parse", "--git-dir", missing="."))
    for place in places:
        if (place / "objects").is_dir() and Git(place).commit(submodule.commit):
            return Git(place, origin.git.limits)
    return None


def answers(origin: Origin, submodule: Submodule) -> None:
    """Ask a submodule's address whether it would let us fetch.

    Raises:
        UsageError: It has none.
        ServiceError: It refused, could not be reached, or did not respond in time.
    """
    try:
        words = ("ls-remote", "--quiet", "--", _address(submodule), "HEAD")
        origin.git.ask(*words, env={**origin.git.network(), **_NOT_FROM_USER}, within=origin.git.limits.ask)
    except CommandError as error:
        raise _refused(submodule, error) from error


def fetched(origin: Origin, submodule: Submodule, cache: Path) -> Git:
    """Return a repository with the recorded commit, fetched from the recorded address into one of our own.

    Raises:
        UsageError: .gitmodules has no address for it.
        ServiceError: The address refused, could not be reached, did not respond in time, or lacks the commit.
    """
    address = _address(submodule)
    git = Git(cache / hashlib.sha256(address.encode()).hexdigest()[:16], origin.git.limits)
    if not (git.root / "HEAD").is_file():
        git.root.mkdir(parents=True, exist_ok=True)
        form = "sha1" if len(submodule.commit) == 40 else "sha256"
        git.run("init", "--quiet", "--bare", "--template=", f"--object-format={form}", ".")
    if git.commit(submodule.commit):
        return git
    # The user's repository may say how to log in, and where addresses really lead.
    settings = ("-c", f"include.path={origin.git.git_path('config').resolve()}", "-c", "core.bare=true")
    words = (*settings, "fetch", "--quiet", "--no-tags")
    env, within = {**origin.git.network(), **_NOT_FROM_USER}, origin.git.limits.transfer
    try:
        # Old servers give the tips of refs alone, so all of them are fetched then.
        git.run(*words, "--depth=1", "--", address, submodule.commit, check=False, env=env, within=within)
        if git.commit(submodule.commit) is None:
            git.run(*words, "--", address, "+refs/*:refs/fetched/*", env=env, within=within)
    except CommandError as error:
        raise _refused(submodule, error) from error
    if git.commit(submodule.commit) is None:
        raise ServiceError(
            f"Submodule {submodule.path} is recorded at commit {submodule.commit[:12]}, which {address} does not have",
            f"Push that commit to {address}, or record another one.",
        )
    return git


def _address(submodule: Submodule) -> str:
    if submodule.address is None:
        raise UsageError(
            f"{submodule.path} is recorded as a submodule, and .gitmodules has no address for it",
            f"Add it with `git submodule add ADDRESS {submodule.path}`, or remove it with `git rm --cached`.",
        )
    return submodule.address


def _refused(submodule: Submodule, error: CommandError) -> ServiceError:
    said = "it did not respond in time" if isinstance(error, process.NoAnswerError) else last(error)
    return ServiceError(
        f"Submodule {submodule.path} could not be fetched from {submodule.address}: {said}",
        f"Run `git submodule update --init {submodule.path}`, or correct its address in .gitmodules.",
    )
