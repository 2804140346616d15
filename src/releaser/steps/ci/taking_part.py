"""Which workflows take part in one release: those that the configuration names, and those that were started anyway.

With `run = "here"` the workflow that releases can still be started on its page, and it starts the one that builds the
images wherever that can be started for a version. So GitHub is asked what it runs.
"""

from __future__ import annotations

from releaser.adapters.forge.workflow_file import FOLDER, parse_workflow
from releaser.errors import UsageError
from releaser.release import Release
from releaser.steps.ci import runs
from releaser.steps.ci.have_workflows import not_startable
from releaser.steps.ci.runs import Seen


def is_carried_out(release: Release) -> bool:
    """Return whether the workflow that releases carries this version out: it is configured to, or was started for it.

    Once the release is published otherwise, a run that failed before is past.

    Raises:
        ServiceError: GitHub refused, or did not respond.
    """
    if release.config.run == "ci":
        return True
    found = runs.dispatched_runs(release)
    if not found or not found[0].ended:
        return bool(found)
    if found[0].conclusion == "success":
        return True
    published = release.forge.find_release(release.tag)
    return published is None or published.draft


def builds_images(release: Release, commit: str) -> bool:
    """Return whether the workflow that releases has the images built by their workflow, as a commit has that one.

    It does wherever that can be started for a version: `via = "push"` means a machine that is none of GitHub's.
    """
    images = release.config.images
    if not images.targets or images.via == "ci":
        return bool(images.targets)
    text = release.git.file(commit, f"{FOLDER}/{images.workflow}")
    try:
        return text is not None and not not_startable(release, parse_workflow(images.workflow, text))
    except UsageError:  # it is no workflow
        return False


def published_by(release: Release, *, carried_out: bool) -> list[str]:
    """Return the workflows that publish what is released: those that will be started, and those that were.

    Args:
        release: The release.
        carried_out: Whether the workflow that releases carries it out.

    Raises:
        ServiceError: GitHub refused, or did not respond.
    """
    config = release.config
    found = list(config.publishing_workflows)
    if carried_out and builds_images(release, release.commit() or release.git.head()):
        found.append(config.images.workflow)
    others = [config.pypi.workflow, *([config.images.workflow] if config.images.targets else [])]
    found += [one for one in others if one not in found and runs.runs_of(release, one)]
    return [one for one in dict.fromkeys(found) if one != config.release_workflow]


def newest_runs(release: Release) -> list[Seen]:
    """Return the newest run of each workflow that takes part, as far as it was started, from here or elsewhere.

    Raises:
        ServiceError: GitHub refused, or did not respond.
    """
    carried_out, workflow = is_carried_out(release), release.config.release_workflow
    newest = [(workflow, run) for run in runs.dispatched_runs(release)[:1]] if carried_out else []
    for one in published_by(release, carried_out=carried_out):
        newest += [(one, run) for run in runs.runs_of(release, one)[:1]]
    return [runs.look(release, one, run) for one, run in newest]


def told(release: Release) -> list[dict[str, object]]:
    """Return as data the newest run of each workflow that takes part in this release.

    Raises:
        ServiceError: GitHub refused, or did not respond.
    """
    return [runs.facts(one) for one in newest_runs(release)]
