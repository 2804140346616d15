from __future__ import annotations

from releaser.config.project import VersionFileConfig
from releaser.versions.files import disagreements, from_config
from releaser.versions.pattern_file import PatternVersion
from releaser.versions.toml_file import TomlVersion
from releaser.versions.version import Version
from releaser.versions.version_file import FoundVersion


def test_the_configuration_chooses_the_kind_of_file() -> None:
    by_key = VersionFileConfig(path="pyproject.toml", key="project.version")
    by_pattern = VersionFileConfig(path="v.py", pattern="V = '{version}'", scheme="pep440")

    assert from_config(by_key) == TomlVersion("pyproject.toml", "project.version", scheme="semver")
    assert from_config(by_pattern) == PatternVersion("v.py", "V = '{version}'", scheme="pep440")


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
