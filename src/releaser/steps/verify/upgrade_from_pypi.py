"""Verify: check that `pip install --upgrade` over the release before gives users this release."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.installers.venv import Venv
from releaser.dists import installed
from releaser.dists.built import Dists
from releaser.errors import CommandError, ToleratedError
from releaser.release import Release
from releaser.steps.receipted import Receipted, expect_sha256
from releaser.store import Receipt


class UpgradeFromPyPI(Receipted):
    """`pip install --upgrade` over the highest final release below gives these very bytes."""

    name = "upgrade_from_pypi"
    title = "pip install --upgrade gives this release"
    doing = "pip install the release before, then upgrade it"
    skippable = True

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Install the release before, then this one over it.

        Raises:
            ToleratedError: The release before cannot be installed here: it is broken, was deleted since, or needs
                another Python. No one upgrades from it, and nothing of this release can change that.
            CommandError: The upgrade failed.
        """
        name, index = release.config.distribution, release.pypi
        older = [one for one in index.versions(name) if one < release.version and not one.is_prerelease]
        if not older:
            return Receipt("the index has no release before this one", skipped=True)
        venv = Venv.create(scratch / "venv", index.simple_url)
        try:
            venv.install("--index-url", index.simple_url, f"{name}=={older[-1].pep440}")
        except CommandError as error:
            raise ToleratedError(
                f"the upgrade was not tried, because {older[-1]} cannot be installed here: {_reason(error)}",
                f"Yank {older[-1]} if no one can install it; otherwise try the upgrade where it can be installed.",
            ) from error
        digest = installed.from_index(
            venv, release.pypi, release.config, release.version, release.wait_limits, "--upgrade"
        )
        expect_sha256(digest, dists.sha256[dists.wheel.name], "The wheel that pip installed")
        return Receipt(f"{older[-1]} -> {release.version}; " + installed.check(venv, release.config, release.version))


def _reason(error: CommandError) -> str:
    """Return pip's own errors in one line; its last line where it names none."""
    lines = error.message.splitlines()
    errors = [line.removeprefix("ERROR: ").strip() for line in lines if line.startswith("ERROR: ")]
    return " | ".join(errors or lines[-1:])
