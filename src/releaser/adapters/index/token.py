"""What an index's upload token says of itself: PyPI's tokens are macaroons, whose restrictions can be read.

https://github.com/rescrv/libmacaroons/blob/master/doc/format.txt (the binary format, version 2), and the numbers of
PyPI's restrictions in warehouse/macaroons/caveats: 0 expiration, 1 projects by name, 2 by id, 3 user, 4 publisher.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

_PREFIX = "pypi-"
_END, _LOCATION, _IDENTIFIER = 0, 1, 2


@dataclass(frozen=True)
class TokenSays:
    """What a token says.

    Attributes:
        location: The host of the index that made it.
        projects: The names of the projects that it may upload to; None if it does not name any.
        expires: When it ends; None if it does not say so.
    """

    location: str
    projects: tuple[str, ...] | None = None
    expires: datetime | None = None


def read_token(text: str) -> TokenSays | None:
    """Return what a token says of itself; None if it has not the form of PyPI's."""
    if not text.startswith(_PREFIX):
        return None
    coded = text.removeprefix(_PREFIX)
    try:
        content = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4))
        packets = list(_packets(content))
    except (ValueError, IndexError):
        return None
    located = [data.decode("utf-8", "replace") for kind, data in packets if kind == _LOCATION]
    if content[:1] != b"\x02" or not located:
        return None
    # The first identifier is the token's own.
    caveats = [_caveat(data) for kind, data in packets if kind == _IDENTIFIER][1:]
    projects: tuple[str, ...] | None = None
    expires = None
    for caveat in caveats:
        if caveat[:1] == [1] and len(caveat) > 1 and isinstance(caveat[1], list):
            projects = tuple(map(str, caveat[1]))
        elif caveat[:1] == [0] and len(caveat) > 1 and isinstance(caveat[1], int):
            with suppress(ValueError, OverflowError, OSError):  # a time that no calendar has
                expires = datetime.fromtimestamp(caveat[1], timezone.utc)
    return TokenSays(located[0], projects, expires)


def _packets(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and the content of each field; a section ends with a field of kind 0, which has no length."""
    position = 1
    while position < len(content):
        kind = content[position]
        position += 1
        if kind == _END:
            continue
        length, shift = 0, 0
        while True:
            byte = content[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if position + length > len(content):
            raise ValueError("it ends within a field")
        yield kind, content[position : position + length]
        position += length


def _caveat(data: bytes) -> list[Any]:
    """Return a restriction as the list that it is; older ones are objects."""
    try:
        found = json.loads(data)
    except ValueError:
        return []
    if isinstance(found, dict):
        permissions = found.get("permissions")
        named = permissions.get("projects") if isinstance(permissions, dict) else None
        return [1, named] if isinstance(named, list) else []
    return found if isinstance(found, list) else []
