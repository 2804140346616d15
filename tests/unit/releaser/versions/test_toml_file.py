from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releaser.errors import VersionError
from releaser.versions.toml_file import TomlVersion
from releaser.versions.version import Version
from releaser.versions.version_file import FoundVersion

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


def written(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


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
