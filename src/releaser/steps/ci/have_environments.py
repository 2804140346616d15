"""Preflight of a release in which workflows take part: the environments that protect their jobs exist."""

from __future__ import annotations

from collections.abc import Iterable

from releaser.adapters.forge.workflow_file import FOLDER, parse_workflow
from releaser.adapters.git import Git
from releaser.core.step import Conflict, Done, Outcome, Skipped, Step
from releaser.errors import UsageError
from releaser.release import Release
from releaser.steps.ci.have_workflows import workflow_names

_EXPRESSION = "${{"


class HaveEnvironments(Step[Release]):
    """Each environment that a job of the release's workflows names exists.

    GitHub does not refuse a job whose environment does not exist: it creates the environment, without any rule, and the
    job runs with its permissions although no person approved it.
    https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments
    """

    name = "have_environments"
    title = "Environments of the workflows exist"

    def check(self, release: Release) -> Outcome:
        """Ask the forge for the environments that the workflows of the commit to be released name."""
        named = environments_of(release.git, release.git.head(), workflow_names(release))
        if not named:
            return Skipped("no job of a workflow that takes part names one")
        if release.credentials.token(release.config.forge.token_env) is None:
            return Skipped("no token for the forge")
        there = release.forge.settings.environment_names()
        if there is None:
            return Done(f"the forge does not tell its environments: they are unproven ({', '.join(named)})")
        # GitHub compares names without their case.
        known = {name.casefold() for name in there}
        computed = [name for name in named if _EXPRESSION in name]
        missing = [name for name in named if name not in computed and name.casefold() not in known]
        if missing:
            which = "; ".join(f"environment {name} for {', '.join(named[name])}" for name in missing)
            return Conflict(
                f"{release.repository} does not have: {which}. GitHub would create it without any rule, and run the "
                "job without approval",
                "Create it with the values that `invoke setup` shows.",
            )
        left = [f"whether {name} exists is unproven" for name in computed]
        return Done("; ".join([", ".join(name for name in named if name not in computed), *left]).removeprefix("; "))


def environments_of(git: Git, commit: str, workflows: Iterable[str]) -> dict[str, list[str]]:
    """Return the environments that jobs of a commit's workflows name, each with its jobs in words.

    A file that does not exist or cannot be read has none; `HaveWorkflows` says so.
    """
    found: dict[str, list[str]] = {}
    for file in workflows:
        text = git.file(commit, f"{FOLDER}/{file}")
        try:
            jobs = parse_workflow(file, text).jobs if text is not None else ()
        except UsageError:
            continue
        for job in jobs:
            if job.environment:
                found.setdefault(job.environment, []).append(f"{job.name} ({file})")
    return found
