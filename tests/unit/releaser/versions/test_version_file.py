from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from releaser.errors import VersionError
from releaser.versions.pattern_file import PatternVersion
from releaser.versions.toml_file import TomlVersion
from releaser.versions.version import Version
from releaser.versions.version_file import Scheme

RC = Version.parse("0.2.0-rc.1")

MODULE = '''\
"""The demo, since "0.0.1"."""

__version__ = "0.1.0"  # keep
OLDEST = "0.1.0"
'''


def written(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("scheme", "expected"), [("semver", "0.2.0-rc.1"), ("pep440", "0.2.0rc1")])
def test_the_scheme_says_which_form_is_written_and_either_is_read(
    tmp_path: Path, scheme: Scheme, expected: str
) -> None:
    written(tmp_path, "v", "0.2.0b1")
    file = PatternVersion("v", "{version}", scheme=scheme)
    before = file.read(tmp_path)

    file.write(tmp_path, RC)

    assert before.version == Version.parse("0.2.0-beta.1")
    assert (tmp_path / "v").read_text() == expected
    assert file.read(tmp_path).version == RC


def test_a_version_that_cannot_be_released_is_refused_with_its_line_but_can_be_replaced(tmp_path: Path) -> None:
    written(tmp_path, "pyproject.toml", "[project]\nversion = '0.1.0.dev0'\n")
    file = TomlVersion("pyproject.toml")

    with pytest.raises(VersionError, match=r"pyproject\.toml, line 2: '0\.1\.0\.dev0' cannot be released"):
        file.read(tmp_path)
    assert file.bumped(tmp_path, RC) == b"[project]\nversion = '0.2.0-rc.1'\n"


def test_a_pattern_that_would_not_find_the_new_version_again_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "v", "V=0.1.0\n")

    with pytest.raises(VersionError, match="elsewhere"):
        _Fickle("v").bumped(tmp_path, RC)


class _Fickle(PatternVersion):
    """Finds something else as soon as the text has changed."""

    def locate(self, text: str) -> tuple[int, int]:
        return (2, 7) if text.startswith("V=0.1.0") else (0, 1)


def test_the_text_of_another_commit_is_read_without_a_file() -> None:
    assert PatternVersion("__init__.py").found_in(MODULE).version == Version(0, 1, 0)


def test_writing_keeps_mode_and_links_and_leaves_nothing_else_behind(tmp_path: Path) -> None:
    path = written(tmp_path, "real.py", MODULE)
    path.chmod(0o751)
    (tmp_path / "link.py").symlink_to("real.py")

    PatternVersion("link.py").write(tmp_path, RC)

    assert '__version__ = "0.2.0-rc.1"' in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o751
    assert (tmp_path / "link.py").is_symlink()
    assert names_in(tmp_path) == ["link.py", "real.py"]


def test_writing_what_is_there_already_does_not_touch_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "v", "0.2.0-rc.1")
    os.utime(path, ns=(1, 1))
    inode = path.stat().st_ino

    PatternVersion("v", "{version}").write(tmp_path, RC)

    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (1, inode)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_an_error_and_the_file_stays(tmp_path: Path) -> None:
    written(tmp_path, "v", "0.1.0")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(VersionError, match="cannot be written"):
            PatternVersion("v", "{version}").write(tmp_path, RC)
    finally:
        tmp_path.chmod(0o700)
    assert names_in(tmp_path) == ["v"]


def test_a_write_that_fails_half_way_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "v", "0.1.0")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(VersionError, match="No space left"):
        PatternVersion("v", "{version}").write(tmp_path, RC)

    assert names_in(tmp_path) == ["v"]
    assert (tmp_path / "v").read_text() == "0.1.0"


@pytest.mark.parametrize("path", ["../outside", "link"])
def test_a_path_that_leads_out_of_the_project_is_refused(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    outside = written(tmp_path, "outside", "0.1.0")
    (root / "link").symlink_to(outside)

    with pytest.raises(VersionError, match="outside the project"):
        PatternVersion(path, "{version}").write(root, RC)
    assert outside.read_text() == "0.1.0"


def test_a_file_that_is_missing_or_not_utf8_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "latin.py", b'# caf\xe9\n__version__ = "0.1.0"\n')

    with pytest.raises(VersionError, match=r"missing\.py.*cannot be read"):
        PatternVersion("missing.py").read(tmp_path)
    with pytest.raises(VersionError, match=r"latin\.py is not UTF-8"):
        PatternVersion("latin.py").read(tmp_path)
