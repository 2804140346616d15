"""Artifacts: files that jobs of one run hand to each other."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path


class ArtifactError(Exception):
    """An artifact that cannot be taken or given, in the action's own words."""


class Artifacts:
    """The artifacts of every run.

    Args:
        root: Where they are kept.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, run: int, attempt: int, name: str, files: Sequence[tuple[Path, Path]], *, overwrite: bool) -> None:
        """Keep files; one of an earlier attempt of the run is replaced.

        Args:
            run: The run.
            attempt: Which attempt of it.
            name: The artifact.
            files: Each file, and its path in the artifact.
            overwrite: Whether to replace one of this attempt.

        Raises:
            ArtifactError: There is one of this name.
        """
        place = self._root / str(run) / name
        made = place.with_name(f".{name}.attempt")
        if place.exists():
            if made.read_text("utf-8") == str(attempt) and not overwrite:
                raise ArtifactError("(409) Conflict: an artifact with this name already exists on the workflow run")
            shutil.rmtree(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(str(attempt), "utf-8")  # first, so that it is there whenever the artifact is
        place.mkdir()
        for source, path in files:
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place / path)  # a link becomes the file that it leads to, as in a ZIP

    def get(self, run: int, name: str, target: Path) -> int:
        """Put an artifact's files under `target`; return how many there are.

        Raises:
            ArtifactError: The run has none of this name.
        """
        place = self._root / str(run) / name
        if not place.is_dir():
            raise ArtifactError(f"Unable to download artifact(s): Artifact not found for name: {name}")
        target.mkdir(parents=True, exist_ok=True)
        shutil.copytree(place, target, dirs_exist_ok=True)
        return sum(one.is_file() for one in place.rglob("*"))


def found_by(patterns: Sequence[str], folder: Path) -> list[tuple[Path, Path]]:
    """Return the files that an upload's `path` names, each with its path in the artifact; hidden ones are left out.

    That path starts below the folder that all patterns share, as the action has it.
    """
    files: dict[Path, None] = {}
    starts: list[str] = []
    for pattern in patterns:
        whole = Path(os.path.normpath(folder / pattern))
        fixed = Path(*takewhile(lambda part: not glob.has_magic(part), whole.parts))
        starts.append(str(fixed if fixed.is_dir() else fixed.parent))
        for one in [whole] if fixed == whole else sorted(fixed.glob(str(whole.relative_to(fixed)))):
            inner = sorted(one.rglob("*")) if one.is_dir() else [one]
            files.update(dict.fromkeys(path for path in inner if path.is_file()))
    if not files:
        return []
    root = Path(os.path.commonpath(starts))
    named = [(path, path.relative_to(root)) for path in files]
    return [(path, inner) for path, inner in named if not any(part.startswith(".") for part in inner.parts)]
