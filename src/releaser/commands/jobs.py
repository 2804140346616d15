"""What every job of the workflows begins with: the release as a job has it, its commit, and the files of other jobs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from releaser.adapters import builder
from releaser.adapters.forge.job import Job
from releaser.adapters.git import Git
from releaser.adapters.git.job import in_job
from releaser.adapters.git.trees import remove_worktree
from releaser.adapters.where import CHOICES
from releaser.changelog.document import Changelog
from releaser.commands.opening import opened_release
from releaser.config.project import Config
from releaser.core.files import sha256, write_sums
from releaser.core.named import chosen
from releaser.core.step import part_of
from releaser.dists import earlier
from releaser.dists.built import Dists
from releaser.dists.manifest import Manifest, take_artifact
from releaser.errors import ConflictError, UsageError
from releaser.history.derived import commit_version, day_of, epoch_for
from releaser.plan import release_plan
from releaser.release import Release
from releaser.steps.publish.upload_dists import spent_remedy
from releaser.steps.qualify.pass_session import PassSession
from releaser.steps.qualify.try_wheel import TryWheel

ARTIFACT = "dist"
"""The directory, in the checkout, that takes the artifact of the same name."""
PHASES = ("qualify", "alone")
"""The phases of the plan that test the files."""
_PYTHON = "python"
"""What of them is worth a further Python: that the wheel installs and runs, and the sessions that are configured so."""
_SLACK_S = 86_400
"""How far the clock may be ahead with which the parent was committed."""


def open_in_job(start: Path, version: str | None, *, may_push: bool = False) -> tuple[Release, Job]:
    """Return the release as a job has it: git commits as the workflow's own user, and logs in if it may push."""
    job = Job.here()
    opened = opened_release(start, version)
    token = opened.credentials.token(opened.config.forge.token_env) if may_push else None
    choices = chosen(part_of(release_plan(opened.config), *CHOICES), job.choices)
    return replace(opened, git=in_job(opened.git, job.server, token), choices=choices), job


def manifest_in(opened: Release, text: str | None, name: str) -> Manifest:
    """Return the manifest in a variable.

    Raises:
        UsageError: It is not set, or holds none of this version.
    """
    if not text:
        raise UsageError(
            f"{name} is not set, so what other jobs built is unknown",
            "Pass the output `manifest` of the job that built the files.",
        )
    return Manifest.read(text, opened.config.distribution, opened.version, name)


def time_for(opened: Release, parent: str) -> int:
    """Return the release commit's time: today, or the day of an earlier run whose files TestPyPI has already.

    What TestPyPI has only proposes days. One counts if a build of this very commit with it makes the very bytes.

    Raises:
        ConflictError: TestPyPI has other bytes, and never takes these.
        ServiceError: TestPyPI did not answer.
    """
    born, now, config = opened.git.time_of(parent), int(time.time()), opened.config
    today = epoch_for(born, now)
    if opened.choices.get("upload_testpypi") == "without":
        return today
    if opened.git.remote_tag(config.git.remote, opened.tag):  # what TestPyPI is for is over
        return today
    held = opened.testpypi.files(config.distribution, opened.version)
    if not held:
        return today
    with opened.store.scratch("earlier") as scratch:
        downloads = scratch / "held"
        downloads.mkdir()
        for name, file in held.items():
            opened.testpypi.download(file, downloads / name)
        moments = (file.uploaded or "" for file in held.values())
        first = day_of(born)
        told = earlier.times_of(sorted(downloads.iterdir()), moments, config.changelog, opened.version)
        epochs = list(
            dict.fromkeys([*(epoch_for(born, one) for one in told if first <= day_of(one) and one <= now), today])
        )
        wrong: list[str] = []
        for epoch in epochs:
            built = _built_at(opened, parent, epoch, scratch / str(epoch))
            found = earlier.differences({name: file.sha256 for name, file in held.items()}, downloads, built)
            if not found:
                print(f"TestPyPI has these very bytes from an earlier run, of {day_of(epoch)}: they are made again")
                return epoch
            wrong = wrong or found
    raise ConflictError(
        f"TestPyPI already has other bytes of {opened.version} than {parent[:12]} and the tools here make: "
        f"{'; '.join(wrong)}. A file name can be used once there",
        spent_remedy(opened),
    )


def derive(opened: Release, parent: str, epoch: int) -> str:
    """Return the release commit on a parent, made here; a parent that declares the version already is it itself."""
    commit = _commit(opened, parent, epoch)
    pin(opened, commit)
    return commit


def derived(opened: Release, manifest: Manifest) -> str:
    """Return the release commit of a manifest, made here.

    Raises:
        ConflictError: It is another one: there is more in it than the version and the changelog, or at another time.
    """
    latest, earliest = int(time.time()) + _SLACK_S, opened.git.time_of(manifest.parent)
    if not earliest <= manifest.epoch <= latest:
        raise ConflictError(
            f"The release commit {manifest.commit[:12]} has a time that it cannot have: {day_of(manifest.epoch)}",
            "Start the workflow again.",
        )
    found = derive(opened, manifest.parent, manifest.epoch)
    if found != manifest.commit or opened.git.time_of(found) != manifest.epoch:
        raise ConflictError(
            f"The release commit of {opened.version} on {manifest.parent[:12]} is {found[:12]}; the files were built "
            f"from {manifest.commit[:12]}, which must contain something else than the version and the changelog",
            "Find out which job changed it; publish nothing. Then start the workflow again.",
        )
    return found


def steps_that_test(config: Config, phases: Sequence[str]) -> list[str]:
    """Return the phases and steps that the parts of a test stand for.

    Raises:
        UsageError: There is no such part.
    """
    if unknown := [one for one in phases if one not in (*PHASES, _PYTHON)]:
        raise UsageError(
            f"There is no phase {' or '.join(unknown)} that tests the files", f"Choose {', '.join((*PHASES, _PYTHON))}."
        )
    sessions = (PassSession(name, required=True).name for name in config.qualify.each_python)
    meant = {_PYTHON: (TryWheel.name, *sessions)}
    return [name for one in phases for name in meant.get(one, (one,))]


def pin(opened: Release, commit: str) -> None:
    """Settle on a release commit in this clone.

    Raises:
        ConflictError: It has settled on another one.
    """
    kept = opened.git.commit(opened.ref)
    if kept is None:
        opened.git.set_ref(opened.ref, commit)
    elif kept != commit:
        raise ConflictError(
            f"{opened.ref} is at {kept[:12]} in this clone, and {commit[:12]} is to be released",
            f"Run this in a fresh clone, or delete it with `git update-ref -d {opened.ref}`.",
        )


def as_published(opened: Release, dists: Dists) -> Dists:
    """Take over the bill of materials of a published release: it tells what the index had on the day of that build."""
    if opened.git.remote_tag(opened.config.git.remote, opened.tag) is None:
        return dists
    found = opened.forge.find_release(opened.tag)
    bills = (
        [one for one in found.assets if one.name in dists.sha256.keys() - dists.upload_sha256.keys()] if found else []
    )
    if found is None or found.draft or not bills:
        return dists
    digests = {one.name: opened.forge.assets.download(one, dists.directory / one.name) for one in bills}
    opened.journal.write("built", files={**dists.sha256, **digests}, commit=opened.commit())
    write_sums(dists.directory, {**dists.sha256, **digests})
    return opened.built()


def take(opened: Release, manifest: Manifest) -> Dists:
    """Take the artifact's files as the built ones, after comparing them with the manifest."""
    if opened.store.dist.exists():
        shutil.rmtree(opened.store.dist)
    dists = take_artifact(opened.git.root / ARTIFACT, manifest, opened.store.dist)
    opened.journal.write("built", files=dists.sha256, commit=manifest.commit)
    return dists


def leave(opened: Release, dists: Dists) -> None:
    """Put the built files where the workflow makes an artifact of them."""
    target = opened.git.root / ARTIFACT
    if target.exists():
        shutil.rmtree(target)
    target.mkdir()
    for name in dists.sha256:
        shutil.copyfile(dists.directory / name, target / name)
        print(f"{sha256(target / name)}  {ARTIFACT}/{name}")


def _built_at(opened: Release, parent: str, epoch: int, room: Path) -> Path:
    """Return a directory with what a build of the release commit makes that has this time."""
    commit = _commit(opened, parent, epoch)
    tree, built = room / "source", room / "dist"
    built.mkdir(parents=True)
    opened.add_worktree(tree, commit)
    try:
        builder.build(tree, built, epoch=opened.git.time_of(commit), lock=opened.config.build.lock)
    finally:
        remove_worktree(opened.git, tree)
    return built


def _commit(opened: Release, parent: str, epoch: int) -> str:
    if opened.release_commit.declares(parent):
        return parent
    tree = opened.store.worktree
    opened.add_worktree(tree, parent)
    try:
        path, changelog = opened.config.changelog, None
        if not opened.version.is_prerelease:
            changelog = (path, opened.rotated(Changelog.read(tree / path), day_of(epoch)))
        message = opened.config.git.commit_message.format(version=opened.version)
        made = Git(tree, opened.git.limits, opened.git.own)
        return commit_version(made, opened.version, opened.version_files, changelog, message, epoch)
    finally:
        remove_worktree(opened.git, tree)
