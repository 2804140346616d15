"""The built files: one sdist, one wheel, what goes with them, and SHA256SUMS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from releaser.core.files import SUMS, read_sums, sha256
from releaser.errors import ConflictError


@dataclass(frozen=True)
class Dists:
    """The built files, intact: their directory, and each one's sha256 by name."""

    directory: Path
    sha256: dict[str, str]

    @property
    def wheel(self) -> Path:
        """The wheel."""
        return self._one(".whl")

    @property
    def sdist(self) -> Path:
        """The source distribution."""
        return self._one(".tar.gz")

    @property
    def uploads(self) -> list[Path]:
        """What goes to an index, in the order in which it is uploaded."""
        return [self.sdist, self.wheel]

    @property
    def upload_sha256(self) -> dict[str, str]:
        """Name to sha256 of what goes to an index."""
        return {path.name: self.sha256[path.name] for path in self.uploads}

    @property
    def assets(self) -> dict[str, str]:
        """Name to sha256 of what is attached to a release: what SHA256SUMS lists, and itself."""
        return {**self.sha256, SUMS: sha256(self.directory / SUMS)}

    def _one(self, ending: str) -> Path:
        return self.directory / next(name for name in self.sha256 if name.endswith(ending))


def _is_line(name: str, digest: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{64}", digest)) and bool(name) and not {"/", "\\"} & set(name)


def read_dists(directory: Path) -> Dists | None:
    """Return the built files in a directory; None if it has no SHA256SUMS, which is written last.

    Raises:
        ConflictError: A file is missing or was changed after it was built, or SHA256SUMS does not list one sdist and
            one wheel.
    """
    expected = read_sums(directory)
    if expected is None:
        return None
    if odd := [f"{digest} {name}" for name, digest in expected.items() if not _is_line(name, digest)]:
        raise ConflictError(
            f"{directory / SUMS} is not a list of checksums: {odd[0][:80]!r} is not a sha256 and the name of a file",
            "Restore it; or run `invoke rollback` if nothing is published yet, and build again.",
        )
    for name, digest in expected.items():
        path = directory / name
        found = sha256(path) if path.is_file() else None
        if found != digest:
            what = "is missing" if found is None else f"was changed after it was built: its sha256 is {found[:12]}"
            raise ConflictError(
                f"{path} {what}; {SUMS} lists {digest[:12]}",
                "If nothing is published yet, run `invoke rollback` and build again. Otherwise download the file from "
                "the release.",
            )
    for ending in (".tar.gz", ".whl"):
        if sum(name.endswith(ending) for name in expected) != 1:
            raise ConflictError(
                f"{directory / SUMS} does not list exactly one {ending} file",
                "Build again, or give the directory of a complete build.",
            )
    return Dists(directory, expected)
