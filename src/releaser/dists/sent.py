"""What may have been sent to an index or a registry, written down before it is sent.

::

    STATE/.../VERSION/sent/
        pypi.json  testpypi.json    files by name: hashes, when, by what, and how the last attempt ended
        tags.json                   image tags by name: where the registry had each, and where it was moved to

An upload whose answer is lost may have arrived, and an index shows what it took late. Only this record can tell a file
that was never sent from one that does not show yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from releaser.core.files import write_atomically
from releaser.errors import ConflictError

_Shape = TypeVar("_Shape")


class Ending(str, Enum):
    """How sending a file ended."""

    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class SentFile(BaseModel):
    """A file that may have been sent.

    Attributes:
        sha256: In hex.
        blake2b_256: In hex; an index's own address of a file is made of it.
        at: When it was last sent.
        by: `upload`, or the workflow that uploads.
        ended: How that ended.
        doubtful: Whether an earlier attempt may have arrived, which no later refusal disproves.
    """

    model_config = ConfigDict(frozen=True)

    sha256: str
    blake2b_256: str
    at: datetime
    by: str
    ended: Ending = Ending.UNKNOWN
    doubtful: bool = False


class MovedTag(BaseModel):
    """A tag of an image: the digests that it was moved from (None: there was no such tag) and to."""

    model_config = ConfigDict(frozen=True)

    before: str | None
    after: str


_FILES = TypeAdapter(dict[str, SentFile])
_TAGS = TypeAdapter(dict[str, MovedTag])


@dataclass(frozen=True)
class Sent:
    """The record of one version, in `folder`."""

    folder: Path

    def files(self, index: str) -> dict[str, SentFile]:
        """Return what may have been sent to an index, by file name.

        Raises:
            ConflictError: The record cannot be read.
        """
        return self._read(f"{index}.json", _FILES)

    def will_upload(self, index: str, paths: Iterable[Path], by: str) -> None:
        """Write down that these files are about to be sent."""
        known = self.files(index)
        for path in paths:
            earlier = known.get(path.name)
            content = path.read_bytes()
            known[path.name] = SentFile(
                sha256=hashlib.sha256(content).hexdigest(),
                blake2b_256=hashlib.blake2b(content, digest_size=32).hexdigest(),
                at=datetime.now(timezone.utc),
                by=by,
                doubtful=earlier is not None and (earlier.doubtful or earlier.ended is not Ending.REFUSED),
            )
        self._write(f"{index}.json", _FILES, known)

    def ended(self, index: str, names: Iterable[str], how: Ending) -> None:
        """Write down how sending these files ended."""
        known = self.files(index)
        for name in names:
            if how is Ending.REFUSED and known[name].doubtful:
                continue
            known[name] = known[name].model_copy(update={"ended": how})
        self._write(f"{index}.json", _FILES, known)

    def tags(self) -> dict[str, MovedTag]:
        """Return where image tags were moved, by name.

        Raises:
            ConflictError: The record cannot be read.
        """
        return self._read("tags.json", _TAGS)

    def will_move(self, tag: str, before: str | None, after: str) -> None:
        """Write down that a tag is about to be moved; a push that continues keeps where it was at first."""
        known = self.tags()
        first = known.get(tag)
        known[tag] = MovedTag(before=first.before if first and before in (None, first.after) else before, after=after)
        self._write("tags.json", _TAGS, known)

    def _read(self, name: str, shape: TypeAdapter[dict[str, _Shape]]) -> dict[str, _Shape]:
        path = self.folder / name
        if not path.exists():
            return {}
        try:
            return shape.validate_json(path.read_bytes())
        except ValidationError:
            raise ConflictError(
                f"{path}, which says what may have been sent, was changed or is damaged",
                "Restore the file. Without it, what the services may have received is unknown.",
            ) from None

    def _write(self, name: str, shape: TypeAdapter[dict[str, _Shape]], content: dict[str, _Shape]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / name, shape.dump_json(content, indent=1))
