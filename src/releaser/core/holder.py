"""Who releases: named to the run that finds somebody else at it."""

from __future__ import annotations

import getpass
import os
import platform
import sys
from dataclasses import dataclass
from datetime import datetime, timezone


def now() -> str:
    """Return the moment in ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


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
