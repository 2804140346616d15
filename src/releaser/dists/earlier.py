"""The files that an earlier attempt left on an index: when they were made, and how they differ from a build.

A file's name on an index can be used once. So a release that begins again has to make those very bytes, for which it
needs the day that is in them. What the files say of it is only tried: equal bytes decide, so nothing is trusted.
"""

from __future__ import annotations

import datetime as dt
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from releaser.changelog.document import Changelog
from releaser.core.files import sha256
from releaser.dists.manifest import differing_members
from releaser.errors import ChangelogError
from releaser.versions.version import Version

_LONGEST_CHANGELOG = 4 << 20
_LAST = 253_402_300_799  # the end of the year 9999: no calendar here goes further, and an archive's times may


def times_of(files: Iterable[Path], uploaded: Iterable[str], changelog: str, version: Version) -> list[int]:
    """Return the times, in seconds since 1970, at which files may have been made; the likeliest first.

    Args:
        files: A wheel and an sdist, or one of them.
        uploaded: When the index got them, in ISO 8601; empty where it does not say.
        changelog: The changelog's path in the project.
        version: Whose files they are.
    """
    found: list[int] = []
    for file in files:
        try:
            found += _told_by(file, changelog, version)
        except Exception:  # noqa: BLE001, S112  another's file may be anything, and its day is only a guess
            continue
    for moment in filter(None, uploaded):
        try:
            found.append(int(dt.datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()))
        except ValueError:
            continue
    return list(dict.fromkeys(one for one in found if 0 <= one <= _LAST))


def differences(held: Mapping[str, str], downloads: Path, built: Path) -> list[str]:
    """Return in words how files that are there already differ from newly built ones; nothing if none does.

    Args:
        held: The sha256 of each file that is there, by name: what the index lists, or what was built first.
        downloads: The directory with these files.
        built: The directory with the newly built ones.
    """
    wrong = []
    for name, digest in sorted(held.items()):
        here = built / name
        if not here.is_file():
            wrong.append(f"{name}, which is not built here")
        elif (found := sha256(here)) != digest:
            why = differing_members(downloads / name, here)
            wrong.append(f"{name} with sha256 {digest[:12]}, built here: {found[:12]} ({why})")
    return wrong


def _told_by(file: Path, changelog: str, version: Version) -> Iterator[int]:
    """Yield what one file tells: its first member's time, which a build sets for all alike, and the changelog's day."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            year, month, day, hour, minute, second = wheel.infolist()[0].date_time
        yield int(dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.timezone.utc).timestamp())
        return
    with tarfile.open(file) as sdist:
        first = sdist.next()
        if first is None:
            return
        yield int(first.mtime)
        top = first.name.partition("/")[0]
        member = sdist.getmember(f"{top}/{changelog}")
        content = sdist.extractfile(member) if member.isfile() and member.size < _LONGEST_CHANGELOG else None
        dated = _day_in(content.read().decode(), version) if content else None
        if dated is not None:
            yield dated


def _day_in(text: str, version: Version) -> int | None:
    try:
        section = Changelog.parse(text).section(version)
    except ChangelogError:
        return None
    date = dt.date.fromisoformat(section.date) if section and section.date else None
    return int(dt.datetime.combine(date, dt.time(), dt.timezone.utc).timestamp()) if date else None
