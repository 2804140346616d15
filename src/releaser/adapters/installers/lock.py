"""A lock: requirements with hashes, which say exactly which tools build and publish a release.

The form is pip's, so that `pip install --require-hashes --no-deps -r FILE` installs it without any code of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from releaser.errors import ConflictError, UsageError

_HASH = re.compile(r"\s--hash=(\w+:[0-9a-f]+)(?=\s|$)")
_COMMENT = re.compile(r"(?:^|\s)#.*$", re.MULTILINE)
_BY = "`uv pip compile --universal --generate-hashes`"
_PINNED = re.compile(r"==\s*[^*,\s]+")


@dataclass(frozen=True)
class Pin:
    """One distribution at one version, for the machines that `marker` describes."""

    name: str
    version: str
    extras: frozenset[str]
    marker: Marker | None
    hashes: tuple[str, ...]

    def applies(self, machine: Mapping[str, str] | None = None) -> bool:
        """Return whether it is for a machine, by default this one."""
        return self.marker is None or self.marker.evaluate(dict(machine or {}))


@dataclass(frozen=True)
class Lock:
    """The pins of a file, and what it is called in messages."""

    name: str
    pins: tuple[Pin, ...]

    @classmethod
    def read(cls, folder: Path, name: str) -> Lock:
        """Read the file called `name` in a tree.

        Raises:
            UsageError: There is none, or a line of it is no version with hashes.
        """
        try:
            text = (folder / name).read_text("utf-8")
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{name}, which [tool.releaser.build] names as lock, cannot be read: {error}",
                f"Write it with {_BY}, and commit it; or remove lock.",
            ) from None
        lines = _COMMENT.sub("", text).replace("\\\n", " ").splitlines()
        return cls(name, tuple(_pin(name, line) for line in lines if line.strip()))

    def unmet(self, requirements: Iterable[str], machine: Mapping[str, str] | None = None) -> list[str]:
        """Return a sentence for each requirement that the lock does not meet.

        Args:
            requirements: What is required, in PEP 508's form.
            machine: Values of markers where they differ from this machine's, such as `python_version`.
        """
        found = []
        for text in requirements:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                found.append(f"{text!r} is no requirement")
                continue
            if requirement.marker and not requirement.marker.evaluate({"extra": "", **(machine or {})}):
                continue
            pin = self._for(requirement, machine)
            if pin is None:
                found.append(f"{requirement} is not in {self.name}")
            elif not _meets(requirement.specifier, pin.version):
                found.append(f"{requirement} is required, and {self.name} has {pin.version}")
            elif missing := sorted(requirement.extras - pin.extras):
                found.append(f"{requirement} is required, and {self.name} has it without {', '.join(missing)}")
        return found

    def must_meet(self, requirements: Iterable[str]) -> None:
        """Refuse a lock that does not hold what a build needs.

        Raises:
            ConflictError: With a sentence for each requirement.
        """
        if unmet := self.unmet(requirements):
            raise ConflictError(
                f"The build's tools are not locked: {'; '.join(unmet)}",
                f"Write the lock again with {_BY}, and commit it.",
            )

    def version(self, name: str) -> str | None:
        """Return which version of a distribution this machine gets."""
        pin = self._for(Requirement(name), None)
        return pin.version if pin else None

    def constraints(self, *, hashes: bool) -> str:
        """Return the pins in the form of a constraints file, which may not name extras.

        Args:
            hashes: Whether with hashes: uv checks them, pip then refuses requirements without an exact version.
        """
        return "".join(
            f"{pin.name}=={pin.version}{f' ; {pin.marker}' if pin.marker else ''}"
            f"{''.join(f' --hash={one}' for one in pin.hashes) if hashes else ''}\n"
            for pin in self.pins
        )

    def _for(self, requirement: Requirement, machine: Mapping[str, str] | None) -> Pin | None:
        name = canonicalize_name(requirement.name)
        return next((pin for pin in self.pins if pin.name == name and pin.applies(machine)), None)


def _pin(file: str, line: str) -> Pin:
    hashes = tuple(_HASH.findall(line))
    try:
        requirement = Requirement(_HASH.sub("", line).strip())
    except InvalidRequirement as error:
        raise _wrong(file, line, f"is no requirement: {str(error).splitlines()[0]}") from None
    if requirement.url or not _PINNED.fullmatch(str(requirement.specifier)):
        raise _wrong(file, line, "does not name one version")
    if not hashes:
        raise _wrong(file, line, "has no hash")
    return Pin(
        canonicalize_name(requirement.name),
        str(requirement.specifier).removeprefix("=="),
        frozenset(requirement.extras),
        requirement.marker,
        hashes,
    )


def _wrong(file: str, line: str, why: str) -> UsageError:
    shown = line.split(" --hash")[0].strip()
    return UsageError(f"{file}: {shown!r} {why}", f"Write the lock again with {_BY}.")


def _meets(specifier: SpecifierSet, version: str) -> bool:
    return specifier.contains(version, prereleases=True)
