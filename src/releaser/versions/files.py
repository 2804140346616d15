"""The files that declare a project's version: which kind each one is, and whether all of them agree.

The classic accident of a release is two files that disagree; `disagreements` names the one that differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from releaser.versions.pattern_file import PatternVersion
from releaser.versions.toml_file import TomlVersion
from releaser.versions.version_file import FoundVersion, VersionFile

if TYPE_CHECKING:
    from releaser.config.project import VersionFileConfig


def from_config(configured: VersionFileConfig) -> VersionFile:
    """Return the version file that an entry of the configuration describes. A new kind of file is chosen here.

    Raises:
        VersionError: Its pattern does not contain ``{version}`` exactly once.
    """
    if configured.pattern is not None:
        return PatternVersion(configured.path, configured.pattern, scheme=configured.scheme)
    return TomlVersion(configured.path, configured.key or "project.version", scheme=configured.scheme)


def disagreements(found: Sequence[FoundVersion]) -> str | None:
    """Return a sentence that names the files whose version differs from that of most; None if all agree.

    Of versions that equally many files have, the first counts as that of most.
    """
    counts = Counter(one.version for one in found)
    if len(counts) < 2:
        return None
    usual = max(counts, key=lambda version: counts[version])  # of equals the first
    odd = " and ".join(f"{one.path} (line {one.line}) says {one.text}" for one in found if one.version != usual)
    others = ", ".join(f"{one.path} (line {one.line})" for one in found if one.version == usual)
    return f"{odd}, but {others} {'says' if counts[usual] == 1 else 'say'} {usual}"
