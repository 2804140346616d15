"""Installing what was built into clean environments and asking it who it is: before publication, and as users do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from releaser import installed
from releaser.adapters.venv import Venv
from releaser.errors import CommandError, StepError
from releaser.release import Release
from releaser.steps.receipted import Receipted
from releaser.store import Dists, Receipt, sha256

_Result = TypeVar("_Result")


class TryWheel(Receipted):
    """The wheel that was built installs, imports and says the right version."""

    name = "try_wheel"
    title = "The wheel installs and runs"
    doing = "install the built wheel in a clean environment, run --version and --help"

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Installs the file from the store."""
        venv = _clean(release, scratch)
        venv.install(dists.wheel)
        return Receipt(installed.check(venv, release.config, release.version))


class TryTestPyPI(Receipted):
    """TestPyPI's file is ours; its dependencies come from the user's own index, never from TestPyPI."""

    name = "try_testpypi"
    title = "What TestPyPI serves installs and runs"
    doing = "fetch our wheel alone from TestPyPI, compare its hash, install it"
    skippable = True

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Fetches, compares, installs."""
        venv = _clean(release, scratch)
        requirement = f"{release.config.distribution}=={release.version.pep440}"
        fetched = _patiently(
            release, lambda: venv.download(requirement, release.testpypi.simple_url, venv.path / "fetched")
        )
        digest = sha256(fetched)
        _compare(digest, dists, "TestPyPI")
        venv.install(fetched)
        return Receipt(f"sha256 {digest[:12]}; " + installed.check(venv, release.config, release.version))


class InstallFromPyPI(Receipted):
    """`pip install` from the index gives these very bytes, and they say the right version."""

    name = "install_from_pypi"
    title = "pip install gives this release"
    doing = "pip install from the index in a clean environment, run --version and --help"

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Installs by name and compares what came."""
        venv = _clean(release, scratch)
        digest = _install(release, venv)
        _compare(digest, dists, "The index")
        return Receipt(f"sha256 {str(digest)[:12]}; " + installed.check(venv, release.config, release.version))


class UpgradeFromPyPI(Receipted):
    """`pip install --upgrade` over the release before gives this release."""

    name = "upgrade_from_pypi"
    title = "pip install --upgrade gives this release"
    doing = "pip install the release before, then upgrade it"

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Installs the release before, then this one over it."""
        venv = _clean(release, scratch)
        before = [
            v for v in release.pypi.versions(release.config.distribution) if v < release.version and not v.is_prerelease
        ]
        if not before:
            return Receipt("the index holds no release before this one", skipped=True)
        index = ("--index-url", release.pypi.simple_url)
        venv.install(*index, f"{release.config.distribution}=={before[-1].pep440}")
        _compare(_install(release, venv, "--upgrade"), dists, "The index")
        return Receipt(f"{before[-1]} -> {release.version}; " + installed.check(venv, release.config, release.version))


def _clean(release: Release, scratch: Path) -> Venv:
    return Venv.create(scratch / "venv", release.tokenless())


def _install(release: Release, venv: Venv, *options: str) -> str | None:
    name = release.config.distribution
    words = (*options, "--index-url", release.pypi.simple_url, f"{name}=={release.version.pep440}")
    return _patiently(release, lambda: venv.install(*words, distribution=name))


def _patiently(release: Release, attempt: Callable[[], _Result]) -> _Result:
    """Tries until pip sees the version: the pages that pip reads may lag behind those that were asked before."""
    results: list[_Result] = []

    def succeeds() -> bool:
        try:
            results.append(attempt())
        except CommandError as error:
            if "No matching distribution" in error.message:
                return False
            raise
        return True

    release.pypi.wait_for("the version to pip", succeeds, release.config.wait)
    return results[0]


def _compare(digest: str | None, dists: Dists, whose: str) -> None:
    expected = dists.sha256[dists.wheel.name]
    if digest != expected:
        raise StepError(
            f"{whose} gave a wheel with sha256 {str(digest)[:12]}, and {expected[:12]} was built.",
            "Somebody else's file has this version: release the next version, and find out whose it is.",
        )
