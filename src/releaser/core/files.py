"""Files: their sha256, SHA256SUMS, and writing one as a whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SUMS = "SHA256SUMS"


def sha256(path: Path) -> str:
    """Return a file's sha256, in hexadecimal."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_sums(directory: Path) -> dict[str, str] | None:
    """Return the sha256 of each file that a directory's SHA256SUMS lists, by name; None if it has no such file.

    The lines are those that `sha256sum` writes and checks; ` *` before a name marks what it read as binary. What is not
    UTF-8 is no name of a file here, and is returned as Python writes it.
    """
    try:
        text = (directory / SUMS).read_bytes().decode("utf-8", "backslashreplace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    pairs = (line.partition(" ") for line in text.splitlines() if line.strip())
    return {name[1:]: digest for digest, _, name in pairs}


def write_sums(directory: Path, digests: Mapping[str, str]) -> None:
    """Write a directory's SHA256SUMS, in the order of the names, as `sha256sum --check` reads it.

    Args:
        directory: Where the files are.
        digests: Each file's sha256 by its name.
    """
    write_atomically(directory / SUMS, "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)))


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a whole file with the durability of `replacing`. Text is written as UTF-8 with its own line ends.

    Raises:
        OSError: It cannot be written. The old file is intact.
    """
    with replacing(path) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have what the system refuses in the block name a file: of a full disk, it does not say itself what was written.

    Raises:
        OSError: What the block raised.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def inside(root: Path, path: str) -> str | None:
    """Return the path under `root` of the file that `path` leads to, through symbolic links; None if it leads out."""
    try:
        target, top = (root / path).resolve(), root.resolve()
    except (OSError, RuntimeError):  # a circle of links
        return None
    return target.relative_to(top).as_posix() if target.is_relative_to(top) else None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a draft to write, and put it in the place of `path` at the end of the block.

    Whatever is killed, and if the power fails, the file is absent, old or complete. If the block or the disk fails, the
    old file stays and the draft is removed. An old file's mode is kept; through a symbolic link, the file that it leads
    to is replaced.
    """
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    # One fixed name, so that the next run replaces what a killed one left.
    draft = target.with_name(f".{target.name}.part")
    try:
        with naming(target):
            yield draft
            with draft.open("r+b") as file:
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, draft)
            draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_directory(target.parent)


def sync_directory(path: Path) -> None:
    """Put a directory's names on disk: without this, a file that was synced may be lost when the power fails."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
