"""Who releases, and where: named to the run that finds somebody else at it."""

from __future__ import annotations

import getpass
import os
import platform
import secrets
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from releaser.core.files import write_atomically

MACHINE = "RELEASER_MACHINE"
"""The variable that names this machine in public."""

_LONGEST = 60


def now() -> str:
    """Return the moment in ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def machine(state: Path, *, make: bool) -> str:
    """Return what this machine is called in public: what `RELEASER_MACHINE` says, else a random word that it keeps.

    Never the host's own name, which a company or a person may want to keep private.

    Args:
        state: The directory that keeps the word.
        make: Whether to choose a word if there is none yet.

    Returns:
        The name; empty if there is none and none was to be made.
    """
    if given := "".join(char if char.isprintable() else " " for char in os.environ.get(MACHINE, "")).strip():
        return given[:_LONGEST]
    path = state / "machine"
    try:
        if kept := path.read_text("ascii").strip():
            return kept
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        pass
    if not make:
        return ""
    chosen = f"machine {secrets.token_hex(4)}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, f"{chosen}\n")
    return chosen


@dataclass(frozen=True)
class Holder:
    """A run of the engine: who, where and since when."""

    user: str
    host: str
    process: int
    since: str
    command: str

    @classmethod
    def this_run(cls) -> Holder:
        """Return the one that this process is."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # a container's user need not have a name
            user = f"user {os.getuid()}"
        return cls(user, platform.node() or "an unnamed machine", os.getpid(), now(), " ".join(sys.argv[1:4]))

    def __str__(self) -> str:
        return f"{self.user} on {self.host}, process {self.process}, since {self.since}"
