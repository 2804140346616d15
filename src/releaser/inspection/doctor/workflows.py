"""What the project's workflows do with a release: publishers, environments, tags and branches that start them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from releaser.config.project import INDEX_TITLES
from releaser.inspection.findings import Findings
from releaser.release import Release
from releaser.versions.version import Version

_FOLDER = Path(".github", "workflows")
_ENVIRONMENT = re.compile(r"^\s+environment:\s*(?:\n\s+name:\s*)?[\"']?([\w.-]+)", re.MULTILINE)
_LIST = r"^\s+{name}:\s*(?:\[(?P<inline>[^\]]*)\]|(?P<block>(?:\n\s+-\s.*)+))"


def look_at_workflows(release: Release) -> list[Findings]:
    """Look at the workflow files of the checkout."""
    return [_publishers(release), _triggers(release)]


def _publishers(release: Release) -> Findings:
    """Print the exact values of each trusted publisher, and compare them with the workflow's file."""
    notes = Findings("trusted publishers")
    owner, _, name = release.repository.partition("/")
    for index_name, title in INDEX_TITLES.items():
        config = release.config.index(index_name)
        if config.via != "ci":
            notes.none(index_name, "uploads are made from this machine, with a token")
            continue
        text = _text(release, config.workflow)
        if text is None:
            notes.wrong(index_name, f"{_FOLDER / config.workflow} does not exist", "Correct workflow, or add the file.")
            continue
        environments = list(dict.fromkeys(_ENVIRONMENT.findall(text)))
        values = (
            f"project {release.config.distribution}, owner {owner}, repository {name}, workflow {config.workflow}, "
            f"environment {' or '.join(environments) or '(leave blank)'}"
        )
        notes.unproven(
            index_name,
            f"{title} must know: {values}",
            f"Compare with {release.index(index_name).publishing_page(release.config.distribution)}.",
        )
        if re.search(r"^\s+id-token:\s*write", text, re.MULTILINE):
            notes.right(f"{index_name} identity", f"{config.workflow} may ask for one (id-token: write)")
        else:
            notes.wrong(
                f"{index_name} identity",
                f"{config.workflow} has no `id-token: write`: no job of it can prove its identity",
                "Give the job that uploads `permissions: id-token: write`.",
            )
        if re.search(r"^\s+workflow_call:", text, re.MULTILINE) and not re.search(r"^\s+(push|release):", text, re.M):
            notes.warning(
                f"{index_name} start", f"{config.workflow} is reusable", "Start it directly: PyPI refuses that."
            )
    return notes


def _triggers(release: Release) -> Findings:
    notes, config = Findings("workflows"), release.config
    wanted = f"{config.git.tag!r} makes {release.tag}"
    folder = release.git.root / _FOLDER
    files = sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")])
    if not files:
        notes.none("files", f"there are none in {_FOLDER}")
    for file in files:
        text = file.read_text("utf-8", "replace")
        if (tags := _listed(text, "tags")) and re.search(r"^\s+push:", text, re.MULTILINE):
            if _matches(tags, release.tag):
                notes.right(file.name, f"starts for {release.tag} (tags: {', '.join(tags)})")
            else:
                notes.wrong(
                    file.name,
                    f"does not start for {release.tag}: its tags are {', '.join(tags)}, and {wanted}",
                    "Correct the pattern in the workflow, or tag in [tool.releaser.git].",
                )
    tests = config.forge.tests_workflow
    tested = _text(release, tests) if tests else None
    branches = _listed(tested, "branches") if tested else []
    if tested and branches and not _matches(branches, config.git.branch):
        notes.wrong(
            tests, f"does not run for {config.git.branch}: its branches are {', '.join(branches)}", "Add the branch."
        )
    elif tested is not None:
        notes.right(tests, f"tests {config.git.branch}")
    elif tests:
        notes.warning(tests, f"{_FOLDER / tests} does not exist", "Correct tests-workflow in [tool.releaser.forge].")
    return notes


def look_at_tags(release: Release, tags: Iterable[str]) -> list[Findings]:
    """Compare the tags that there are with the configured form."""
    notes, pattern = Findings("tags"), release.config.git.tag
    listed = sorted(tags)
    fitting = [tag for tag in listed if Version.from_tag(tag, pattern)]
    similar = [tag for tag in listed if tag not in fitting and re.search(r"\d+\.\d+\.\d+", tag)]
    if similar:
        notes.warning(
            "form",
            f"{', '.join(similar[:6])} {'do' if len(similar) > 1 else 'does'} not have the form {pattern}",
            "Correct tag in [tool.releaser.git] if these are your releases: versions under other names are not seen.",
        )
    else:
        notes.right("form", f"{len(fitting)} of {len(listed)} have the form {pattern}")
    return [notes]


def _text(release: Release, workflow: str) -> str | None:
    file = release.git.root / _FOLDER / workflow
    return file.read_text("utf-8", "replace") if file.is_file() else None


def _listed(text: str, name: str) -> list[str]:
    match = re.search(_LIST.format(name=name), text, re.MULTILINE)
    if match is None:
        return []
    items = match["inline"].split(",") if match["inline"] is not None else match["block"].split("\n")
    return [one.strip().removeprefix("- ").partition(" #")[0].strip("\"' ") for one in items if one.strip()]


def _matches(patterns: Iterable[str], name: str) -> bool:
    """Apply patterns as GitHub does: the last one that fits decides, `!` takes back."""
    fits = False
    for pattern in patterns:
        if fnmatchcase(name, pattern.removeprefix("!").replace("**", "*")):
            fits = not pattern.startswith("!")
    return fits
