"""TestPyPI: check that what it serves is the built wheel, installs and runs."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.installers.pip import until_pip_finds
from releaser.adapters.installers.venv import Venv
from releaser.core.files import sha256
from releaser.core.step import Outcome, Skipped, Todo
from releaser.dists import installed
from releaser.dists.built import Dists
from releaser.release import Release
from releaser.steps.receipted import Receipted, expect_sha256
from releaser.store import Receipt


class TryTestPyPI(Receipted):
    """The wheel on TestPyPI is the built one; its dependencies come from PyPI, never from TestPyPI.

    TestPyPI alone cannot resolve dependencies, and as an extra index it would let anybody's package with the name of a
    dependency win. So one file is downloaded from there, and compared before anything of it runs.
    """

    name = "try_testpypi"
    title = "Wheel from TestPyPI installs and runs"
    doing = "download the wheel alone from TestPyPI, compare its hash, install it"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Look for the receipt; files of an earlier attempt that TestPyPI keeps are not tried."""
        outcome, dists = super().check(release), release.dists()
        if isinstance(outcome, Todo) and dists:
            served = release.testpypi.files(release.config.distribution, release.version)
            found = served.get(dists.wheel.name)
            if found and found.sha256 != dists.sha256[dists.wheel.name]:
                return Skipped("testpypi serves other bytes under this version")
        return outcome

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Download, compare, install."""
        venv, index = Venv.create(scratch / "venv", release.pypi.simple_url), release.testpypi
        requirement = f"{release.config.distribution}=={release.version.pep440}"
        fetched = until_pip_finds(
            index.name,
            requirement,
            lambda: venv.download(requirement, index.simple_url, scratch / "fetched"),
            release.wait_limits,
        )
        digest = sha256(fetched)
        served = index.files(release.config.distribution, release.version).get(dists.wheel.name)
        listed = served.sha256 if served else None
        expect_sha256(digest, dists.sha256[dists.wheel.name], "The wheel from TestPyPI", listed)
        venv.install(fetched)
        return Receipt(f"sha256 {digest[:12]}; " + installed.check(venv, release.config, release.version))
