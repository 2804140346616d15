"""Files: their hash, lists of hashes, and writing one as a whole."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path


def sha256(path: Path) -> str:
    """The file's sha256, in hexadecimal."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_sums(text: str) -> dict[str, str]:
    """sha256 by file name, from the lines that `sha256sum` writes and checks; ` *` marks what it read as binary."""
    pairs = (line.partition(" ") for line in text.splitlines() if line.strip())
    return {name[1:]: digest for digest, _, name in pairs}


def write_atomically(path: Path, text: str) -> None:
    """Writes a whole file or none of it, with the mode that it had; on disk before the call returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
