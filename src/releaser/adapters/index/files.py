"""The files that an index lists, and which versions they are of."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from releaser.versions.version import Version


@dataclass(frozen=True)
class IndexFile:
    """One file as the index lists it.

    Attributes:
        name: The file's name.
        sha256: In hex; empty where the index lists none.
        url: Where it is served.
        yanked: The reason, empty if none was given; None if it is not yanked.
        uploaded: When it was, in ISO 8601; None where the index does not tell.
    """

    name: str
    sha256: str
    url: str
    yanked: str | None
    uploaded: str | None = None


def version_of(filename: str) -> Version | None:
    """Return the version in a wheel's or an sdist's name; None for other names and versions without a SemVer form."""
    try:
        found = parse_wheel_filename(filename)[1] if filename.endswith(".whl") else parse_sdist_filename(filename)[1]
    except (InvalidSdistFilename, InvalidWheelFilename):
        return None
    return Version.from_pep440(str(found))


def reason_of(yanked: bool | str | None) -> str | None:
    """Return why a file is yanked, empty if no reason was given; None if it is not yanked."""
    if yanked is False or yanked is None:
        return None
    return yanked if isinstance(yanked, str) else ""
