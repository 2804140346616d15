"""The jobs of the workflow that releases, one function for each: `invoke ci.build` and others.

Each begins in a fresh checkout of the commit that the workflow was started for. The outputs of other jobs tell it what
these built. See docs/releasing.md for which job may do what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from releaser import engine
from releaser.adapters.forge.workflow_file import FOLDER
from releaser.commands import trust
from releaser.commands.jobs import (
    ARTIFACT,
    PHASES,
    as_published,
    derive,
    derived,
    leave,
    manifest_in,
    open_in_job,
    pin,
    steps_that_test,
    take,
    time_for,
)
from releaser.core.files import SUMS
from releaser.core.step import part_of
from releaser.dists.built import Dists
from releaser.dists.manifest import Manifest, agree, compare
from releaser.errors import ConflictError, UsageError
from releaser.plan import release_plan
from releaser.release import Release
from releaser.steps.ci.taking_part import builds_images

_CHECKS = (
    "agree_on_version",
    "raise_version",
    "have_sources",
    "have_changes",
    "fit_notes",
    "know_backend",
    "meet_index_rules",
    "render_readme",
)
"""What of the preflight needs no login; `invoke release` has done all of it before it starts the workflow."""
_ASKED_BEFORE_THE_PUSH = "have_passed_tests"
_LOCAL = ("try_push_hook", "build_images", "start_images")
"""What of qualification is not a test of the files: the job has no hooks, and another workflow builds the images."""


def build(start: Path, version: str | None) -> None:
    """Run `invoke ci.build`: derive the release commit, build from it, and say what was built."""
    opened, job = open_in_job(start, version)
    _carry_out(opened, *_CHECKS)
    parent = opened.git.head()
    commit = derive(opened, parent, time_for(opened, parent))
    _carry_out(opened, "stage", "build")
    dists = as_published(opened, opened.built())
    leave(opened, dists)
    job.output("manifest", Manifest.of(dists, opened.version, parent, commit, opened.git.time_of(commit)).line())


def rebuild(start: Path, version: str | None, built: str | None) -> None:
    """Run `invoke ci.rebuild`: build the same again, here or at the tag, compare, and say what was built.

    Raises:
        ConflictError: The two builds differ.
    """
    opened, job = open_in_job(start, version)
    parent = opened.git.head()
    if built is None:
        commit = parent
        trust.expect_published(opened, commit)
        parent = opened.git.parent(commit) or commit
        pin(opened, commit)
    else:
        manifest = manifest_in(opened, built, "MANIFEST")
        trust.expect_at(opened, job, manifest)
        commit = derived(opened, manifest)
    _carry_out(opened, "stage", "build_dists", "inspect_dists", "inspect_uploads")
    dists = opened.built()
    mine = Manifest.of(dists, opened.version, parent, commit, opened.git.time_of(commit))
    if built is None:
        leave(opened, dists)
        job.output("attach", "true" if _lacks_files(opened) else "false")
    else:
        manifest = manifest_in(opened, built, "MANIFEST")
        artifact = opened.git.root / ARTIFACT
        if artifact.is_dir():
            compare(artifact, mine, "The artifact", dists.directory)
        agree(manifest, mine)
    job.output("manifest", mine.line())


def test(start: Path, version: str | None, built: str | None, phases: Sequence[str]) -> None:
    """Run `invoke ci.test`: let these very files pass what a release from here lets them pass.

    Raises:
        UsageError: A phase is unknown: a job that tests nothing would pass.
    """
    opened, job = open_in_job(start, version)
    names = steps_that_test(opened.config, phases or PHASES)
    manifest = manifest_in(opened, built, "MANIFEST")
    trust.expect_at(opened, job, manifest)
    derived(opened, manifest)
    take(opened, manifest)
    _carry_out(opened, "open_worktree", *names, skip=dict.fromkeys(_LOCAL, "not a test of the files"))


def testpypi(start: Path, version: str | None, built: str | None, rebuilt: str | None) -> None:
    """Run `invoke ci.testpypi`: upload the files to TestPyPI by the job's identity."""
    opened = _trusted(start, version, built, rebuilt)
    _carry_out(_uploading(opened), "ask_again", "upload_testpypi")


def try_testpypi(start: Path, version: str | None, built: str | None) -> None:
    """Run `invoke ci.try`: install from TestPyPI what was uploaded there."""
    opened, job = open_in_job(start, version)
    manifest = manifest_in(opened, built, "MANIFEST")
    trust.expect_at(opened, job, manifest)
    derived(opened, manifest)
    take(opened, manifest)
    _carry_out(_uploading(opened), "try_testpypi")


def release(start: Path, version: str | None, built: str | None, rebuilt: str | None) -> None:
    """Run `invoke ci.release`: push branch and tag, publish the release, start the workflows that follow.

    Raises:
        ConflictError: What was published is not what was built.
    """
    opened = _trusted(start, version, built, rebuilt, first=_ASKED_BEFORE_THE_PUSH)
    # What the token may not do would show only when the tag is public.
    _carry_out(opened, "log_in_remote")
    for workflow, _, _ in followers(opened):
        opened.forge.workflows.may_dispatch(workflow)
    _carry_out(opened, "push", "draft_release", "upload_assets")
    expect_assets(opened, opened.built())
    _carry_out(opened, "publish_release")
    trust.expect_published(opened, opened.must_have_commit())
    expect_assets(opened, opened.built())
    start_followers(opened)


def expect(start: Path, version: str | None, built: str | None, rebuilt: str | None) -> None:
    """Run `invoke ci.expect`: see that the artifact holds what both builds made, before something else uses it."""
    for name, digest in sorted(_trusted(start, version, built, rebuilt).built().sha256.items()):
        print(f"{digest}  {name}")


def try_wheel(start: Path, version: str | None, rebuilt: str | None) -> None:
    """Run `invoke ci.try-wheel`: install the wheel that was built from the tag, and run it."""
    opened, _ = open_in_job(start, version)
    manifest = manifest_in(opened, rebuilt, "REBUILT")
    pin(opened, manifest.commit)
    take(opened, manifest)
    _carry_out(opened, "try_wheel", "try_with_uv")


def attach(start: Path, version: str | None, rebuilt: str | None) -> None:
    """Run `invoke ci.attach`: attach the files built from the tag to a release that was published without them.

    Raises:
        ConflictError: The release can take no files.
    """
    opened, job = open_in_job(start, version, may_push=True)
    job.expect(opened.repository, opened.config.pypi.workflow, trust.publishing(opened))
    manifest = manifest_in(opened, rebuilt, "REBUILT")
    trust.expect_published(opened, manifest.commit)
    pin(opened, manifest.commit)
    dists = take(opened, manifest)
    found = opened.forge.find_release(opened.tag)
    if found is None or found.draft:
        raise UsageError(f"There is no published release {opened.tag}", "Publish it first.")
    for name in (*dists.sha256, SUMS):
        opened.forge.assets.upload(found.id, dists.directory / name, "application/octet-stream")
        print(f"attached {name}")


def expect_assets(opened: Release, dists: Dists) -> None:
    """See that the published release has the very files that were built.

    Raises:
        ConflictError: An asset is not there, or has other bytes.
    """
    found = opened.forge.find_release(opened.tag)
    with opened.store.scratch("assets") as scratch:
        held = {one.name: one for one in found.assets} if found else {}
        for name, digest in dists.assets.items():
            asset = held.get(name)
            there = asset and (asset.sha256 or opened.forge.assets.download(asset, scratch / name))
            if there != digest:
                raise ConflictError(
                    f"The release {opened.tag} has {name} with sha256 {str(there or 'none')[:12]}; built was "
                    f"{digest[:12]}",
                    "Find out who changed it. The workflow that publishes to the index refuses it as well.",
                )


def followers(opened: Release) -> list[tuple[str, str, dict[str, str]]]:
    """Return the workflows of the project that follow a release, with the ref and the inputs of each."""
    config, commit = opened.config, opened.must_have_commit()
    version = {"version": str(opened.version)}
    wanted: list[tuple[str, str, dict[str, str]]] = []
    if config.pypi.via == "ci":
        wanted.append((config.pypi.workflow, opened.tag, version))
    if builds_images(opened, commit):
        wanted.append((config.images.workflow, opened.tag, version))
    if config.forge.tests_workflow:
        wanted.append((config.forge.tests_workflow, opened.tag, {}))  # the branch may have moved on
    return [one for one in wanted if opened.git.file(commit, f"{FOLDER}/{one[0]}") is not None]


def start_followers(opened: Release) -> None:
    """Start the workflows that a push and a release start otherwise: what a workflow's own token does starts none.

    One that runs already, or has passed, is not started again.

    Raises:
        ServiceError: The forge refused; what is published stays.
    """
    commit = opened.must_have_commit()
    for workflow, ref, inputs in followers(opened):
        of_this = (one for one in opened.forge.workflows.runs(workflow) if one.commit == commit and one.branch == ref)
        if any(one.conclusion in (None, "success") for one in of_this):
            print(f"{workflow} was started for {ref} already")
            continue
        opened.forge.workflows.dispatch(workflow, ref, inputs)
        print(f"{workflow} started for {ref}")


def _trusted(start: Path, version: str | None, built: str | None, rebuilt: str | None, first: str = "") -> Release:
    """Return the release with files that two jobs built alike, after every check that a job with a privilege makes.

    Args:
        start: The checkout.
        version: The version.
        built: What the first job built.
        rebuilt: What the second one built.
        first: A step of the preflight to carry out before anything of the release is public.
    """
    opened, job = open_in_job(start, version, may_push=True)
    job.expect(opened.repository, opened.config.release_workflow, trust.releasing(opened.config))
    manifest = manifest_in(opened, built, "MANIFEST")
    again = manifest_in(opened, rebuilt, "REBUILT")
    agree(manifest, again)
    opened = replace(opened, rebuilt=again)
    trust.expect_at(opened, job, manifest)
    trust.expect_not_moved(opened, manifest)
    if first and opened.git.remote_tag(opened.config.git.remote, opened.tag) is None:
        _carry_out(opened, first)
    derived(opened, manifest)
    take(opened, manifest)
    return opened


def _lacks_files(opened: Release) -> bool:
    """Return whether the published release has none of our files and can take them; say so if it cannot."""
    found = opened.forge.find_release(opened.tag)
    if found is None or found.draft or SUMS in {one.name for one in found.assets}:
        return False
    if found.immutable:
        print(f"The release {opened.tag} is immutable and takes no files; they go to the index all the same.")
    return not found.immutable


def _uploading(opened: Release) -> Release:
    """Return the release with TestPyPI as an index that this job uploads to."""
    index = opened.config.testpypi.model_copy(update={"via": "upload"})
    return replace(opened, config=opened.config.model_copy(update={"testpypi": index}))


def _carry_out(opened: Release, *names: str, skip: dict[str, str] | None = None) -> None:
    part = part_of(release_plan(opened.config), *names)
    steps = {step.name for phase in part for step in phase.steps}
    known = {name: why for name, why in (skip or {}).items() if name in steps}
    engine.carry_out(opened, part, skip=known, confirm=engine.say_yes)
