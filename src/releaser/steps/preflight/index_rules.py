"""Preflight: the index will accept the metadata that pyproject.toml declares, and show its description."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from releaser.adapters.index import readme, rules
from releaser.core.step import Conflict, Done, Outcome, Step
from releaser.dists import metadata
from releaser.errors import ReleaserError, UsageError
from releaser.release import Release

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

_SHOWN = 12
HOW_TO_LINK = (
    "Write absolute addresses, or have the build write them, as hatch-fancy-pypi-readme does in a build by hatchling."
)


class MeetIndexRules(Step[Release]):
    """PyPI accepts the metadata that pyproject.toml declares."""

    name = "meet_index_rules"
    title = "Metadata within the index's rules"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Apply PyPI's rules to [project]; what the backend computes is inspected once it is built."""
        project = project_table(release)
        raw = metadata.declared(project, release.config.distribution, release.version.pep440)
        found = rules.refusals(raw)
        if found:
            return Conflict(
                "PyPI refuses this metadata: " + " | ".join(one.message for one in found),
                "Correct [project] in pyproject.toml.",
            )
        dynamic = project.get("dynamic")
        later = f"; {', '.join(map(str, dynamic))} when built" if isinstance(dynamic, list) and dynamic else ""
        return Done(f"{len(raw['classifiers'])} classifiers, {len(raw['requires_dist'])} requirements accepted{later}")


class RenderReadme(Step[Release]):
    """The description renders on the index, and no link or picture in it leads to a page of the index."""

    name = "render_readme"
    title = "Description renders on the index"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Render the file that [project] names; what the backend makes of it is inspected once it is built."""
        found = metadata.readme(project_table(release), lambda path: text_of(release, path))
        if found is None:
            return Done("pyproject.toml names no file; the built files are inspected")
        if found.text is None:
            return Conflict(
                f"{found.path}, the readme in pyproject.toml, does not exist", "Add it, or name another file."
            )
        where = found.path or "the readme in pyproject.toml"
        kind, variant = rules.description_type({"description_content_type": found.content_type})
        shown = readme.render(found.text, kind, variant)
        if shown.html is None:
            return Conflict(f"{where} does not render on PyPI: {shown.problem}", "Fix it.")
        if shown.relative:
            return Conflict(dead_addresses(where, shown.relative), HOW_TO_LINK)
        return Done(f"{where} renders; no relative addresses")


def dead_addresses(where: str, relative: tuple[readme.Relative, ...]) -> str:
    """Return what is wrong with a description that has relative addresses."""
    named = "; ".join(str(one) for one in relative[:_SHOWN]) + ("; ..." if len(relative) > _SHOWN else "")
    count = f"{len(relative)} relative address" + ("es" if len(relative) > 1 else "")
    return f"{where} has {count}, which lead nowhere on PyPI: {named}"


def project_table(release: Release) -> dict[str, Any]:
    """Return [project] of the commit that is released, or of the checkout before there is one.

    Raises:
        ReleaserError: pyproject.toml cannot be read.
    """
    text = text_of(release, "pyproject.toml")
    try:
        table = tomllib.loads(text or "").get("project")
    except ValueError as error:
        raise ReleaserError(f"pyproject.toml cannot be read: {error}", "Fix the file.") from None
    return table if isinstance(table, dict) else {}


def text_of(release: Release, path: str) -> str | None:
    """Return a file of the commit that is released, or of the checkout before there is one; None if there is none.

    Raises:
        UsageError: It is not UTF-8, or cannot be read.
    """
    if commit := release.commit():
        return release.git.file(commit, path)
    file = Path(release.git.root, path)
    try:
        return file.read_text("utf-8") if file.exists() else None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8: {error.reason}", "Save it as UTF-8.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Make it readable.") from None
