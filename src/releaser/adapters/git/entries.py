"""What a commit consists of: each file's mode and blob, and whether files on disk are these."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from releaser.adapters.git.repository import Git

_FILE, EXECUTABLE, LINK, SUBMODULE = "100644", "100755", "120000", "160000"
_SHA1_LENGTH = 40
_LONGEST_CHAIN = 40


@dataclass(frozen=True)
class Entry:
    """One path of a commit.

    Attributes:
        mode: As git writes it, in octal.
        id: The blob's id, or the commit's for a submodule.
        lfs: The sha256 of the content that a Git LFS pointer stands for.
        content: The content of what has to be read: links, and the project's pyproject.toml.
    """

    mode: str
    id: str
    lfs: str | None = None
    content: bytes | None = None

    @property
    def target(self) -> str | None:
        """Where it leads, if it is a symbolic link."""
        return os.fsdecode(self.content) if self.mode == LINK and self.content is not None else None

    def holds(self, content: bytes) -> bool:
        """Return whether this is its content."""
        if self.lfs:
            return hashlib.sha256(content).hexdigest() == self.lfs
        return blob_id(content, len(self.id)) == self.id


def blob_id(content: bytes, length: int = _SHA1_LENGTH) -> str:
    """Return the id that git gives to a blob with this content, unfiltered; its length says which hash it is."""
    data = b"blob %d\0" % len(content) + content
    return (hashlib.sha1(data, usedforsecurity=False) if length == _SHA1_LENGTH else hashlib.sha256(data)).hexdigest()


def entries(git: Git, commit: str) -> dict[str, Entry]:
    """Return the files, links and submodules of a commit by path, as `git ls-tree -r` lists them."""
    found: dict[str, Entry] = {}
    for line in git.ask("ls-tree", "-r", "-z", "--full-tree", commit).stdout.split(b"\0"):
        about, _, path = line.partition(b"\t")
        if path:
            mode, _, name = about.decode().split(" ")
            found[os.fsdecode(path)] = Entry(_usual(mode), name)
    read = [path for path, entry in found.items() if entry.mode == LINK or path == "pyproject.toml"]
    for name, content in zip(read, git.blobs(found[path].id for path in read), strict=True):
        found[name] = replace(found[name], content=content)
    return found


def on_disk(path: Path) -> tuple[str, bytes] | None:
    """Return the mode that git would give to a path on disk, and its content; None if there is no file or link."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return None
    if stat.S_ISLNK(mode):
        return LINK, os.fsencode(path.readlink())
    if not stat.S_ISREG(mode):
        return None
    return EXECUTABLE if mode & stat.S_IXUSR else _FILE, path.read_bytes()


def _usual(mode: str) -> str:
    """Return a file's mode as git writes it now; histories have others, such as 100664."""
    if not mode.startswith("100"):
        return mode
    return EXECUTABLE if int(mode, 8) & stat.S_IXUSR else _FILE


def present(git: Git) -> dict[str, Entry]:
    """Return the files of a working tree as they are on disk: tracked and new ones, not those that git ignores."""
    found: dict[str, Entry] = {}
    length = len(git.head())
    words = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for raw in {*git.ask(*words).stdout.split(b"\0")} - {b""}:
        path = os.fsdecode(raw).rstrip("/")
        here = on_disk(git.root / path)
        if here:
            mode, content = here
            found[path] = Entry(mode, blob_id(content, length), content=content)
        elif (git.root / path / ".git").exists():
            inner = present(Git(git.root / path))
            found |= {f"{path}/{name}": entry for name, entry in inner.items()}
    return found


def unlike(git: Git, commit: str, here: Mapping[str, Entry]) -> list[str]:
    """Return which files and submodules of a commit are otherwise in a working tree, in the order of their paths.

    Git's line ends and filters make files differ that `git status` says are unchanged.
    """
    found = []
    for path, entry in sorted(entries(git, commit).items()):
        if entry.mode == SUBMODULE:
            inside = (git.root / path / ".git").exists()
            if not inside or Git(git.root / path).commit("HEAD") != entry.id:
                found.append(path)
        elif path in here and here[path].id != entry.id:
            found.append(path)
    return found


def differences(tree: Path, wanted: Mapping[str, Entry]) -> list[str]:
    """Return how a tree differs from the files that it should hold, in words; empty if it is exactly these."""
    found = []
    for path, entry in wanted.items():
        here = on_disk(tree / path)
        if here is None:
            found.append(f"{path} is missing")
        elif here[0] != entry.mode:
            found.append(f"{path} has mode {here[0]}, not {entry.mode}")
        elif not entry.holds(here[1]):
            found.append(f"{path} has other content")
    return found + [f"{path} is not in the commit" for path in walked(tree) if path not in wanted]


def walked(tree: Path) -> Iterator[str]:
    """Yield the path of each file and link of a tree, without git's own."""
    for directory, folders, files in os.walk(tree):
        at = Path(directory)
        links = [name for name in folders if (at / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name != ".git" and name not in links)
        for name in sorted([*files, *links]):
            if name != ".git":
                yield (at / name).relative_to(tree).as_posix()


def resolved(files: Mapping[str, Entry], path: str) -> Entry | None:
    """Return the file that a path of a commit leads to, through symbolic links inside the commit; None if to none."""
    for _ in range(_LONGEST_CHAIN):
        steps = PurePosixPath(path).parts
        heads = ("/".join(steps[: length + 1]) for length in range(len(steps)))
        link = next((head for head in heads if head in files and files[head].mode == LINK), None)
        if link is None:
            return files.get(path)
        target = PurePosixPath(link).parent / str(files[link].target) / path[len(link) + 1 :]
        path = os.path.normpath(target)
    return None
