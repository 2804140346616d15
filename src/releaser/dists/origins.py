"""Where each built file's content comes from: the commit's own files, or what the build backend makes."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from releaser.adapters import builder
from releaser.adapters.git.entries import Entry, blob_id, resolved
from releaser.adapters.git.lfs import is_pointer

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

# Metadata in an sdist; setuptools writes setup.cfg, too, whatever the project has there.
_MADE_IN_SDIST = ("PKG-INFO", "*.egg-info/*", "setup.cfg")
_MADE_IN_WHEEL = ("*.dist-info/*",)
_COMPILED = (".so", ".pyd", ".dylib", ".dll")
_ENCRYPTED = b"\0GITCRYPT\0"
# The first line of a script that is to start the Python it is installed for, as people write it.
_INTERPRETERS = ("/usr/bin/env python3", "/usr/bin/env python", "/usr/bin/python3", "/usr/bin/python", "python3")


@dataclass
class Origins:
    """What a comparison found.

    Attributes:
        wrong: What is neither a file of the commit nor known to be made by the backend, one sentence each.
        made: What the backend made, by name.
        left_out: Files of the package that the wheel leaves out.
        broken: Links of the commit to files that the sdist leaves out.
        same: How many files have the content of a file of the commit.
    """

    wrong: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    same: int = 0

    def described(self) -> str:
        """Return the evidence, for people."""
        # All of a wheel's metadata counts as one.
        made = list(dict.fromkeys(name.partition("/")[0] if ".dist-info/" in name else name for name in self.made))
        text = f"{self.same} files have exactly the content of the source's; made by the build: {', '.join(made)}"
        text += f"; left out of the wheel: {', '.join(self.left_out)}" if self.left_out else ""
        return text + (f"; packed as committed: {', '.join(self.broken)}" if self.broken else "")


class Sources:
    """The files that something was built from, by path and by content."""

    def __init__(self, files: Mapping[str, Entry]) -> None:
        self.files = files
        self._ids = {one.id for one in files.values()} | {one.lfs for one in files.values() if one.lfs}
        self._length = max((len(one.id) for one in files.values()), default=40)
        self._named: dict[str, list[str]] = defaultdict(list)
        for path in files:
            self._named[PurePosixPath(path).name].append(path)

    def hold(self, content: bytes) -> bool:
        """Return whether any file has this content."""
        return blob_id(content, self._length) in self._ids or any(
            one.lfs and one.holds(content) for one in self.files.values()
        )

    def hold_script(self, content: bytes) -> bool:
        """Return whether any file has this content but for its first line, which names an interpreter."""
        _, _, rest = content.partition(b"\n")
        return any(self.hold(f"#!{one}\n".encode() + rest) for one in _INTERPRETERS)

    def ending_in(self, path: str) -> list[str]:
        """Return the files that could be packaged as `path`: in a source directory or at the top."""
        named = self._named[PurePosixPath(path).name]
        return [one for one in named if one == path or one.endswith(f"/{path}")]

    def within(self, package: str) -> list[str]:
        """Return the files of a package, as the wheel names them; none if its directory is not src/ or the top."""
        folder = package.replace(".", "/")
        for top in ("src/", ""):
            inside = [path.removeprefix(top) for path in self.files if path.startswith(f"{top}{folder}/")]
            if inside:
                return inside
        return []


def compare(files: Sequence[Path], sources: Sources, generated: Sequence[str]) -> Origins:
    """Compare built files with what they were built from, file by file.

    Args:
        files: An sdist and a wheel.
        sources: What they were built from.
        generated: Glob patterns over paths in either, for what the project's build makes.
    """
    found = Origins()
    for path in files:
        for name, content in builder.members(path):
            wheel = path.suffix == ".whl"
            problem = _in_wheel(name, content, sources) if wheel else _in_sdist(name, content, sources)
            usual = () if _is_licence(name) else _MADE_IN_WHEEL if wheel else _MADE_IN_SDIST
            compiled = name.endswith(_COMPILED) and not sources.ending_in(name)
            if problem is None:
                found.same += 1
            elif compiled or any(fnmatch(name, one) for one in (*usual, *generated)):
                found.made.append(name)
            else:
                found.wrong.append(f"{path.name}: {problem}")
        if path.suffix != ".whl":
            for name, target in builder.dangling_links(path).items():
                same = name in sources.files and sources.files[name].target == target
                note = f"{name} (a symbolic link to {target}, which is not in the sdist)"
                (found.broken if same else found.wrong).append(note if same else f"{path.name}: {note}")
    return found


def _stand_in(name: str, content: bytes) -> str | None:
    """Return why users would not get a file but what is committed in its place."""
    if content.startswith(_ENCRYPTED):
        return f"{name} is encrypted in the commit (git-crypt)"
    return f"{name} is a Git LFS pointer, not the content that it stands for" if is_pointer(content) else None


def _in_sdist(name: str, content: bytes, sources: Sources) -> str | None:
    entry = resolved(sources.files, name)
    if entry is None:
        return f"{name} is not a file of the source"
    if entry.holds(content) or (name == "pyproject.toml" and _same_toml(entry.content, content)):
        return None
    return f"{name} differs from the source's"


def _same_toml(committed: bytes | None, packed: bytes) -> bool:
    """Return whether two files say the same: pdm-backend, for example, writes its own form of pyproject.toml."""
    try:
        return committed is not None and tomllib.loads(committed.decode()) == tomllib.loads(packed.decode())
    except ValueError:
        return False


def _in_wheel(name: str, content: bytes, sources: Sources) -> str | None:
    if problem := _stand_in(name, content):
        return problem
    if sources.hold(content):
        return None
    top, _, rest = name.partition("/")
    if top.endswith((".data", ".dist-info")):
        kind, _, rest = rest.partition("/")
        if kind == "scripts" and content.startswith(b"#!python\n") and sources.hold_script(content):
            return None
    same = sources.ending_in(rest if top.endswith((".data", ".dist-info")) else name)
    return f"{name} differs from {' and '.join(same)}" if same else f"{name} is not a file of the source"


def _is_licence(name: str) -> bool:
    return ".dist-info/licenses/" in name
