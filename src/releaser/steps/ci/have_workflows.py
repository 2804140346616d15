"""Preflight of a release that a workflow carries out: the workflows are there, and can be dispatched for a version."""

from __future__ import annotations

from releaser.adapters.forge.workflow_file import FOLDER, WorkflowFile, parse_workflow
from releaser.core.step import Conflict, Done, Outcome, Step
from releaser.errors import UsageError
from releaser.release import Release
from releaser.steps.ci.dispatch_release import for_jobs


class HaveWorkflows(Step[Release]):
    """Each workflow of the release is in the commit to be released, and takes a version by hand."""

    name = "have_workflows"
    title = "Workflows of the release available"

    def check(self, release: Release) -> Outcome:
        """Read them from the commit, which is what GitHub runs, not from the checkout."""
        wrong = [f"{name} {reason}" for name in workflow_names(release) if (reason := self._wrong(release, name))]
        if wrong:
            return Conflict("; ".join(wrong), f"Correct the files in {FOLDER}, or their names in [tool.releaser].")
        return Done(", ".join(workflow_names(release)))

    def _wrong(self, release: Release, name: str) -> str:
        text = release.git.file(release.git.head(), f"{FOLDER}/{name}")
        if text is None:
            return f"is not in {FOLDER}"
        try:
            file = parse_workflow(name, text)
        except UsageError as error:
            return f"cannot be read: {error.message}"
        return not_startable(release, file)


def not_startable(release: Release, file: WorkflowFile) -> str:
    """Return why a workflow cannot be started for a version, as it follows its name; empty if it can."""
    if "workflow_dispatch" not in file.triggers:
        return "cannot be dispatched (it has no workflow_dispatch)"
    if "version" not in file.inputs:
        return "has no input named version"
    if file.name == release.config.release_workflow and for_jobs(release) and "choose" not in file.inputs:
        return f"has no input named choose, which takes {' '.join(for_jobs(release))}"
    if file.name == release.config.release_workflow and "inputs.version" not in file.run_name:
        return 'needs `run-name: "Release ${{ inputs.version }}"`: GitHub tells no run\'s inputs'
    return ""


def workflow_names(release: Release) -> list[str]:
    """Return the workflows that take part in a release."""
    config = release.config
    by_run = [config.release_workflow] if config.run == "ci" else []
    by_index = [config.pypi.workflow] if config.pypi.via == "ci" else []
    by_images = [config.images.workflow] if config.images.targets and config.images.via == "ci" else []
    return list(dict.fromkeys([*by_run, *by_index, *by_images]))
