from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releaser.errors import VersionError
from releaser.versions.pattern_file import PatternVersion
from releaser.versions.version import Version
from releaser.versions.version_file import FoundVersion

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


def test_text_with_a_pattern_changes_in_its_version_and_not_one_byte_more(tmp_path: Path) -> None:
    before = "\ufeff" + MODULE.replace("\n", "\r\n")
    written(tmp_path, "__init__.py", before)
    file = PatternVersion("__init__.py")

    assert file.read(tmp_path) == FoundVersion("__init__.py", 3, "0.1.0", Version(0, 1, 0))
    assert file.bumped(tmp_path, RC) == before.replace('n__ = "0.1.0"', 'n__ = "0.2.0-rc.1"').encode()


@pytest.mark.parametrize(
    ("text", "pattern", "found"),
    [
        ("0.1.0\n", "{version}", "0.1.0"),
        ("Version 0.1.0-rc.1.\n", "Version {version}.", "0.1.0-rc.1"),
        ("ARG V=0.1.0rc1\nARG W=2.0", "ARG V={version}", "0.1.0rc1"),
        ("demo-0.1.0.tar.gz", "demo-{version}.tar.gz", "0.1.0"),
        ("a.*(0.1.0)+?", "a.*({version})+?", "0.1.0"),
    ],
)
def test_a_pattern_is_literal_text(tmp_path: Path, text: str, pattern: str, found: str) -> None:
    written(tmp_path, "file", text)
    file = PatternVersion("file", pattern)

    assert file.read(tmp_path).text == found
    assert file.bumped(tmp_path, RC).decode() == text.replace(found, "0.2.0-rc.1")


def test_a_pattern_that_stands_nowhere_or_twice_is_refused_with_the_lines(tmp_path: Path) -> None:
    written(tmp_path, "twice.py", MODULE + '# __version__ = "9.9.9"\n')
    written(tmp_path, "never.py", '__version__ = "unknown"\n')

    with pytest.raises(VersionError, match="2 times, on lines 3, 5") as twice:
        PatternVersion("twice.py").read(tmp_path)
    with pytest.raises(VersionError, match="does not contain") as never:
        PatternVersion("never.py").bumped(tmp_path, RC)

    assert "longer" in twice.value.remedy
    assert "never.py" in never.value.message


@pytest.mark.parametrize("pattern", ["", "__version__", "{version} {version}"])
def test_a_pattern_without_exactly_one_placeholder_is_refused(pattern: str) -> None:
    with pytest.raises(VersionError, match="exactly once"):
        PatternVersion("file", pattern)


@given(st.text(alphabet='v0.1-rc"=\n ', max_size=60))
def test_any_text_is_either_changed_in_one_place_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    root = tmp_path_factory.mktemp("text")
    written(root, "f", text)
    file = PatternVersion("f", 'v="{version}"')
    try:
        start, end = file.locate(text)
    except VersionError:
        return

    assert file.bumped(root, RC).decode() == f"{text[:start]}{RC}{text[end:]}"
    assert text[start - 3 : start] == 'v="'
    assert text[end] == '"'
