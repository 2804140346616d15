"""The images' tasks but for building: push, tags, verify."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

from releaser import engine
from releaser.commands.checkout import declared_version, with_targets
from releaser.commands.opening import opened_release
from releaser.config.images import ImageTargetConfig
from releaser.config.project import Config
from releaser.core.step import part_of
from releaser.errors import ServiceError, UsageError
from releaser.images import of_release
from releaser.images.published import ImageProof
from releaser.images.start_script import picked_by_script
from releaser.images.tags import in_push_order
from releaser.plan import release_plan
from releaser.release import Release
from releaser.steps.qualify.start_images import StartImages


def push(start: Path, version: str | None, platform: str | None) -> None:
    """Run `invoke docker.push`."""
    opened = open_for_images(start, version)
    if of_release.built(opened) is None:
        raise UsageError(
            f"No images of {opened.version} are built here",
            f"Run `invoke release --version {opened.version}`, or build and push with `invoke docker.build --push`.",
        )
    if not StartImages().have_started(opened):
        raise UsageError(
            f"The images of {opened.version} were built here, but have not started and become healthy yet",
            f"Run `invoke release --version {opened.version}`, which continues where it stopped.",
        )
    opened = with_targets(opened, chosen_targets(opened.config, platform))
    engine.carry_out(opened, part_of(release_plan(opened.config), "push_images"), skip={}, confirm=engine.say_yes)


def tags(start: Path, version: str | None, platform: str | None) -> None:
    """Run `invoke docker.tags`."""
    opened = open_for_images(start, version)
    targets = chosen_targets(opened.config, platform)
    try:
        released = of_release.released(opened)
    except ServiceError as error:
        print(f"{error.message}. The tags of this checkout alone decide the floating tags.", file=sys.stderr)
        released = set(opened.history.finals_here())
    for tag in in_push_order(targets, opened.version, released):
        print(tag.name)


def verify(start: Path, version: str | None) -> None:
    """Run `invoke docker.verify`.

    Raises:
        StepError: Something is wrong; every wrong tag is named.
    """
    opened = open_for_images(start, version)
    config = opened.config
    layout = of_release.built(opened)
    built = {name: found.digest for name, found in layout.roots().items()} if layout else {}
    registry, wanted = opened.registry, of_release.tags(opened)
    with of_release.engine(opened) as running:
        proof = ImageProof(registry, config, opened.version, wanted, built, opened.commit(), running).given()
    picked_by_script(proof, config, opened.git.root, opened.version)
    if opened.no_engine:
        proof.notes.append(f"not run: {opened.no_engine}")
    if not built:
        proof.notes.append(f"built elsewhere: what {opened.version} points at is taken as correct")
    for line in (*proof.seen, *dict.fromkeys(proof.notes)):
        print(line)
    proof.must_hold(registry.repository)


def open_for_images(start: Path, version: str | None) -> Release:
    """Return the version that was asked for, or that the project declares. Images need no git remote.

    Raises:
        UsageError: The project has no images.
    """
    opened = opened_release(start, version or declared_version(start), needs_remote=False)
    if not opened.config.images.targets:
        raise UsageError("This project has no images", "Configure them: [tool.releaser.images] in pyproject.toml.")
    return opened


def chosen_targets(config: Config, platform: str | None) -> Sequence[ImageTargetConfig]:
    """Return the images that `--platform` names.

    Raises:
        UsageError: There is none of that name.
    """
    targets = config.images.targets
    chosen = [target for target in targets if platform in (None, "all", target.name)]
    if not chosen:
        names = [target.name for target in targets]
        near = difflib.get_close_matches(str(platform), names, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(f"There is no image {platform}", f"{hint}Choose from {', '.join(names)} and all.")
    return chosen
