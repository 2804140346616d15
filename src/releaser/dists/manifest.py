"""What one job of a workflow tells the others of the files that it built: a line of JSON in the job's outputs.

An artifact may have been written by whatever ran in the job that made it; the outputs of a job that ran no test not:
so files are compared with this, and this is never read from an artifact.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from releaser.adapters import builder
from releaser.core.files import sha256, write_sums
from releaser.dists.built import Dists
from releaser.errors import ConflictError, StepError, UsageError
from releaser.versions.version import Version

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*")
_HEX = {"commit": 40, "sha256": 64}
_BILL = ".cdx.json"
_SHOWN = 8
_AGAIN = "Run the whole workflow again. If it happens again, find out which job changed the file; publish nothing."


def _is_hex(text: str, kind: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]+", text)) and len(text) == _HEX[kind]


class Manifest(BaseModel):
    """One sdist and one wheel, and what they were built from; a bill of materials may be with them.

    Attributes:
        version: What is released, in SemVer form.
        parent: The commit that the release commit was made on; the release commit itself, where that was there already.
        commit: The release commit.
        epoch: The release commit's time, in seconds since 1970.
        files: The sha256 of each file, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)

    schema_: Literal[1] = Field(alias="schema")
    version: str
    parent: str
    commit: str
    epoch: int = Field(ge=0, lt=1 << 40)
    files: dict[str, str]

    @field_validator("parent", "commit")
    @classmethod
    def _full_id(cls, value: str) -> str:
        if not _is_hex(value, "commit"):
            raise ValueError("it must be the 40 hexadecimal digits of a commit")
        return value

    @model_validator(mode="after")
    def _one_sdist_and_one_wheel(self) -> Manifest:
        for name, digest in self.files.items():
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not the plain name of a file")
            if not _is_hex(digest, "sha256"):
                raise ValueError(f"{digest!r} is not a sha256")
        endings = [next((one for one in (".whl", ".tar.gz", _BILL) if name.endswith(one)), name) for name in self.files]
        if sorted(one for one in endings if one != _BILL) != [".tar.gz", ".whl"] or endings.count(_BILL) > 1:
            raise ValueError(f"it must list one sdist and one wheel; it lists {', '.join(self.files) or 'nothing'}")
        return self

    @classmethod
    def of(cls, dists: Dists, version: Version, parent: str, commit: str, epoch: int) -> Manifest:
        """Return the manifest of built files."""
        return cls(schema=1, version=str(version), parent=parent, commit=commit, epoch=epoch, files=dict(dists.sha256))

    @classmethod
    def read(cls, text: str, distribution: str, version: Version, source: str) -> Manifest:
        """Return what another job's output says.

        Args:
            text: The output.
            distribution: Whose files they must be.
            version: Which version's.
            source: What the text is called, for messages.

        Raises:
            UsageError: It is none, or is of something else.
        """
        remedy = f"Pass the output `manifest` of the job that built the files, unchanged, as {source}."
        try:
            found = cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            said = str(first["msg"]).removeprefix("Value error, ")
            raise UsageError(f"{source} is no manifest: {where + ': ' if where else ''}{said}", remedy) from None
        if found.version != str(version):
            raise UsageError(f"{source} is of version {found.version}, not {version}", remedy)
        for name in found.uploads:
            of_file, _, rest = name.partition("-")
            ended = rest.startswith((f"{version.pep440}-", f"{version.pep440}.tar.gz"))
            if canonicalize_name(of_file) != canonicalize_name(distribution) or not ended:
                raise UsageError(f"{source} lists {name}, which is not {distribution} {version}", remedy)
        return found

    @property
    def uploads(self) -> dict[str, str]:
        """The sha256 of sdist and wheel, by name."""
        return {name: digest for name, digest in self.files.items() if not name.endswith(_BILL)}

    def line(self) -> str:
        """Return the line of JSON."""
        return self.model_dump_json(by_alias=True)


def agree(built: Manifest, rebuilt: Manifest) -> None:
    """See that two jobs built the same files from the same commit.

    Raises:
        ConflictError: They did not; each difference is named.
    """
    wrong = [
        f"{what} {getattr(built, what)} and {getattr(rebuilt, what)}"
        for what in ("version", "parent", "commit", "epoch")
        if getattr(built, what) != getattr(rebuilt, what)
    ]
    names = sorted(built.uploads.keys() | rebuilt.uploads.keys())
    wrong += [
        f"{name}, sha256 {built.uploads.get(name, 'none')[:12]} and {rebuilt.uploads.get(name, 'none')[:12]}"
        for name in names
        if built.uploads.get(name) != rebuilt.uploads.get(name)
    ]
    if wrong:
        raise ConflictError(
            f"Two builds of {built.version} differ, so nothing of it is published: {'; '.join(wrong)}",
            "Look into the job that rebuilds, which names the members that differ. A build that is not reproducible "
            'cannot be released by CI: set run = "here" in [tool.releaser].',
        )


def take_artifact(directory: Path, manifest: Manifest, target: Path) -> Dists:
    """Copy the files of an artifact that are those of a manifest, and write their SHA256SUMS; return them.

    An artifact is data: it may hold the manifest's files and nothing else.

    Raises:
        ConflictError: It holds anything else, lacks a file, or a file has other bytes.
        UsageError: There is no such directory.
    """
    if directory.is_symlink() or not directory.is_dir():
        raise UsageError(f"There is no directory {directory} with the built files", "Download the artifact into it.")
    found = sorted(directory.iterdir())
    odd = [f"{path.name} ({_kind(path)})" for path in found if path.name not in manifest.files or _kind(path) != "file"]
    if odd:
        raise ConflictError(
            f"The artifact in {directory} has what no build made: {', '.join(odd)}; expected only the files "
            f"{', '.join(sorted(manifest.files))}",
            _AGAIN,
        )
    present = {path.name for path in found}
    if missing := sorted(manifest.files.keys() - present):
        raise ConflictError(f"The artifact in {directory} lacks {', '.join(missing)}", _AGAIN)
    target.mkdir(parents=True)
    for name in manifest.files:
        shutil.copyfile(directory / name, target / name, follow_symlinks=False)
    # What counts is what was copied: the artifact's own bytes may change meanwhile.
    compare(target, manifest, "The artifact")
    write_sums(target, manifest.files)
    return Dists(target, dict(manifest.files))


def compare(directory: Path, manifest: Manifest, what: str, rebuilt: Path | None = None, remedy: str = _AGAIN) -> None:
    """Compare files with a manifest by their digests.

    Args:
        directory: Where the files are.
        manifest: What was built.
        what: Whose the files are, in words.
        rebuilt: A directory with the files of the manifest, to name the members that differ.
        remedy: What to do where they differ.

    Raises:
        ConflictError: A file is not there, or has other bytes.
    """
    wrong = []
    for name, digest in manifest.files.items():
        path = directory / name
        found = sha256(path) if path.is_file() and not path.is_symlink() else None
        if found == digest:
            continue
        wrong.append(
            f"{name} is missing" if found is None else f"{name} has sha256 {found[:12]}; {digest[:12]} was built"
        )
        if found and rebuilt and (rebuilt / name).is_file():
            wrong[-1] += f" ({differing_members(path, rebuilt / name)})"
    if wrong:
        raise ConflictError(f"{what} does not have the files that were built: {'; '.join(wrong)}", remedy)


def differing_members(one: Path, other: Path) -> str:
    """Return in words which members of two wheels or two sdists differ, and how."""
    try:
        here, there = dict(builder.members(one)), dict(builder.members(other))
    except StepError as error:
        return error.message
    found = [f"{name} is added" for name in sorted(here.keys() - there.keys())]
    found += [f"{name} is missing" for name in sorted(there.keys() - here.keys())]
    found += [
        _difference(name, here, there) for name in sorted(here.keys() & there.keys()) if here[name] != there[name]
    ]
    if not found:
        return "its members are the same; their order, times, modes or compression differ"
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def _difference(name: str, here: Mapping[str, bytes], there: Mapping[str, bytes]) -> str:
    one, other = here[name], there[name]
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    sizes = f"{len(one)} bytes, {len(other)} were built" if len(one) != len(other) else f"{len(one)} bytes"
    return f"{name} differs from byte {at} ({sizes})"


def _kind(path: Path) -> str:
    if path.is_symlink():
        return "link"
    return "directory" if path.is_dir() else "file" if path.is_file() else "special file"
