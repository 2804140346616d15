"""Images from hand to hand: one job builds them, others start them on their own platform, one pushes and one attests.

A job that may write to the registry runs nothing of the images, and a job that runs them cannot change what is pushed:
what counts is the line that the building job told (`ImagesManifest`). The job that pushes tells what the registry has
then, which is what another one attests.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from pathlib import Path

from releaser import engine
from releaser.adapters.docker.engine import Engine
from releaser.adapters.forge.job import Job
from releaser.adapters.registry.checked_copy import copy_checked
from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.where import in_job
from releaser.commands import trust
from releaser.commands.checkout import from_checkout, with_targets
from releaser.commands.images import open_for_images
from releaser.commands.opening import project
from releaser.core.step import Phase, in_order, part_of
from releaser.errors import ConflictError, StepError, UsageError
from releaser.images import of_release
from releaser.images.manifest import IMAGES, ImagesManifest
from releaser.images.trial import all_tried
from releaser.plan import release_plan
from releaser.release import Release
from releaser.steps.publish.take_built import TakeBuilt
from releaser.steps.publish.take_published import TakePublished, published_of

_OUTPUT = "images"


def tell(manifest: ImagesManifest) -> None:
    """Print what was built, and make it the step's output in a job."""
    print(f"{IMAGES}={manifest.line()}")
    if in_job():
        Job.here().output(_OUTPUT, manifest.line())


def due(start_at: Path) -> None:
    """Run `invoke docker.due`: tell whether what started this job's workflow should build images.

    A dispatch always should; a tag should where the configuration leaves the images to the workflow.
    """
    config, job = project(start_at)[1].images, Job.here()
    answer = bool(config.targets) and (job.event == "workflow_dispatch" or config.via == "ci")
    job.output("due", str(answer).lower())
    if not config.targets:
        print("The project has no images.")
    elif not answer:
        print(f'Nothing is built for the event {job.event}: with via = "push", `invoke release` pushes the images.')


def start(start_at: Path, version: str | None, layout: str) -> None:
    """Run `invoke docker.start`.

    Raises:
        StepError: An image says another version, fails, does not become healthy, or none can run here.
        UsageError: There is no engine.
    """
    opened = open_for_images(start_at, version)
    manifest = _told(opened)
    if opened.no_engine:
        raise UsageError(f"There is {opened.no_engine}", "Start one, or set DOCKER_HOST to its address.")
    with tempfile.TemporaryDirectory(prefix="releaser-images-") as room:
        images = copy_checked(Path(layout).resolve(), manifest.images, Path(room) / "images")
        with closing(Engine.connect(opened.store.path)) as running:
            seen = all_tried(running, images, Path(room), opened.config, opened.version)
    print("\n".join(seen))
    if not any(" prints " in one for one in seen):
        raise StepError("None of the images can run on this machine", "Use a machine of one of their platforms.")


def push(start_at: Path, version: str | None, layout: str) -> None:
    """Run `invoke docker.push --layout`: push the images that another job built and told of, then their tags.

    What it tells is what the registry has: of an earlier push, the index with that one's provenance.

    Raises:
        ConflictError: X.Y.Z has other images than were pushed.
    """
    opened = open_for_images(start_at, version)
    opened, manifest = with_targets(opened, opened.config.images.targets), _told(opened)
    if in_job():
        _expect_trusted(opened, manifest)
    taking = TakeBuilt(Path(layout).resolve(), manifest)
    take = Phase("take", taking.title, in_order(taking, TakePublished()))
    plan = (take, *part_of(release_plan(opened.config), "push_images"))
    engine.carry_out(from_checkout(opened), plan, skip={}, confirm=engine.say_yes)
    pushed = published_of(opened, OciLayout(Path(layout).resolve()))
    if lost := sorted(manifest.images.keys() - pushed.keys()):
        raise ConflictError(
            f"{opened.registry.repository} has other images of {', '.join(lost)} than were pushed",
            "Find out who pushes there as well. Rerun the job if it was an earlier run of this workflow.",
        )
    tell(ImagesManifest.of(opened.version, manifest.commit, pushed))


def expect(start_at: Path, version: str | None, sums: str) -> None:
    """Run `invoke docker.expect`: see that users get the images that another job pushed, and list their digests.

    Raises:
        ConflictError: A tag of the version leads elsewhere, or the workflow was started for something else.
    """
    opened = open_for_images(start_at, version)
    manifest = _told(opened)
    if in_job():
        _expect_trusted(opened, manifest)
    lines, wrong = [], []
    for target, reference in of_release.references(opened).items():
        digest, found = manifest.images[target], opened.registry.find(reference.rpartition(":")[2])
        lines.append(f"{digest.removeprefix('sha256:')}  {reference}")
        if found is None or found.digest != digest:
            wrong.append(f"{reference} is at {found.digest[:19] if found else 'nothing'}; {digest[:19]} was pushed")
    if wrong:
        raise ConflictError("; ".join(wrong), "Find out who moved it. Attest nothing; release the next version.")
    Path(sums).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    print("\n".join(lines))


def _expect_trusted(opened: Release, manifest: ImagesManifest) -> None:
    """See that the right workflow was started for what is public under the tag.

    Raises:
        ConflictError: It was not.
    """
    tag, branch = f"refs/tags/{opened.tag}", f"refs/heads/{opened.config.git.branch}"
    started_by = {"push": (tag,), "workflow_dispatch": (tag, branch)}
    Job.here().expect(opened.repository, opened.config.images.workflow, started_by)
    trust.expect_published(opened, manifest.commit)


def _told(opened: Release) -> ImagesManifest:
    """Return what the building job told of the images of the commit that is checked out."""
    text = os.environ.get(IMAGES)
    if not text:
        raise UsageError(
            f"{IMAGES} is not set, so the images in the directory cannot be compared with those that were built",
            f"Set it to the line that `invoke docker.build --layout` printed, or to its job's output `{_OUTPUT}`.",
        )
    targets = [target.name for target in opened.config.images.targets]
    return ImagesManifest.read(text, opened.version, opened.git.head(), targets)
