"""Versions that mean the same thing in SemVer 2.0 and in PEP 440.

A release carries one version under two names: tag, changelog, images and ``--version`` show the SemVer form, the index
and the wheel's metadata the PEP 440 form. The two schemes agree on ``X.Y.Z`` and on the stages alpha, beta and rc. What
one of them orders differently, or cannot express, is refused here, with the reason and with what to write instead.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import total_ordering
from typing import Literal, get_args

import semver
from packaging.version import Version as Pep440Version

from releaser.errors import VersionError

Stage = Literal["alpha", "beta", "rc"]
Part = Literal["patch", "minor", "major", "alpha", "beta", "rc", "final"]

STAGES: tuple[Stage, ...] = get_args(Stage)
PARTS: tuple[Part, ...] = get_args(Part)

# An image tag holds 128 characters (OCI distribution spec), and a platform's suffix must fit as well.
MAX_LENGTH = 64

_PEP440_LETTERS: dict[Stage, str] = {"alpha": "a", "beta": "b", "rc": "rc"}
# What PEP 440 ("Pre-release spelling") reads as one of the three stages.
_STAGE_OF_SPELLING: dict[str, Stage] = {
    **{stage: stage for stage in STAGES},
    "a": "alpha",
    "b": "beta",
    "c": "rc",
    "pre": "rc",
    "preview": "rc",
}
_POST_SPELLINGS = ("post", "rev", "r")

_ACCEPTED = re.compile(r"(alpha|beta|rc)(?:\.([1-9][0-9]*))?")
_PEP440_FORM = re.compile(r"[0-9]+(?:\.[0-9]+)*(?:a|b|rc)[0-9]+")
_UNDOTTED = re.compile(r"(alpha|beta|rc|a|b|c|preview|pre)-?[0-9]+")
_ROUGHLY_A_VERSION = re.compile(r"v?\s*\.?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(.*)", re.DOTALL)
_ROUGHLY_A_STAGE = re.compile(r"([a-z]+)[^0-9a-z]?([0-9]*)")


@total_ordering
@dataclass(frozen=True)
class Version:
    """A version that can be released, ordered as SemVer 2.0 §11 orders it (which is also how PEP 440 orders it).

    Build one with `parse`, `from_pep440` or `from_tag`.

    Attributes:
        major: X of X.Y.Z.
        minor: Y of X.Y.Z.
        patch: Z of X.Y.Z.
        stage: None for a final version.
        number: N of ``-rc.N``; 0 for the bare ``-rc``, which is ``rc0`` in PEP 440, and for a final version.
    """

    major: int
    minor: int
    patch: int
    stage: Stage | None = None
    number: int = 0

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read a version in its SemVer form, such as ``0.2.0`` or ``0.2.0-rc.1``.

        Raises:
            VersionError: The text is not SemVer 2.0, or PEP 440 orders it differently or cannot express it.
        """
        problem = _problem(text)
        if problem is not None:
            shown = text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}..."
            raise VersionError(f"{shown!r} cannot be released: {problem}", _remedy(text))
        base, _, prerelease = text.partition("-")
        stage, _, number = prerelease.partition(".")
        major, minor, patch = base.split(".")
        return cls(int(major), int(minor), int(patch), _STAGE_OF_SPELLING[stage] if stage else None, int(number or 0))

    @classmethod
    def from_pep440(cls, text: str) -> Version | None:
        """Read a version as an index or a wheel shows it, such as ``0.2.0rc1``.

        Spelling does not matter, PEP 440 equality does: ``0.2`` and ``v0.2.0.RC1`` have the twins 0.2.0 and 0.2.0-rc.1.

        Returns:
            The version that has this PEP 440 form; None if there is none (post, dev and local versions, epochs, a
            fourth component) or if the text is not PEP 440.
        """
        if len(text) > MAX_LENGTH:
            return None
        try:
            parsed = Pep440Version(text)
        except ValueError:
            return None
        release = (*parsed.release, 0, 0)
        if parsed.epoch or parsed.is_postrelease or parsed.is_devrelease or parsed.local or any(release[3:]):
            return None
        letters, number = parsed.pre or (None, 0)
        twin = cls(release[0], release[1], release[2], _STAGE_OF_SPELLING[letters] if letters else None, number)
        return twin if len(str(twin)) <= MAX_LENGTH else None

    @classmethod
    def from_tag(cls, tag: str, pattern: str = "v{version}") -> Version | None:
        """Read the version in a tag's name; None if the tag does not follow the pattern or names no such version.

        Raises:
            VersionError: The pattern does not contain ``{version}`` exactly once.
        """
        before, after = _around_version(pattern)
        if len(tag) < len(before) + len(after) or not (tag.startswith(before) and tag.endswith(after)):
            return None
        try:
            return cls.parse(tag[len(before) : len(tag) - len(after)])
        except VersionError:
            return None

    def __str__(self) -> str:
        """Return the SemVer form."""
        if self.stage is None:
            return self.base
        return f"{self.base}-{self.stage}.{self.number}" if self.number else f"{self.base}-{self.stage}"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return self._order < other._order

    @property
    def base(self) -> str:
        """X.Y.Z without the stage."""
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def pep440(self) -> str:
        """The form that the index and the wheel's metadata show: ``0.2.0rc1`` for 0.2.0-rc.1."""
        return self.base if self.stage is None else f"{self.base}{_PEP440_LETTERS[self.stage]}{self.number}"

    @property
    def is_prerelease(self) -> bool:
        """Whether this is an alpha, a beta or a release candidate."""
        return self.stage is not None

    def tag(self, pattern: str = "v{version}") -> str:
        """Return the name of this version's git tag.

        Raises:
            VersionError: The pattern does not contain ``{version}`` exactly once.
        """
        before, after = _around_version(pattern)
        return f"{before}{self}{after}"

    def bump(self, part: Part) -> Version:
        """Return the next version of one kind.

        From a pre-release, patch, minor and major give the nearest such version above it (so minor of 0.2.0-rc.1 is
        0.2.0) and a stage gives its next number. From a final version a stage opens the next minor version.

        Raises:
            VersionError: From this version there is no such step: an earlier stage, or final of a final version.
        """
        if part == "patch":
            return self._final() if self.stage else Version(self.major, self.minor, self.patch + 1)
        if part == "minor":
            opens_it = self.stage and self.patch == 0
            return self._final() if opens_it else Version(self.major, self.minor + 1, 0)
        if part == "major":
            opens_it = self.stage and self.minor == self.patch == 0
            return self._final() if opens_it else Version(self.major + 1, 0, 0)
        if part == "final":
            if self.stage is None:
                raise VersionError(f"{self} is already final", f"Choose patch ({self.bump('patch')}), minor or major.")
            return self._final()
        if self.stage is None:
            return Version(self.major, self.minor + 1, 0, part, 1)
        if STAGES.index(part) < STAGES.index(self.stage):
            raise VersionError(
                f"{part} of {self.base} would be lower than {self}",
                f"Use {self.bump(self.stage)} or {self.base}.",
            )
        return Version(self.major, self.minor, self.patch, part, self.number + 1 if part == self.stage else 1)

    def next_versions(self) -> dict[str, Version]:
        """Return the versions that can follow, by the part that `bump` takes, in the order in which to offer them."""
        if self.stage is None:
            return {part: self.bump(part) for part in PARTS if part != "final"}
        stages: tuple[Part, ...] = STAGES[STAGES.index(self.stage) :]
        return {part: self.bump(part) for part in (*stages, "final")}

    def _final(self) -> Version:
        return Version(self.major, self.minor, self.patch)

    @property
    def _order(self) -> tuple[int, int, int, int, int]:
        # SemVer orders stages as text, and alpha, beta, rc happen to stand in that order; a final version is above them
        rank = len(STAGES) if self.stage is None else STAGES.index(self.stage)
        return self.major, self.minor, self.patch, rank, self.number


def _around_version(pattern: str) -> tuple[str, str]:
    before, placeholder, after = pattern.partition("{version}")
    if not placeholder or "{version}" in after:
        raise VersionError(
            f"the tag pattern {pattern!r} does not contain {{version}} exactly once", "Write it like 'v{version}'."
        )
    return before, after


def _problem(text: str) -> str | None:
    """Return why the text is not a version that can be released; None if it is one."""
    malformed = _malformed(text)
    if malformed is not None:
        return malformed
    try:
        parsed = semver.Version.parse(text)
    except ValueError:
        return "it is not SemVer 2.0, which is MAJOR.MINOR.PATCH without leading zeros"
    return _unreleasable(parsed)


def _malformed(text: str) -> str | None:
    """Return what is wrong with the text, in better words than SemVer's grammar has; None if that is to decide."""
    if not text:
        return "it is empty"
    if len(text) > MAX_LENGTH:
        return f"it has {len(text)} characters; with a suffix it must fit in an image tag, so at most {MAX_LENGTH}"
    if any(char.isspace() for char in text):
        return "it contains white space"
    if not text.isascii():
        return "it contains characters other than ASCII letters, digits, dots and dashes"
    if re.match(r"[vV][0-9]", text):
        return "the v belongs to the tag's name, not to the version (SemVer 2.0 FAQ)"
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?(-.*)?", text):
        return "SemVer 2.0 §2 requires three numbers, MAJOR.MINOR.PATCH"
    if _PEP440_FORM.fullmatch(text):
        return "it is in the PEP 440 form, which only the index and the wheel's metadata show"
    return None


def _unreleasable(parsed: semver.Version) -> str | None:
    """Return where PEP 440 and SemVer disagree about the version; None if they do not."""
    if parsed.build is not None:
        return f"+{parsed.build} is a local version in PEP 440, which the index rejects"
    text = parsed.prerelease
    if text is None or _ACCEPTED.fullmatch(text):
        return None
    first, *others = text.split(".")
    name = first.lower()
    if name in _POST_SPELLINGS or (first.isdigit() and not others):
        return f"-{text} comes after {parsed.major}.{parsed.minor}.{parsed.patch} in PEP 440 and before it in SemVer"
    if name == "dev":
        return f"-{text} is below every alpha in PEP 440 and above beta in SemVer"
    if name in _STAGE_OF_SPELLING and name not in STAGES:
        return (
            f"PEP 440 reads {name} as {_STAGE_OF_SPELLING[name]}, so -{text} collides with it; SemVer tells them apart"
        )
    if _UNDOTTED.fullmatch(name):
        return f"SemVer orders {first!r} as text (rc10 is below rc2) and PEP 440 as a number"
    if name not in STAGES:
        return f"PEP 440 has no stage named {first!r}, only alpha, beta and rc"
    if others == ["0"]:
        return f"-{text} is the same as -{first} in PEP 440 and above it in SemVer"
    if first != name:
        return f"PEP 440 ignores case, so -{text} collides with -{text.lower()}"
    return f"PEP 440 cannot express -{text}: after {first} it allows one number"


def _remedy(text: str) -> str:
    suggestion = _suggestion(text) if len(text) <= MAX_LENGTH else None
    if suggestion is None or len(suggestion) > MAX_LENGTH:
        return "Use MAJOR.MINOR.PATCH, with -alpha.N, -beta.N or -rc.N for a pre-release: 0.2.0 or 0.2.0-rc.1."
    return f"Use {suggestion}."


def _suggestion(text: str) -> str | None:
    """Return the version that can be released and is nearest to what the text seems to mean."""
    ascii_digits = "".join(str(unicodedata.digit(char, char)) for char in text)
    rough = _ROUGHLY_A_VERSION.match(ascii_digits.strip().lower())
    if rough is None:
        return None
    major, minor, patch = (int(number or 0) for number in rough.group(1, 2, 3))
    rest = rough[4].partition("+")[0].strip()
    stage = _ROUGHLY_A_STAGE.search(rest)
    if stage is not None and stage[1] not in _POST_SPELLINGS:
        known = _STAGE_OF_SPELLING.get(stage[1], "alpha")
        return f"{major}.{minor}.{patch}-{known}.{int(stage[2] or 0) or 1}"
    is_post = stage is not None or re.fullmatch(r"-[0-9]+", rest)
    return f"{major}.{minor}.{patch + 1 if is_post else patch}"
