"""Verify: check that `pip install` gives users this release."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.installers.venv import Venv
from releaser.dists import installed
from releaser.dists.built import Dists
from releaser.release import Release
from releaser.steps.receipted import Receipted, expect_sha256
from releaser.store import Receipt


class InstallFromPyPI(Receipted):
    """`pip install` from the index gives these very bytes, and they report the right version."""

    name = "install_from_pypi"
    title = "pip install gives this release"
    doing = "pip install from the index in a clean environment, run --version and --help"
    skippable = True

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Install by name and compare hashes."""
        venv = Venv.create(scratch / "venv", release.pypi.simple_url)
        digest = installed.from_index(venv, release.pypi, release.config, release.version, release.wait_limits)
        expect_sha256(digest, dists.sha256[dists.wheel.name], "The wheel that pip installed")
        return Receipt(f"sha256 {digest[:12]}; " + installed.check(venv, release.config, release.version))
