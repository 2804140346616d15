"""A distribution's metadata: what pyproject.toml declares before anything is built, and what built files contain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.metadata import RawMetadata, parse_email

from releaser.adapters import builder
from releaser.errors import StepError

_TYPES = {".md": "text/markdown", ".rst": "text/x-rst", ".txt": "text/plain"}


@dataclass(frozen=True)
class Readme:
    """A description as [project] declares it.

    Attributes:
        path: Its file in the repository; None for text in pyproject.toml itself.
        text: What it says; None if its file is missing.
        content_type: As in Description-Content-Type.
    """

    path: str | None
    text: str | None
    content_type: str


def declared(project: Mapping[str, Any], name: str, version: str) -> RawMetadata:
    """Return what [project] says of the metadata; what is dynamic, or of the wrong kind, is left to the backend.

    Args:
        project: The table.
        name: The distribution's name.
        version: The version that is released, in PEP 440's form.
    """
    raw = RawMetadata(metadata_version="2.4", name=str(project.get("name") or name), version=version)
    if isinstance(summary := project.get("description"), str):
        raw["summary"] = summary
    if isinstance(python := project.get("requires-python"), str):
        raw["requires_python"] = python
    if isinstance(expression := project.get("license"), str):
        raw["license_expression"] = expression
    raw["keywords"] = _texts(project.get("keywords"))
    raw["classifiers"] = _texts(project.get("classifiers"))
    raw["requires_dist"] = [*_texts(project.get("dependencies"))]
    if isinstance(extras := project.get("optional-dependencies"), Mapping):
        raw["provides_extra"] = [str(extra) for extra in extras]
        raw["requires_dist"] += [one for listed in extras.values() for one in _texts(listed)]
    if isinstance(urls := project.get("urls"), Mapping):
        raw["project_urls"] = {str(label): str(address) for label, address in urls.items()}
    if authors := _addresses(project.get("authors")):
        raw["author_email"] = authors
    if maintainers := _addresses(project.get("maintainers")):
        raw["maintainer_email"] = maintainers
    if isinstance(readme := project.get("readme"), Mapping) and isinstance(readme.get("content-type"), str):
        raw["description_content_type"] = readme["content-type"]
    return raw


def readme(project: Mapping[str, Any], read: Callable[[str], str | None]) -> Readme | None:
    """Return the declared description; None if there is none, or the backend makes it.

    Args:
        project: The table.
        read: Returns the text of a file of the repository, None if there is no such file.
    """
    declared = project.get("readme")
    table = {"file": declared} if isinstance(declared, str) else declared if isinstance(declared, Mapping) else {}
    kind, path = table.get("content-type"), table.get("file")
    if isinstance(path, str):
        kind = kind or _TYPES.get(PurePosixPath(path).suffix.lower(), "text/plain")
        return Readme(path, read(path), str(kind))
    if isinstance(text := table.get("text"), str):
        return Readme(None, text, str(kind or "text/x-rst"))
    return None


def built(path: Path) -> RawMetadata:
    """Return the metadata in a wheel or an sdist, where an index reads it.

    Raises:
        StepError: It has none.
    """
    wheel = path.suffix == ".whl"
    for name, content in builder.members(path):
        if name == "PKG-INFO" or (wheel and name.endswith(".dist-info/METADATA")):
            return parse_email(content)[0]
    raise StepError(f"{path.name} contains no metadata", "Check the build backend.")


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _addresses(people: Any) -> str:
    tables = [one for one in people if isinstance(one, Mapping)] if isinstance(people, list) else []
    return ", ".join(
        f"{one['name']} <{one['email']}>" if one.get("name") else str(one["email"])
        for one in tables
        if one.get("email")
    )
