"""Trusted publishers: what an index must know of a workflow before it takes files from it, without any token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from releaser.adapters.forge.workflow_file import FOLDER, WorkflowFile
from releaser.config.project import INDEX_TITLES, IndexName
from releaser.release import Release


@dataclass(frozen=True)
class Publisher:
    """The values of one publisher, as the index's form asks for them.

    Attributes:
        index: The index's title.
        project: The distribution.
        owner: The repository's owner.
        repository: Its name.
        workflow: The workflow's file; None where the checkout has no such file.
        file: What that file is called.
        environments: Those of its jobs that can prove their identity; empty where none of them has one.
        configured: The environment that the configuration names; empty where it names none.
        page: Where the project's publishers are listed.
    """

    index: str
    project: str
    owner: str
    repository: str
    workflow: WorkflowFile | None
    file: str
    environments: tuple[str, ...]
    configured: str
    page: str

    @property
    def proves(self) -> bool:
        """Whether any job of the workflow can prove its identity."""
        return bool(self.workflow and self.workflow.uploaders)

    @property
    def pending_page(self) -> str:
        """Return where it is registered before the project's first upload."""
        return urljoin(self.page, "/manage/account/publishing/")

    @property
    def environment(self) -> str:
        """Return what the form's last field gets."""
        return self.configured or " or ".join(self.environments) or "(leave blank)"

    def problem(self) -> tuple[str, str] | None:
        """Return what keeps the workflow from uploading, or lets others do it, and what to do; None if nothing does."""
        if self.workflow is None:
            return f"{FOLDER / self.file} does not exist", "Correct workflow, or add the file."
        if not self.proves:
            return (
                f"{self.file} has no `id-token: write`: no job of it can prove its identity",
                "Give the job that uploads `permissions: id-token: write`.",
            )
        if self.configured and self.configured not in self.environments:
            there = ", ".join(self.environments) or "none"
            return (
                f"no job of {self.file} with `id-token: write` has the environment {self.configured} (found: {there})",
                "Correct environment in [tool.releaser], or in the workflow: an index refuses every other.",
            )
        if not self.environments:
            return (
                f"the job of {self.file} that uploads has no environment: anyone who may write to the repository can "
                "change the file on a branch and upload from there",
                "Give it an environment, and name that to the index (`invoke setup`).",
            )
        return None


def publisher(release: Release, name: IndexName, workflows: Mapping[str, WorkflowFile]) -> Publisher | None:
    """Return the publisher that an index must know; None where uploads are made with a token from a machine."""
    config = release.config.index(name)
    if config.via != "ci" and release.config.run != "ci":
        return None
    return _publisher(release, name, workflows)


def possible_publisher(release: Release, name: IndexName, workflows: Mapping[str, WorkflowFile]) -> Publisher | None:
    """Return the publisher that releases from CI would need, if the checkout has a workflow for them."""
    found = _publisher(release, name, workflows)
    return found if found.proves else None


def _publisher(release: Release, name: IndexName, workflows: Mapping[str, WorkflowFile]) -> Publisher:
    owner, _, repository = release.repository.partition("/")
    file = release.config.index(name).workflow
    workflow = workflows.get(file)
    jobs = workflow.uploaders if workflow else ()
    # A workflow may upload to both indexes: then the command tells which job does which.
    own = [job for job in jobs if f".{name}" in job.commands] or jobs
    environments = dict.fromkeys(job.environment for job in own if job.environment)
    return Publisher(
        INDEX_TITLES[name],
        release.config.distribution,
        owner,
        repository,
        workflow,
        file,
        tuple(environments),
        release.config.index(name).environment,
        release.index(name).publishing_page(release.config.distribution),
    )
