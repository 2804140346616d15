"""Read what is uploaded to the rehearsal's index: one wheel or sdist and the form that came with it.

File names follow the binary distribution format and PEP 625, digests PyPI's legacy upload API, metadata the core
metadata specification. It is taken from the file itself, where installers look, and the form must agree with it.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.metadata import RawMetadata, parse_email
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version
from pydantic import JsonValue

from releaser.adapters.index import readme, rules


class RefusedError(Exception):
    """A request that the index refuses, in PyPI's words.

    Args:
        reason: One line; it becomes the HTTP status line's reason and the body.
        status: The HTTP status.
    """

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = " ".join(reason.split())
        self.status = status


@dataclass(frozen=True)
class Distribution:
    """One uploaded file that agrees with its name, its form and its metadata.

    Attributes:
        project: The project's normalised name.
        display_name: The name as the metadata writes it.
        version: The canonical PEP 440 version.
        packagetype: ``bdist_wheel`` or ``sdist``.
        requires_python: As the metadata says it, or "".
        metadata: A wheel's METADATA file, which PEP 658 serves as a file of its own; None for an sdist.
        info: The part of the metadata that the JSON API shows.
    """

    filename: str
    content: bytes
    project: NormalizedName
    display_name: str
    version: Version
    packagetype: str
    requires_python: str
    metadata: bytes | None
    info: dict[str, JsonValue]

    @property
    def digests(self) -> dict[str, str]:
        """md5, sha256 and blake2b_256 of the content, in hexadecimal."""
        return digests_of(self.content)


def digests_of(content: bytes) -> dict[str, str]:
    """Return the three digests that PyPI keeps, by the names of its JSON API."""
    return {
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "blake2b_256": hashlib.blake2b(content, digest_size=32).hexdigest(),
    }


def read_distribution(filename: str, content: bytes, form: Mapping[str, str]) -> Distribution:
    """Read one upload.

    Args:
        filename: The name under which the content was sent.
        content: The file.
        form: The upload form's text fields: ``name``, ``version``, ``filetype`` and at least one digest.

    Raises:
        RefusedError: The parts contradict each other, or break a rule that needs no memory of earlier uploads.
    """
    _check_digests(content, form)
    project, version, packagetype = _read_filename(filename)
    data = _metadata_file(filename, content, packagetype)
    raw = _read_metadata(data)
    for source, said_name, said_version in (
        ("The form", form.get("name", ""), form.get("version", "")),
        ("The metadata in the file", raw["name"], raw["version"]),
    ):
        if canonicalize_name(said_name) != project:
            raise RefusedError(f"{source} is of project {said_name!r}, the file name {filename!r} of {project!r}.")
        if _version(said_version) != version:
            raise RefusedError(f"Version in filename should be {said_version!r} not {str(version)!r}.")
    if form.get("filetype") != packagetype:
        raise RefusedError(f"Invalid value for filetype. {filename!r} is a {packagetype}.")
    if version.local:
        raise RefusedError(f"The use of local versions in <Version('{version}')> is not allowed.")
    _render(raw)
    if platform := rules.refused_platform(filename):
        raise RefusedError(platform)
    return Distribution(
        filename=filename,
        content=content,
        project=project,
        display_name=raw["name"],
        version=version,
        packagetype=packagetype,
        requires_python=raw.get("requires_python", ""),
        metadata=data if packagetype == "bdist_wheel" else None,
        info=_info(raw, version),
    )


def _check_digests(content: bytes, form: Mapping[str, str]) -> None:
    given = {
        name: form[field].lower()
        for field, name in (("md5_digest", "md5"), ("sha256_digest", "sha256"), ("blake2_256_digest", "blake2b_256"))
        if form.get(field)
    }
    if not given:
        raise RefusedError("Include at least one message digest.")
    real = digests_of(content)
    if any(real[name] != digest for name, digest in given.items()):
        raise RefusedError("The digest supplied does not match a digest calculated from the uploaded file.")


def _read_filename(filename: str) -> tuple[NormalizedName, Version, str]:
    if "/" in filename or "\\" in filename:
        raise RefusedError("Cannot upload a file with '/' or '\\' in the name.")
    try:
        if filename.endswith(".whl"):
            project, version, _, _ = parse_wheel_filename(filename)
            return project, version, "bdist_wheel"
        if filename.endswith(".tar.gz"):
            project, version = parse_sdist_filename(filename)
            prefix = project.replace("-", "_")
            if not filename.startswith(f"{prefix}-"):
                raise RefusedError(f"Start filename for {project!r} with {prefix!r}.")
            return project, version, "sdist"
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise RefusedError(f"Invalid distribution filename. {error}") from error
    raise RefusedError("Invalid file extension: Use .tar.gz or .whl extension.")


def _metadata_file(filename: str, content: bytes, packagetype: str) -> bytes:
    """METADATA of a wheel, PKG-INFO of an sdist."""
    try:
        if packagetype == "bdist_wheel":
            path = "-".join(filename.split("-")[:2]) + ".dist-info/METADATA"
            with zipfile.ZipFile(io.BytesIO(content)) as wheel:
                return wheel.read(path)
        path = filename.removesuffix(".tar.gz") + "/PKG-INFO"
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as sdist:
            member = sdist.extractfile(path)
            return member.read() if member else b""
    except KeyError as error:
        raise RefusedError(f"{filename!r} does not contain the required metadata file: {path}") from error
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError) as error:
        raise RefusedError(f"Invalid distribution file. {error}") from error


def _read_metadata(data: bytes) -> RawMetadata:
    raw, _ = parse_email(data)
    if refused := rules.refusals(raw):
        raise RefusedError(refused[0].as_answered)
    return raw


def _render(raw: RawMetadata) -> None:
    description = raw.get("description")
    if description and readme.render(description, *rules.description_type(raw)).html is None:
        named = raw.get("description_content_type")
        how = f"for '{named}'" if named else "in the default format of reStructuredText"
        raise RefusedError(f"The description failed to render {how}.")


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _info(raw: RawMetadata, version: Version) -> dict[str, JsonValue]:
    return {
        "name": raw["name"],
        "version": str(version),
        "summary": raw.get("summary", ""),
        "description": raw.get("description", ""),
        "description_content_type": raw.get("description_content_type"),
        "author": raw.get("author", ""),
        "author_email": raw.get("author_email", ""),
        "license": raw.get("license", ""),
        "license_expression": raw.get("license_expression"),
        "keywords": ",".join(raw.get("keywords", [])),
        "classifiers": [*raw.get("classifiers", [])],
        "project_urls": {**raw.get("project_urls", {})} or None,
        "requires_dist": [*raw.get("requires_dist", [])] or None,
        "requires_python": raw.get("requires_python"),
    }
