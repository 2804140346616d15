from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releaser.config.project import VersionFileConfig
from releaser.errors import VersionError
from releaser.versions.files import (
    FoundVersion,
    PatternVersion,
    Scheme,
    TomlVersion,
    disagreements,
    from_config,
    read_dunder_version,
)
from releaser.versions.version import Version

RC = Version.parse("0.2.0-rc.1")

PYPROJECT = """\
# version = "0.1.0"
[build-system]
requires = ["hatchling>=0.1.0", '0.1.0']

[project]   # the project
name = "demo"
version   =  "0.1.0"   # also in src/demo/__init__.py: "0.1.0"
dependencies = [
  "other==0.1.0",
]
description = \"\"\"
version = "0.1.0"
\"\"\"

[tool.other]
version = "0.1.0"
"0.1.0" = {version = '0.1.0'}
"""

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


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "\r\n", 5) + "\n\n# end \u00e9\u2028  ",
    ],
    ids=["lf", "crlf", "bom", "no final newline", "mixed"],
)
def test_a_toml_file_changes_in_its_version_and_not_one_byte_more(tmp_path: Path, change: Callable[[str], str]) -> None:
    before = change(PYPROJECT)
    written(tmp_path, "pyproject.toml", before)
    file = TomlVersion("pyproject.toml")

    found = file.read(tmp_path)

    assert found == FoundVersion("pyproject.toml", 7, "0.1.0", Version(0, 1, 0))
    expected = before.replace('version   =  "0.1.0"', 'version   =  "0.2.0-rc.1"')
    assert file.bumped(tmp_path, RC) == expected.encode()


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("version='0.1.0'\n", "version", "version='0.2.0-rc.1'\n"),
        ('version = """0.1.0"""\n', "version", 'version = """0.2.0-rc.1"""\n'),
        ("project.version = '0.1.0'\n", "project.version", "project.version = '0.2.0-rc.1'\n"),
        ('p = {n = "0.1.0", v = "0.1.0"}', "p.v", 'p = {n = "0.1.0", v = "0.2.0-rc.1"}'),
        ('[a]\nv="1.0"\n[b]\n[a.c]\nv="1.0"\n', "a.c.v", '[a]\nv="1.0"\n[b]\n[a.c]\nv="0.2.0-rc.1"\n'),
        ('[[x]]\nversion = "0.1.0"\n[project]\nversion = "0.1.0"', "project.version",
         '[[x]]\nversion = "0.1.0"\n[project]\nversion = "0.2.0-rc.1"'),
        ('v = "1.0#0"\nw = "1.0#0"', "w", 'v = "1.0#0"\nw = "0.2.0-rc.1"'),
    ],
)  # fmt: skip
def test_quotes_and_layout_of_a_toml_file_stay(tmp_path: Path, text: str, key: str, expected: str) -> None:
    written(tmp_path, "demo.toml", text)

    assert TomlVersion("demo.toml", key).bumped(tmp_path, RC).decode() == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[project]\nname = 'demo'\n", "project.version does not exist"),
        ("[project]\ndynamic = ['version']\n", "as dynamic"),
        ("project = 1\n", "project.version does not exist"),
        ("[project]\nversion = 1.0\n", "is 1.0, not a version in quotes"),
        ("[project]\nversion = ''\n", "not a version in quotes"),
        ('[project]\nversion = "0\\u002e1.0"\n', "with escapes"),
        ('[project]\nversion = """\n0.1.0"""\n', "on several lines"),
        ("[project\n", "not valid TOML"),
    ],
)
def test_a_toml_file_without_a_plain_version_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    written(tmp_path, "pyproject.toml", text)

    with pytest.raises(VersionError) as caught:
        TomlVersion("pyproject.toml").read(tmp_path)

    assert reason in caught.value.message
    assert "pyproject.toml" in caught.value.message
    assert caught.value.remedy


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
    with pytest.raises(VersionError, match="nowhere") as never:
        PatternVersion("never.py").bumped(tmp_path, RC)

    assert "longer" in twice.value.remedy
    assert "never.py" in never.value.message


@pytest.mark.parametrize("pattern", ["", "__version__", "{version} {version}"])
def test_a_pattern_without_exactly_one_placeholder_is_refused(pattern: str) -> None:
    with pytest.raises(VersionError, match="exactly once"):
        PatternVersion("file", pattern)


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

    with pytest.raises(VersionError, match="out of the project"):
        PatternVersion(path, "{version}").write(root, RC)
    assert outside.read_text() == "0.1.0"


def test_a_file_that_is_missing_or_not_utf8_is_refused(tmp_path: Path) -> None:
    written(tmp_path, "latin.py", b'# caf\xe9\n__version__ = "0.1.0"\n')

    with pytest.raises(VersionError, match=r"missing\.py.*cannot be read"):
        PatternVersion("missing.py").read(tmp_path)
    with pytest.raises(VersionError, match=r"latin\.py is not UTF-8"):
        PatternVersion("latin.py").read(tmp_path)


def test_the_configuration_chooses_the_kind_of_file() -> None:
    by_key = VersionFileConfig(path="pyproject.toml", key="project.version")
    by_pattern = VersionFileConfig(path="v.py", pattern="V = '{version}'", scheme="pep440")

    assert from_config(by_key) == TomlVersion("pyproject.toml", "project.version", scheme="semver")
    assert from_config(by_pattern) == PatternVersion("v.py", "V = '{version}'", scheme="pep440")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (MODULE, "0.1.0"),
        ("\ufeff__version__: str = '0.2.0'\n", "0.2.0"),
        ("VERSION = __version__ = '0.3.0'\nraise SystemExit('never run')\n", "0.3.0"),
    ],
)
def test_the_version_is_read_from_a_module_without_running_it(tmp_path: Path, source: str, expected: str) -> None:
    assert read_dunder_version(written(tmp_path, "m.py", source)) == expected


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x = 1\n", "assigns nothing"),
        ("def f():\n    __version__ = '0.1.0'\n", "assigns nothing"),
        ("__version__: str\n", "assigns nothing"),
        ("__version__ = version('demo')\n", r"other than one string \(line 1\)"),
        ("__version__ = 1\n", r"other than one string \(line 1\)"),
        ("__version__ = '0.1.0'\n__version__ = '0.2.0'\n", r"\(line 1, 2\)"),
        ("__version__ =\n", "not valid Python"),
        ("__version__ = '\0'\n", "not valid Python"),
    ],
)
def test_a_module_without_one_plain_version_is_refused(tmp_path: Path, source: str, reason: str) -> None:
    with pytest.raises(VersionError, match=reason):
        read_dunder_version(written(tmp_path, "m.py", source))
    with pytest.raises(VersionError, match="cannot be read"):
        read_dunder_version(tmp_path / "none.py")


def found(path: str, text: str, line: int = 1) -> FoundVersion:
    version = Version.from_pep440(text)
    assert version is not None
    return FoundVersion(path, line, text, version)


def test_files_that_mean_the_same_version_agree_however_they_write_it() -> None:
    assert disagreements([]) is None
    assert disagreements([found("a", "0.2.0")]) is None
    assert disagreements([found("a", "0.2.0-rc.1"), found("b", "0.2.0rc1")]) is None


def test_of_two_files_that_disagree_both_are_named() -> None:
    sentence = disagreements([found("pyproject.toml", "0.2.0", 7), found("src/demo/__init__.py", "0.1.1", 3)])

    assert sentence == "src/demo/__init__.py (line 3) says 0.1.1, but pyproject.toml (line 7) says 0.2.0"


def test_of_more_files_the_odd_ones_are_named_first() -> None:
    sentence = disagreements([found("a", "0.1.0"), found("b", "0.2.0", 4), found("c", "0.2.0"), found("d", "0.1.1", 2)])

    assert sentence == "a (line 1) says 0.1.0 and d (line 2) says 0.1.1, but b (line 4), c (line 1) say 0.2.0"


toml_values = [
    "# version = '1.0'",
    'n{} = "1.0"',
    "n{} = '1.0'",
    "n{} = ['1.0'] # '1.0'",
    'n{} = """\n\'1.0\'\n"""',
    "",
]
toml_lines = st.lists(st.sampled_from(toml_values), max_size=6)


@given(above=toml_lines, below=toml_lines, quote=st.sampled_from("\"'"), newline=st.sampled_from(["\n", "\r\n"]))
def test_in_any_toml_file_only_the_versions_characters_change(
    tmp_path_factory: pytest.TempPathFactory, above: list[str], below: list[str], quote: str, newline: str
) -> None:
    root = tmp_path_factory.mktemp("toml")
    head = (
        "[project]\n" + "".join(f"{line.format(number)}\n" for number, line in enumerate(above)) + "version = " + quote
    )
    tail = quote + "".join(f"\n{line.format(number + 100)}" for number, line in enumerate(below))
    before, after = (f"{head}{version}{tail}".replace("\n", newline).encode() for version in ("1.0", "0.2.0-rc.1"))
    written(root, "pyproject.toml", before)

    assert TomlVersion("pyproject.toml").bumped(root, RC) == after


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
