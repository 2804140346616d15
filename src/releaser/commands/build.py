"""Building from the checkout, publishing built files, and the checks that a release must pass."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from releaser import engine
from releaser.adapters import nox
from releaser.adapters.forge.job import Job
from releaser.adapters.git.entries import unlike
from releaser.commands import trust
from releaser.commands.checkout import open_checkout, with_files
from releaser.commands.jobs import ARTIFACT
from releaser.commands.opening import opened_release, project
from releaser.config.project import IndexName
from releaser.core.counting import count_of
from releaser.core.files import sha256
from releaser.core.step import Phase, Warned, in_order, part_of
from releaser.dists.from_release import download_from_release, rebuilt_files
from releaser.dists.manifest import Manifest
from releaser.errors import ConflictError, StepError, UsageError
from releaser.plan import release_plan
from releaser.release import Release
from releaser.steps.keep.copy_dists import CopyDists

_PUBLISH = {"testpypi": ("upload_testpypi", "try_testpypi"), "pypi": ("upload_pypi",)}


def build(start: Path, out: Path) -> None:
    """Run `invoke build`."""
    opened = open_checkout(start)
    if changes := opened.git.changes():
        print(f"The checkout has {count_of(len(changes), 'uncommitted change')}, built too.")
    if differing := unlike(opened.git, opened.revision, opened.source_files()):
        shown = ", ".join(differing[:5]) + (f" and {len(differing) - 5} more" if len(differing) > 5 else "")
        print(f"Not built as commit {opened.revision[:12]} stores them: {shown}")
    copy = CopyDists(opened.git.root / out)
    keep = Phase("keep", "built files kept", in_order(copy))
    engine.carry_out(opened, (*part_of(release_plan(opened.config), "build"), keep), skip={}, confirm=engine.say_yes)
    for path in copy.copied():
        print(f"{sha256(path)}  {path}")


def publish(
    start: Path,
    version: str | None,
    index: IndexName,
    *,
    dist: str | None,
    from_release: bool,
    rebuilt: str | None = None,
) -> None:
    """Run `invoke publish.testpypi` or `invoke publish.pypi`.

    With what another job has built again, the release, its tag and this job's workflow are checked before and after the
    upload.

    Raises:
        ConflictError: TestPyPI serves other bytes under this version, or a check failed.
        UsageError: A manifest was given without a release to compare with.
    """
    opened = opened_release(start, version)
    with tempfile.TemporaryDirectory(prefix="releaser-publish-") as scratch:
        target, manifest = Path(scratch) / "dist", None
        if rebuilt is not None:
            if not from_release:
                raise UsageError("--rebuilt is given without a release to compare with", "Give --from-release as well.")
            manifest = Manifest.read(rebuilt, opened.config.distribution, opened.version, "--rebuilt")
            opened = replace(opened, rebuilt=manifest)
            _expect_trusted(opened, manifest)
            artifact = opened.git.root / (dist or ARTIFACT)
            opened = with_files(opened, rebuilt_files(opened.forge, opened.tag, target, manifest, artifact))
        elif from_release:
            instead = "Give the directory of its files and their checksums with --dist instead of --from-release."
            opened = with_files(opened, download_from_release(opened.forge, opened.tag, target, instead))
        elif dist is not None:
            opened = with_files(opened, Path(dist).resolve())
        opened.built()
        part = part_of(release_plan(opened.config), *_PUBLISH[index])
        for result in engine.carry_out(opened, part, skip={}, confirm=engine.say_yes):
            if isinstance(result.outcome, Warned):  # In a release it is left out; here it is all that is wanted.
                raise ConflictError(result.outcome.reason, result.outcome.remedy)
        if manifest:
            _expect_trusted(opened, manifest)


def _expect_trusted(opened: Release, manifest: Manifest) -> None:
    """See that the right workflow publishes what is public under the tag.

    Raises:
        ConflictError: It does not.
    """
    Job.here().expect(opened.repository, opened.config.pypi.workflow, trust.publishing(opened))
    trust.expect_published(opened, manifest.commit)


def check(start: Path) -> None:
    """Run `invoke check`.

    Raises:
        StepError: A session failed.
        UsageError: No session is configured.
    """
    root, config = project(start)
    sessions = [*config.qualify.sessions, *config.qualify.checks]
    if not sessions:
        raise UsageError(
            "No session is configured, so there is nothing to check", "Name sessions under [tool.releaser.qualify]."
        )
    if failed := nox.failed_in_front(sessions, root):
        raise StepError(
            f"Checks failed: {', '.join(failed)}", "Fix the failures in the output above and rerun the command."
        )
