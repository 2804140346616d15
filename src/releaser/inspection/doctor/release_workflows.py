"""The workflows that take part in a release: whether they can be started for a version, and what each job may do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from releaser.adapters.forge.workflow_file import FOLDER, Job, WorkflowFile
from releaser.inspection.findings import Findings
from releaser.release import Release
from releaser.steps.ci.have_workflows import not_startable, workflow_names

_GUARDED = ("contents", "id-token")
"""What decides over a release: only an environment keeps an altered workflow on another branch from it.

`packages` is not among them: images are pushed for a tag whose release was approved, and no environment keeps a
workflow on another branch from asking for that permission (docs/ci.md).
"""
_TESTS = re.compile(r"\b(?:nox|pytest|tox|ci\.test|ci\.try|docker\.start)\b")
_UPLOADS = re.compile(r"\b(?:publish\.pypi|twine upload)\b")
_UPLOADER = "pypa/gh-action-pypi-publish@"


def look_at_release_workflows(release: Release, files: Mapping[str, WorkflowFile]) -> list[Findings]:
    """Look at each workflow of the release, and for others that would publish the same.

    Args:
        release: The release.
        files: The workflows of the checkout.
    """
    notes, taking_part = Findings("workflows of the release"), workflow_names(release)
    if not taking_part:
        notes.none("all", "this machine publishes everything itself")
    for name in taking_part:
        file = files.get(name)
        if file is None:
            notes.wrong(
                name, f"{FOLDER / name} does not exist", "Correct its name in [tool.releaser], or add the file."
            )
            continue
        if reason := not_startable(release, file):
            notes.wrong(name, reason, f"Correct {FOLDER / name}.")
        wrong = [(job, *problem) for job in file.jobs for problem in _problems(job)]
        for job, problem, remedy in wrong:
            notes.wrong(name, f"the job {job.name!r} {problem}", remedy)
        if not reason and not wrong:
            notes.right(name, "; ".join(_told(file)) or "no job may write anything")
    _other_owners(release, files.values(), notes)
    return [notes]


def _problems(job: Job) -> Iterable[tuple[str, str]]:
    if "*" in job.permissions:
        yield (
            "does not say what its token may do, so it may do what the repository's settings say",
            "Put `permissions: {}` at the top of the file, and what a job needs into that job.",
        )
        return
    guarded = [scope for scope in _GUARDED if job.may_write(scope)]
    # An attestation names the workflow that asks for it; it lets no one publish anything.
    if job.may_write("attestations"):
        guarded = [scope for scope in guarded if scope != "id-token"]
    if guarded and not job.environment:
        yield (
            f"has {_scopes(guarded)} and no environment",
            "Give it an environment that is limited to the release branch and its tags and has a reviewer, or take the "
            "permission away.",
        )
    if (writes := [scope for scope in job.permissions if job.may_write(scope)]) and (
        ran := _TESTS.search(job.commands)
    ):
        yield (
            f"has {_scopes(writes)} and runs {ran[0]}, and what it tests could use that",
            "Run tests in a job of their own, without permissions.",
        )


def _scopes(scopes: Iterable[str]) -> str:
    return " and ".join(f"`{scope}: write`" for scope in scopes)


def _told(file: WorkflowFile) -> Iterable[str]:
    for job in file.jobs:
        if writes := [scope for scope in job.permissions if job.may_write(scope)]:
            where = f" in {job.environment}" if job.environment else ""
            yield f"{job.name}: {', '.join(writes)}{where}"


def _other_owners(release: Release, files: Iterable[WorkflowFile], notes: Findings) -> None:
    """Find workflows that publish what something else in the release publishes."""
    config = release.config
    for file in files:
        owns = config.pypi.via == "ci" and file.name == config.pypi.workflow
        if file.starts_at_tags and not owns and any(map(_uploads, file.jobs)):
            owner = config.pypi.workflow if config.pypi.via == "ci" else "this machine"
            notes.wrong(
                file.name,
                f"uploads to PyPI when a release or a tag is out, and so does {owner}: two owners",
                'Set via = "ci" and workflow in [tool.releaser.pypi] to it, or have it uploaded by one of them.',
            )
        pushes = any(job.may_write("packages") and "*" not in job.permissions for job in file.jobs)
        asks_first = any("docker.due" in job.commands for job in file.jobs)
        if config.images.targets and config.images.via == "push" and file.starts_at_tags and pushes and not asks_first:
            notes.wrong(
                file.name,
                "may push images when a tag is out, and this machine pushes them too: two owners of one tag",
                'Set via = "ci" in [tool.releaser.images], or take the tags out of its triggers.',
            )


def _uploads(job: Job) -> bool:
    return bool(_UPLOADS.search(job.commands)) or any(action.startswith(_UPLOADER) for action in job.actions)
