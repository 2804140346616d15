"""Qualify: install the built wheel with uv, on the oldest and the newest Python that it is for and that is here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from releaser.adapters import builder
from releaser.adapters.installers import uv
from releaser.dists import installed
from releaser.dists.built import Dists
from releaser.release import Release
from releaser.steps.receipted import Receipted
from releaser.store import Receipt

_NO_UV = "uv is not installed"


class TryWithUv(Receipted):
    """The built wheel installs with uv too, and runs on the ends of the range of Pythons that it declares."""

    name = "try_with_uv"
    title = "Wheel installs with uv, on the oldest and newest Python here"
    doing = "install the built wheel with uv on the oldest and the newest Python here, run --version and --help"
    skippable = True

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Try the ends of the range; of a single Python, that."""
        requires = builder.wheel_metadata(dists.wheel).get("Requires-Python", "")
        if not uv.available():
            return Receipt(_NO_UV, skipped=True)
        pythons = uv.pythons(dists.wheel, requires)
        oldest = self._first(release, dists, scratch / "oldest", pythons)
        newest = self._first(release, dists, scratch / "newest", pythons[:0:-1])
        tried = list(dict.fromkeys(filter(None, (oldest, newest))))
        if not tried:
            return Receipt(f"no Python here is a release and fits {requires or 'the wheel'}", skipped=True)
        return Receipt(f"on Python {' and '.join(tried)} (requires-python: {requires or 'any'})")

    def has_become_possible(self, skipped: Receipt) -> bool:
        """Return whether uv is here by now."""
        return skipped.evidence == _NO_UV and uv.available()

    def _first(self, release: Release, dists: Dists, scratch: Path, pythons: Sequence[Path]) -> str | None:
        """Try the first of these that is a release; return its version."""
        scratch.mkdir()
        for number, python in enumerate(pythons):
            made = uv.install(dists.wheel, python, scratch / str(number), release.pypi.simple_url)
            if made:
                venv, version = made
                installed.check(venv, release.config, release.version)
                return version
        return None
