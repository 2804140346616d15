"""Deployment environments: which ones the workflows name, what each must be limited to, and what GitHub says it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    # GitHub compares names without their case.
    by_name = {name.casefold(): found for name, found in there.items()}
    for one in wanted:
        _compare(notes, one, by_name.get(one.name.casefold()), release)
    return [notes]


def _compare(notes: Findings, wanted: WantedEnvironment, there: Environment | None, release: Release) -> None:
    jobs = ", ".join(wanted.jobs)
    if there is None:
        # GitHub creates it when a job first names it, without any rule.
        remedy = f"Create it. Limit it to {wanted.limits}, and require a reviewer (`invoke setup`)."
        notes.wrong(wanted.name, f"does not exist, so that nothing protects {jobs}", remedy)
        return
    limits, approval = list(_wrong_limits(wanted, there, release)), list(_wrong_approval(wanted, there))
    if limits or approval:
        narrow = [f"Limit it to {wanted.limits} (`invoke setup`)."] if limits else []
        notes.wrong(
            wanted.name,
            "; ".join([*limits, *(says for says, _ in approval)]),
            " ".join([*narrow, *(remedy for _, remedy in approval)]),
        )
    elif not there.prevents_self_review:
        # With self-review prevented, a project of one person could approve nothing.
        notes.warning(
            wanted.name,
            f"its only reviewer may approve a run that the same person started: {jobs}",
            "If a second person can review, name that person and prevent self-review.",
        )
    else:
        limited = ", ".join((*(there.branches or ()), *there.tags))
        notes.right(wanted.name, f"limited to {limited}; {there.reviewers} may approve, self-review prevented")


def _wrong_limits(wanted: WantedEnvironment, there: Environment, release: Release) -> Iterable[str]:
    """Return which refs it lets in that it must not, and which it keeps out that it must let in."""
    jobs, branch, tag = ", ".join(wanted.jobs), release.config.git.branch, str(release.tag)
    if there.branches is None:
        yield f"lets every branch in: an altered workflow on any branch can be {jobs}"
        return
    if wanted.branch and there.branches != PROTECTED and not fits(wanted.branch, there.branches):
        yield f"does not let {wanted.branch} in, where {jobs} begins"
    if wanted.tag and not fits(tag, there.tags):
        yield f"does not let {tag} in, where {jobs} begins"
    # The release branch is as safe where only tags are needed: what it has is released.
    wide = [f"the branch pattern {one}" for one in there.branches if there.branches != PROTECTED and one != branch]
    wide += [f"the tag pattern {one}" for one in there.tags if not (wanted.tag and _within(one, wanted.tag))]
    if wide:
        yield f"lets other refs in by {' and by '.join(wide)}: an altered workflow there can be {jobs}"


def _wrong_approval(wanted: WantedEnvironment, there: Environment) -> Iterable[tuple[str, str]]:
    jobs = ", ".join(wanted.jobs)
    if not there.reviewers:
        yield (
            f"needs no approval: {jobs}",
            "Require a reviewer. (A private repository needs GitHub Enterprise for that; without it, release from a "
            'terminal with via = "upload".)',
        )
    elif not there.prevents_self_review and not there.by_one:
        yield f"lets reviewers approve runs that they started: {jobs}", "Prevent self-review."


def _within(pattern: str, wide: str) -> bool:
    """Return whether a pattern lets in nothing that another one keeps out, which has one `*` and no other sign."""
    start, _, end = wide.partition("*")
    inner = pattern.removeprefix(start).removesuffix(end)
    return pattern == f"{start}{inner}{end}" and "/" not in inner
