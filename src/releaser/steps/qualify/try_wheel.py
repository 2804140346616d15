"""Qualify: install the built wheel in a clean environment, and check its version."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.installers.venv import Venv
from releaser.dists import installed
from releaser.dists.built import Dists
from releaser.release import Release
from releaser.steps.receipted import Receipted
from releaser.store import Receipt


class TryWheel(Receipted):
    """The built wheel installs, imports and reports the right version."""

    name = "try_wheel"
    title = "Wheel installs and runs"
    doing = "install the built wheel in a clean environment, run --version and --help"

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Install the file from the store."""
        venv = Venv.create(scratch / "venv", release.pypi.simple_url)
        venv.install(dists.wheel)
        return Receipt(installed.check(venv, release.config, release.version))
