"""`invoke docker.build` and `invoke docker.bake`: images of the checkout, or of a release's wheel."""

from __future__ import annotations

import shlex
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from releaser import engine
from releaser.adapters.docker import buildx
from releaser.adapters.docker.buildx import BakeOptions
from releaser.adapters.docker.engine import Engine
from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.waiting import wait_for
from releaser.adapters.where import in_job
from releaser.commands.checkout import CheckoutRelease, from_checkout, with_targets
from releaser.commands.handed_images import tell
from releaser.commands.images import chosen_targets, open_for_images
from releaser.commands.jobs import ARTIFACT, manifest_in
from releaser.core.step import Phase, in_order, part_of
from releaser.dists.built import Dists
from releaser.dists.from_release import add_bill, download_from_release, rebuilt_files
from releaser.errors import UsageError
from releaser.images import of_release
from releaser.images.build import cache_outputs, engine_outputs, layout_outputs
from releaser.images.manifest import ImagesManifest
from releaser.plan import release_plan
from releaser.release import Release
from releaser.steps.build.write_sbom import bill_name
from releaser.steps.keep.bake_images import BakeImages
from releaser.steps.keep.copy_images import CopyImages
from releaser.steps.keep.load_images import LoadImages
from releaser.steps.publish.take_published import TakePublished

_DRY = Path("build", "images")
"""The directory for the files of the commands that `--dry-run` prints."""


@dataclass(frozen=True)
class BuildRequest:
    """What `invoke docker.build` is asked for; see its help."""

    platform: str | None = None
    version: str | None = None
    load: bool = False
    push: bool = False
    layout: str | None = None
    from_release: bool = False
    rebuilt: str | None = None
    dry_run: bool = False
    builder: str | None = None
    base: str | None = None
    no_cache: bool = False


def build(start: Path, request: BuildRequest) -> None:
    """Run `invoke docker.build`."""
    if sum((request.load, request.push, request.layout is not None)) > 1:
        raise UsageError("--load, --push and --layout exclude each other", "Give one of them.")
    target = Path(request.layout).resolve() if request.layout is not None else None
    if target and target.exists():
        raise UsageError(f"{target} exists already", "Name a directory that does not, or remove it.")
    if request.from_release and request.dry_run:
        raise UsageError("--from-release downloads files, and --dry-run must not", "Leave out one of them.")
    opened = open_for_images(start, request.version)
    opened = with_targets(opened, chosen_targets(opened.config, request.platform))
    if not request.dry_run:
        _need_engine(opened)
    with tempfile.TemporaryDirectory(prefix="releaser-images-") as scratch:
        checkout = _source(opened, request, Path(scratch) / "assets")
        if request.push or target:
            _need_commit(checkout, handed=f"?? {ARTIFACT}/" if request.rebuilt else None)
            checkout = replace(checkout, exact=True)
        if request.dry_run:
            _print_commands(checkout, request)
            return
        engine.carry_out(checkout, _plan(checkout, request, target), skip={}, confirm=engine.say_yes)
    if target:
        tell(ImagesManifest.of(opened.version, checkout.revision, OciLayout(target).roots()))
    elif not (request.load or request.push):
        print("The images build. Give --load, --push or --layout to keep them.")


def bake(start: Path, platform: str | None) -> None:
    """Run `invoke docker.bake`."""
    opened = open_for_images(start, None)
    opened = with_targets(opened, chosen_targets(opened.config, platform))
    with tempfile.TemporaryDirectory(prefix="releaser-images-") as room:
        print(of_release.bake(from_checkout(opened), None, Path(room)).resolved().rstrip())


def _plan(opened: Release, request: BuildRequest, target: Path | None) -> tuple[Phase[Release], ...]:
    """Return what builds the files, unless they are given, and then the images, and what keeps those."""
    plan = release_plan(opened.config)
    built = part_of(plan, "build_dists", "build_images", "start_images")
    if request.push:
        taken = Phase("take", "published images taken as they are", in_order(TakePublished()))
        return (*built, taken, *part_of(plan, "push_images"))
    if target:
        copy = CopyImages(target)
        return (*built, Phase("keep", copy.title, in_order(copy)))
    last = LoadImages() if request.load else BakeImages()
    return (*part_of(plan, "build_dists"), Phase("keep", last.title, in_order(last)))


def _source(opened: Release, request: BuildRequest, assets: Path) -> CheckoutRelease:
    """Return what to build from: the files of the release that was asked for, else the checkout as it is.

    Raises:
        UsageError: Nothing is built of that version, and the checkout is another.
    """
    # Without --version the checkout as it is is wanted, whatever a release built of that version.
    dists = opened.dists() if request.version is not None else None
    files = dists.directory if dists else None
    if request.from_release:
        if request.layout is not None:
            _await_release(opened)
        files = _of_release(opened, request, assets)
    declared = opened.version_files[0].read(opened.git.root).version
    if files is None and declared != opened.version:
        raise UsageError(
            f"Nothing is built of {opened.version} here, and the checkout declares {declared}",
            f"Run `invoke release --version {opened.version}`, or check out {opened.tag}.",
        )
    revision = opened.must_have_commit() if files else None
    options = BakeOptions(request.builder, request.base, request.no_cache)
    return replace(from_checkout(opened, files, revision), bake_options=options)


def _of_release(opened: Release, request: BuildRequest, assets: Path) -> Path:
    """Return a directory with the release's files; in a job those that another job built from the tag, and no other.

    Who may write to a release can change its SHA256SUMS as well: what a job builds from is the rebuilt files. Only the
    bill of materials is the release's, for a second build has another one: it tells what the index had on its day.

    Raises:
        ConflictError: The release has other bytes than were built from the tag.
        UsageError: A job was not told what was built, or a person wants files of a release that has no SHA256SUMS.
    """
    if not (in_job() or request.rebuilt):
        instead = "Build from the checkout of its tag instead: leave out --from-release."
        return download_from_release(opened.forge, opened.tag, assets, instead)
    manifest = manifest_in(opened, request.rebuilt, "REBUILT")
    files = rebuilt_files(opened.forge, opened.tag, assets, manifest, opened.git.root / ARTIFACT)
    add_bill(opened.forge, opened.tag, files, manifest, bill_name(opened))
    return files


def _await_release(opened: Release) -> None:
    """Wait until the release is published: a workflow that a tag starts is faster than what follows the tag.

    Raises:
        WaitTimeoutError: It is not published in time.
    """

    def published() -> bool:
        found = opened.forge.find_release(opened.tag)
        return found is not None and not found.draft

    wait_for("the forge", f"release {opened.tag}", published, opened.wait_limits)


def _need_engine(opened: Release) -> None:
    if opened.no_engine == buildx.NO_BUILDX:
        raise UsageError(f"No image can be built: {buildx.NO_BUILDX}", buildx.GET_BUILDX)
    if opened.no_engine:
        raise UsageError(f"There is {opened.no_engine}", "Start one, or set DOCKER_HOST to its address.")


def _need_commit(opened: CheckoutRelease, handed: str | None) -> None:
    """Refuse to publish what the commit that the images' label names does not contain.

    A released wheel does not make up for that: the Dockerfile and everything else come from the checkout.

    Args:
        opened: What is built.
        handed: The files that another job built, as git tells them where the project does not ignore them.

    Raises:
        UsageError: Another commit is checked out, or files are changed or new.
    """
    commit, head = opened.revision, opened.git.head()
    if head != commit:
        raise UsageError(
            f"The images would be labelled with commit {commit[:12]}, but {head[:12]} is checked out",
            f"Run `git checkout {opened.tag}`, or build without --push.",
        )
    if changed := [one for one in opened.git.changes() if one != handed]:
        raise UsageError(
            f"The images would be labelled with commit {commit[:12]}, but the checkout differs from it:\n"
            + "\n".join(changed),
            "Commit, undo or ignore these changes, or build without --push.",
        )


def _print_commands(opened: CheckoutRelease, request: BuildRequest) -> None:
    """Print the commands that give the same images when they are pasted in the project's directory."""
    targets, dists = opened.config.images.targets, opened.dists()
    outputs = cache_outputs(targets)
    if request.push:
        outputs = layout_outputs({target.name: _DRY / "parts" / target.name for target in targets})
    elif request.load:
        native = "" if opened.no_engine else Engine.connect(opened.store.path).native()
        outputs = engine_outputs(targets, of_release.references(opened), native)
    with tempfile.TemporaryDirectory(prefix="releaser-images-") as room:
        made = of_release.bake(opened, None, Path(room), outputs)
    variables = {**made.variables, "WHEEL_DIR": str(_DRY / "wheel")}
    print("\n".join(_wheel_commands(opened, dists)))
    print("\n".join(f"{name}={shlex.quote(value)} \\" for name, value in variables.items()))
    print(shlex.join(made.command()))


def _wheel_commands(opened: CheckoutRelease, dists: Dists | None) -> list[str]:
    """Return the commands that put the wheel, alone, into its directory."""
    room, built = _DRY / "wheel", _DRY / "dist"
    if dists:
        bills = [dists.directory / name for name in dists.sha256 if name.endswith(".cdx.json")]
        return [
            f"rm -rf {room}",
            f"mkdir -p {room} && cp {shlex.join(map(str, [dists.wheel, *bills]))} {room}",
        ]
    epoch, lock = opened.git.time_of(opened.revision), opened.config.build.lock
    # pip takes no constraints with hashes.
    locked = f" --installer uv --dependency-constraints-txt {shlex.quote(lock)}" if lock else ""
    return [
        f"rm -rf {room} {built}",
        f"SOURCE_DATE_EPOCH={epoch} python -m build{locked} --outdir {built}",
        f"mkdir -p {room} && cp {built}/*.whl {room}",
    ]
