"""Parse session descriptions (SDP, RFC 8866) into sections with attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from live_vlm_webui.errors import InputError

MAX_LENGTH = 64 * 1024
MAX_SECTIONS = 16
REMEDY = "Send the local description of an RTCPeerConnection that sends video, after its candidates are gathered."
LINE = re.compile(r"[a-z]=[^\x00-\x08\x0a-\x1f\x7f]*")
MEDIA = re.compile(
    r"m=(?P<kind>[a-z]{1,32}) (?P<port>\d{1,5}) (?P<profile>[A-Z/]{1,32}) (?P<formats>[\x21-\x7e ]{1,512})"
)
TOKEN = re.compile(r"[\w!#$%&'*+.^`{|}~-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class Section:
    """A section of a description, from one ``m=`` line to the next.

    Attributes:
        kind: ``video``, ``audio``, ``application`` ...
        port: 0 if the section is rejected or bundled with another.
        media: Its first line.
        lines: Its other lines.
    """

    kind: str
    port: int
    media: str
    lines: tuple[str, ...]

    def values(self, name: str) -> Iterator[str]:
        """Return the values of all its attributes named ``name``."""
        start = f"a={name}:"
        return (line[len(start) :] for line in self.lines if line.startswith(start))

    def value(self, name: str, pattern: re.Pattern[str]) -> str | None:
        """Return the first value of attribute ``name`` that matches ``pattern``."""
        return next((value for value in self.values(name) if pattern.fullmatch(value)), None)

    def has(self, flag: str) -> bool:
        """Return whether it has the attribute ``flag``, which has no value."""
        return f"a={flag}" in self.lines

    @property
    def mid(self) -> str | None:
        """Its identification tag."""
        return self.value("mid", TOKEN)

    @property
    def wanted(self) -> bool:
        """Whether the browser has not withdrawn it."""
        return self.port != 0 or self.has("bundle-only")

    @property
    def sends(self) -> bool:
        """Whether the browser would send in it."""
        return self.wanted and not self.has("recvonly") and not self.has("inactive")


def read_sections(text: str) -> list[Section]:
    """Split a description into the session-level section, whose kind is empty, and the media sections.

    Raises:
        InputError: It is not a description, or too large.
    """
    if len(text) > MAX_LENGTH:
        raise InputError(f"The offer is longer than {MAX_LENGTH} characters", REMEDY)
    kind, port, media, lines, found = "", 0, "", list[str](), list[Section]()
    for line in text.replace("\r\n", "\n").rstrip("\n").split("\n"):
        if not LINE.fullmatch(line):
            raise InputError("The offer is not a session description", REMEDY)
        if not line.startswith("m="):
            lines.append(line)
            continue
        match = MEDIA.fullmatch(line)
        if match is None or len(found) > MAX_SECTIONS:
            raise InputError("The offer has an invalid media section, or too many", REMEDY)
        found.append(Section(kind, port, media, tuple(lines)))
        kind, port, media, lines = match["kind"], int(match["port"]), line, []
    found.append(Section(kind, port, media, tuple(lines)))
    if found[0].lines[:1] != ("v=0",):
        raise InputError("The offer is not a session description", REMEDY)
    return found
