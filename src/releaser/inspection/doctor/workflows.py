"""What the project's workflows do with a release: publishers, environments, tags and branches that start them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from releaser.adapters.forge.patterns import matches
from releaser.adapters.forge.workflow_file import FOLDER, WorkflowFile, read_workflows
from releaser.config.project import INDEX_TITLES
from releaser.inspection.doctor.release_workflows import look_at_release_workflows
from releaser.inspection.findings import Findings
from releaser.inspection.setup.publishers import publisher
from releaser.release import Release
from releaser.versions.version import Version


def look_at_workflows(release: Release) -> list[Findings]:
    """Look at the workflow files of the checkout."""
    files = read_workflows(release.git.root)
    return [_publishers(release, files), *look_at_release_workflows(release, files), _triggers(release, files)]


def _publishers(release: Release, files: Mapping[str, WorkflowFile]) -> Findings:
    """Say which values each trusted publisher must have, and compare them with the workflow's file."""
    notes = Findings("trusted publishers")
    for name, title in INDEX_TITLES.items():
        known = publisher(release, name, files)
        if known is None:
            notes.none(name, "uploads are made from this machine, with a token")
            continue
        values = (
            f"project {known.project}, owner {known.owner}, repository {known.repository}, workflow {known.file}, "
            f"environment {known.environment}"
        )
        if known.workflow is not None:
            notes.unproven(name, f"{title} must know: {values}", f"Compare with {known.page}.")
        if problem := known.problem():
            notes.wrong(f"{name} identity", *problem)
        else:
            notes.right(f"{name} identity", f"{known.file} may ask for one (id-token: write)")
        triggers = known.workflow.triggers if known.workflow else {}
        if "workflow_call" in triggers and not {"push", "release"} & {*triggers}:
            notes.warning(f"{name} start", f"{known.file} is reusable", "Start it directly: PyPI refuses that.")
    return notes


def _triggers(release: Release, files: Mapping[str, WorkflowFile]) -> Findings:
    notes, config = Findings("workflows"), release.config
    if not files:
        notes.none("files", f"there are none in {FOLDER}")
    for file in files.values():
        tags = file.patterns("push", "tags")
        if not tags:
            continue
        if matches(release.tag, tags):
            notes.right(file.name, f"starts for {release.tag} (tags: {', '.join(tags)})")
        else:
            notes.wrong(
                file.name,
                f"does not start for {release.tag}: its tags are {', '.join(tags)}, and {config.git.tag!r} makes "
                f"{release.tag}",
                "Correct the pattern in the workflow, or tag in [tool.releaser.git].",
            )
    if not (tests := config.forge.tests_workflow):
        return notes
    tested = files.get(tests)
    branches = tested.patterns("push", "branches") if tested else ()
    if tested is None:
        notes.warning(tests, f"{FOLDER / tests} does not exist", "Correct tests-workflow in [tool.releaser.forge].")
    elif branches and not matches(config.git.branch, branches):
        notes.wrong(
            tests, f"does not run for {config.git.branch}: its branches are {', '.join(branches)}", "Add the branch."
        )
    else:
        notes.right(tests, f"tests {config.git.branch}")
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
