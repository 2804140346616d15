"""Deployment environments: which ones the workflows name, what each must be limited to, and what GitHub says it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from releaser.adapters.forge.patterns import fits
from releaser.adapters.forge.settings import PROTECTED, Environment
from releaser.adapters.forge.workflow_file import WorkflowFile, read_workflows
from releaser.inspection.findings import Findings
from releaser.release import Release


@dataclass(frozen=True)
class WantedEnvironment:
    """An environment that a workflow names.

    Attributes:
        name: Its name.
        branch: The branch whose workflows it must let in; None if none begins on a branch.
        tag: The pattern of tags whose workflows it must let in; None likewise.
        jobs: The jobs that it protects, in words.
    """

    name: str
    branch: str | None
    tag: str | None
    jobs: tuple[str, ...]

    @property
    def limits(self) -> str:
        """Return what to select as branches and tags."""
        return ", ".join(
            [*([f"branch {self.branch}"] if self.branch else []), *([f"tag {self.tag}"] if self.tag else [])]
        )


def wanted_environments(release: Release, files: Mapping[str, WorkflowFile]) -> list[WantedEnvironment]:
    """Return the environments of all jobs, in the order of the files."""
    config = release.config
    using = [(job.environment, file, job) for file in files.values() for job in file.jobs if job.environment]
    found = []
    for name in dict.fromkeys(environment for environment, _, _ in using):
        its = [(file, job) for environment, file, job in using if environment == name]
        # A release from CI begins on the branch; what follows it is started at its tag.
        on_branch = any(file.name == config.release_workflow for file, _ in its)
        at_tag = any(file.name != config.release_workflow for file, _ in its)
        found.append(
            WantedEnvironment(
                name,
                config.git.branch if on_branch else None,
                config.git.tag.replace("{version}", "*") if at_tag else None,
                tuple(f"{job.name} ({file.name})" for file, job in its),
            )
        )
    return found


def look_at_environments(release: Release) -> list[Findings]:
    """Compare the environments that the workflows name with those that GitHub has.

    Raises:
        ServiceError: GitHub did not respond.
        UsageError: A workflow file cannot be read.
    """
    notes, wanted = Findings("environments"), wanted_environments(release, read_workflows(release.git.root))
    if not wanted:
        notes.none("names", "no workflow names one")
        return [notes]
    there = release.forge.settings.environments()
    if there is None:
        names = ", ".join(one.name for one in wanted)
        notes.unproven(names, "GitHub does not tell this token", "Compare them with what `invoke setup` prints.")
        return [notes]
    for one in wanted:
        _compare(notes, one, there.get(one.name), str(release.tag))
    return [notes]


def _compare(notes: Findings, wanted: WantedEnvironment, there: Environment | None, tag: str) -> None:
    jobs, remedy = ", ".join(wanted.jobs), f"Limit it to {wanted.limits} (`invoke setup`)."
    if there is None:
        # GitHub makes it when a job first names it, without any rule.
        notes.wrong(wanted.name, f"does not exist, so that nothing protects {jobs}", f"Create it. {remedy}")
    elif there.branches is None:
        notes.wrong(wanted.name, f"lets every branch in: an altered workflow on any branch can be {jobs}", remedy)
    elif wanted.branch and there.branches != PROTECTED and not fits(wanted.branch, there.branches):
        notes.wrong(wanted.name, f"does not let {wanted.branch} in, where {jobs} begins", remedy)
    elif wanted.tag and not fits(tag, there.tags):
        notes.wrong(wanted.name, f"does not let {tag} in, where {jobs} begins", remedy)
    elif "*" in (*there.branches, *there.tags):
        notes.wrong(wanted.name, "lets every branch or tag in by the pattern *", remedy)
    elif not there.reviewers:
        notes.warning(wanted.name, f"needs no approval: {jobs}", "Require a reviewer.")
    else:
        reviews = "self-review prevented" if there.prevents_self_review else "self-review allowed"
        limits = ", ".join((*there.branches, *there.tags))
        notes.right(wanted.name, f"limited to {limits}; {there.reviewers} may approve, {reviews}")
