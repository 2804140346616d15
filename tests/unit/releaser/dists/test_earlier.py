"""What the files that an index has of a version say of the day that they were made."""

from __future__ import annotations

import datetime as dt
import io
import tarfile
import zipfile
from pathlib import Path

from releaser.dists.earlier import differences, times_of
from releaser.versions.version import Version

VERSION = Version.parse("0.2.0")
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-02-03\n\n- A change.\n"


def at(year: int, month: int, day: int) -> int:
    return int(dt.datetime(year, month, day, tzinfo=dt.timezone.utc).timestamp())


def sdist(folder: Path, time: int, **files: str) -> Path:
    path = folder / "demo-0.2.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"demo-0.2.0/{name}")
            member.size, member.mtime = len(text.encode()), time
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def wheel(folder: Path, *date: int) -> Path:
    path = folder / "demo-0.2.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("demo.py", (*date, 0, 0, 0)), "")  # type: ignore[arg-type]
    return path


def times(*files: Path, uploaded: str = "") -> list[int]:
    return times_of(files, [uploaded], "CHANGES.md", VERSION)


def test_an_archive_s_time_the_changelog_s_day_and_the_upload_are_told(tmp_path: Path) -> None:
    made = sdist(tmp_path, at(2026, 2, 1), **{"CHANGES.md": CHANGELOG})
    assert times(made, uploaded="2026-02-04T00:00:00.500000Z") == [at(2026, 2, 1), at(2026, 2, 3), at(2026, 2, 4)]
    assert times(wheel(tmp_path, 2026, 2, 1), made) == [at(2026, 2, 1), at(2026, 2, 3)]


def test_what_tells_nothing_or_is_no_archive_is_passed_over(tmp_path: Path) -> None:
    assert times(sdist(tmp_path, 7, PKG="")) == [7]
    for text in ("none of the form", CHANGELOG.replace("2026-02-03", "soon")):
        assert times(sdist(tmp_path, 7, **{"CHANGES.md": text})) == [7]
    (tmp_path / "broken.tar.gz").write_bytes(b"\x1f\x8bno archive")
    (tmp_path / "broken.whl").write_bytes(b"PK no archive")
    assert times(tmp_path / "broken.tar.gz", tmp_path / "broken.whl", uploaded="yesterday") == []


def test_a_time_that_no_calendar_has_is_passed_over(tmp_path: Path) -> None:
    assert times(sdist(tmp_path, 1 << 40, **{"CHANGES.md": CHANGELOG})) == [at(2026, 2, 3)]


def test_a_file_that_differs_or_is_not_built_is_named(tmp_path: Path) -> None:
    for name, year in (("held", 2026), ("built", 2027)):
        (tmp_path / name).mkdir()
        wheel(tmp_path / name, year, 1, 1)
    held = {"demo-0.2.0-py3-none-any.whl": "a" * 64, "other.tar.gz": "b" * 64}
    found = differences(held, tmp_path / "held", tmp_path / "built")
    assert len(found) == 2
    assert "its members are the same; their order, times" in found[0]
    assert found[1] == "other.tar.gz, which is not built here"
