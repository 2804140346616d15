"""Images from hand to hand: one job builds them, others start them on their own platform, and one pushes them.

A job that may write to the registry runs nothing of the images, and a job that runs them cannot change what is pushed:
what counts is the line that the building job told (`ImagesManifest`).
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
from releaser.commands import trust
from releaser.commands.checkout import from_checkout, with_targets
from releaser.commands.images import open_for_images
from releaser.commands.opening import project
from releaser.core.step import Phase, in_order, part_of
from releaser.errors import StepError, UsageError
from releaser.images.manifest import IMAGES, ImagesManifest
from releaser.images.trial import all_tried
from releaser.plan import release_plan
from releaser.release import Release
from releaser.steps.publish.take_built import TakeBuilt
from releaser.steps.publish.take_published import TakePublished

_OUTPUT = "images"


def tell(manifest: ImagesManifest) -> None:
    """Print what was built, and make it the step's output in a job."""
    print(f"{IMAGES}={manifest.line()}")
    if _in_job():
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
    """Run `invoke docker.push --layout`: push the images that another job built and told of, then their tags."""
    opened = open_for_images(start_at, version)
    opened, manifest = with_targets(opened, opened.config.images.targets), _told(opened)
    if _in_job():
        _expect_trusted(opened, manifest)
    taking = TakeBuilt(Path(layout).resolve(), manifest)
    take = Phase("take", taking.title, in_order(taking, TakePublished()))
    plan = (take, *part_of(release_plan(opened.config), "push_images"))
    engine.carry_out(from_checkout(opened), plan, skip={}, confirm=engine.say_yes)


def _in_job() -> bool:
    return bool(os.environ.get("GITHUB_ACTIONS"))


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
