"""How long the last rehearsals of a project took on this machine, so that the next one can say what to expect."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from releaser.core.files import write_atomically

_KEPT = 5


@dataclass(frozen=True)
class Durations:
    """A small file with the last durations of each kind of rehearsal, in seconds, oldest first.

    It only informs: a file that is missing, damaged or not readable counts as empty.
    """

    path: Path

    def last(self, kind: str) -> float | None:
        """Return how long the last rehearsal of this kind took; None if none was completed."""
        found = self._read().get(kind)
        return found[-1] if found else None

    def add(self, kind: str, seconds: float) -> None:
        """Keep the duration of a completed rehearsal; the oldest give way.

        Raises:
            OSError: The file cannot be written.
        """
        known = self._read()
        known[kind] = [*known.get(kind, []), round(seconds, 1)][-_KEPT:]
        write_atomically(self.path, json.dumps(known, sort_keys=True) + "\n")

    def _read(self) -> dict[str, list[float]]:
        try:
            content = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        kinds = content.items() if isinstance(content, dict) else ()
        lists = {
            kind: [float(one) for one in kept if _is_seconds(one)] for kind, kept in kinds if isinstance(kept, list)
        }
        return {kind: kept[-_KEPT:] for kind, kept in lists.items() if kept}


def in_words(seconds: float) -> str:
    """Return a duration as people say it: 48 s, 3 min 40 s, 1 h 5 min."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
