"""Verify: check that `pip install --upgrade` over the release before gives users this release."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.venv import Venv
from releaser.dists import installed
from releaser.dists.built import Dists
from releaser.release import Release
from releaser.steps.receipted import Receipted, expect_sha256
from releaser.store import Receipt


class UpgradeFromPyPI(Receipted):
    """`pip install --upgrade` over the highest final release below gives these very bytes."""

    name = "upgrade_from_pypi"
    title = "pip install --upgrade gives this release"
    doing = "pip install the release before, then upgrade it"

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Install the release before, then this one over it."""
        name, index = release.config.distribution, release.pypi
        older = [one for one in index.versions(name) if one < release.version and not one.is_prerelease]
        if not older:
            return Receipt("the index has no release before this one", skipped=True)
        venv = Venv.create(scratch / "venv")
        venv.install("--index-url", index.simple_url, f"{name}=={older[-1].pep440}")
        digest = installed.from_index(
            venv, release.pypi, release.config, release.version, release.wait_limits, "--upgrade"
        )
        expect_sha256(digest, dists.sha256[dists.wheel.name], "The wheel that pip installed")
        return Receipt(f"{older[-1]} -> {release.version}; " + installed.check(venv, release.config, release.version))
