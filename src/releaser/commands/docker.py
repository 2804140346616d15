"""The images' tasks: build, push, tags, verify, bake."""

from __future__ import annotations

import difflib
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from releaser import engine
from releaser.adapters import builder
from releaser.adapters.docker import buildx
from releaser.adapters.docker.engine import Engine
from releaser.adapters.registry import oci
from releaser.adapters.registry.layout import OciLayout
from releaser.commands.opening import opened_release, project
from releaser.config.images import ImageTargetConfig
from releaser.config.project import Config
from releaser.core.activity import Activity, bound
from releaser.core.step import Phase, in_order
from releaser.dists.built import Dists, read_dists
from releaser.dists.from_release import download_from_release
from releaser.errors import ServiceError, UsageError
from releaser.images import of_release
from releaser.images.build import ImageBuild, layout_outputs
from releaser.images.published import ImageProof, Proof
from releaser.images.start_script import picked_by_script
from releaser.images.tags import in_push_order
from releaser.images.trial import all_tried
from releaser.release import Release
from releaser.steps.publish.push_images import PushImages
from releaser.steps.qualify.start_images import StartImages
from releaser.store import ReleaseStore
from releaser.versions.files import from_config
from releaser.versions.version import Version

_DRY = Path("build", "images")
"""Where what `--dry-run` prints puts its files."""


def build(
    start: Path,
    version: str | None,
    platform: str | None,
    *,
    load: bool,
    push: bool,
    builder_name: str | None,
    base: str | None,
    no_cache: bool,
    from_release: bool,
    dry_run: bool,
) -> None:
    """`invoke docker.build`."""
    if load and push:
        raise UsageError("An image is either loaded here or pushed.", "Give --load or --push, not both.")
    if from_release and dry_run:
        raise UsageError("--from-release fetches files first, and --dry-run nothing.", "Leave out one of them.")
    root, config = project(start)
    opened = _opened(start, version, root, config)
    targets = _chosen(config, platform)
    options = [*(["--builder", builder_name] if builder_name else []), *(["--no-cache"] if no_cache else [])]
    variables = {buildx.BASE: base} if base else {}
    if not dry_run:
        _need_engine(opened)
    with tempfile.TemporaryDirectory(prefix="releaser-images-") as scratch:
        room = Path(scratch)
        # Without --version it is the tree as it stands that is wanted, whatever a release built of that version.
        dists = opened.dists() if version is not None else None
        if from_release:
            instead = "Build from the tree of its tag instead: leave out --from-release."
            dists = read_dists(download_from_release(opened.forge, opened.tag, room / "assets", instead))
        if push:
            _need_commit(opened, opened.must_have_commit() if dists else opened.git.head())
        made = _build_of(opened, room, dists, dry_run=dry_run)
        if push and not dry_run:
            with bound(Activity(_print_line)):
                layout = made.into_layout(targets, room, options=options, variables=variables)
                print("\n".join(all_tried(Engine.connect(opened.store.path), layout, room, config, opened.version)))
            _go_on_with_published(opened, targets, layout)
            _push(_with_images(opened, targets, layout.path, room))
            return
        if dry_run:
            variables = {"WHEEL_DIR": str(_DRY / "wheel"), **variables}
            outputs = _outputs(opened, targets, _DRY, load=load, push=push)
            _print_commands(made.bake(targets, room, outputs, options, variables), dists)
            return
        bake = made.bake(targets, room, _outputs(opened, targets, room, load=load, push=push), options, variables)
        with bound(Activity(_print_line)):
            bake.run()
        for target in targets:
            where = f" as {_reference(opened, target)}" if load else "; --load or --push keeps it"
            print(f"{target.name} is built{where}")


def push(start: Path, version: str | None, platform: str | None) -> None:
    """`invoke docker.push`."""
    root, config = project(start)
    opened = _opened(start, version, root, config)
    layout = of_release.built(opened)
    if layout is None:
        raise UsageError(
            f"No images of {opened.version} are built here.",
            f"`invoke release --version {opened.version}` does that; `invoke docker.build --push` builds and pushes.",
        )
    if not StartImages().have_started(opened):
        raise UsageError(
            f"The images of {opened.version} were built here, and not seen to start and be healthy yet.",
            f"`invoke release --version {opened.version}` goes on where it stopped.",
        )
    targets = _chosen(config, platform)
    _push(opened if targets == list(config.images.targets) else _restricted(opened, targets))


def tags(start: Path, version: str | None, platform: str | None) -> None:
    """`invoke docker.tags`."""
    root, config = project(start)
    opened = _opened(start, version, root, config)
    targets = _chosen(config, platform)
    try:
        released = of_release.released(opened)
    except ServiceError as error:
        print(f"{error.message} The floating tags are decided by the tags in this checkout alone.", file=sys.stderr)
        released = set(opened.released_here())
    for tag in in_push_order(targets, opened.version, released):
        print(tag.name)


def verify(start: Path, version: str | None) -> None:
    """`invoke docker.verify`.

    Raises:
        StepError: Something is wrong; every wrong tag is named.
    """
    root, config = project(start)
    opened = _opened(start, version, root, config)
    _chosen(config, None)
    layout = of_release.built(opened)
    built = {name: found.digest for name, found in layout.roots().items()} if layout else {}
    running = None if opened.no_engine else Engine.connect(opened.store.path)
    registry, wanted = opened.registry, of_release.tags(opened)
    proof = ImageProof(registry, config, opened.version, wanted, built, opened.commit(), running).given()
    picked_by_script(proof, config, root, opened.version)
    if running is None:
        proof.notes.append(f"not run: {opened.no_engine}")
    if not built:
        proof.notes.append(f"built elsewhere: what {opened.version} points at was taken for right")
    _print(proof)
    proof.must_hold(registry.repository)


def bake(start: Path, platform: str | None) -> None:
    """`invoke docker.bake`."""
    root, config = project(start)
    opened = _opened(start, None, root, config)
    with tempfile.TemporaryDirectory(prefix="releaser-images-") as scratch:
        room = Path(scratch)
        made = _build_of(opened, room, None, dry_run=True)
        print(made.bake(_chosen(config, platform), room).resolved().rstrip())


def _chosen(config: Config, platform: str | None) -> list[ImageTargetConfig]:
    """The images that `--platform` names.

    Raises:
        UsageError: The project has none, or none of that name.
    """
    targets = list(config.images.targets)
    names = [target.name for target in targets]
    if not targets:
        raise UsageError("This project has no images.", "Say which: [tool.releaser.images] in pyproject.toml.")
    if platform in (None, "all"):
        return targets
    if platform not in names:
        near = difflib.get_close_matches(str(platform), names, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(f"There is no image {platform}.", f"{hint}There are {', '.join(names)}, and all.")
    return [targets[names.index(str(platform))]]


def _opened(start: Path, version: str | None, root: Path, config: Config) -> Release:
    """The version that was asked for, or that the project declares; images need no git remote."""
    return opened_release(start, version or str(_declared(root, config)), needs_remote=False)


def _declared(root: Path, config: Config) -> Version:
    return from_config(config.version_files[0]).read(root).version


def _need_engine(opened: Release) -> None:
    if opened.no_engine == buildx.NO_BUILDX:
        raise UsageError(f"No image can be built: {buildx.NO_BUILDX}.", buildx.GET_BUILDX)
    if opened.no_engine:
        raise UsageError(f"There is {opened.no_engine}.", "Start one, or set DOCKER_HOST to where one is.")


def _need_commit(opened: Release, commit: str) -> None:
    """Refuses to publish what ``commit``, which the images' label names, does not hold.

    A released wheel does not make up for that: the Dockerfile and all else come from the tree.

    Raises:
        UsageError: Another commit is checked out, or files are changed or new.
    """
    if opened.git.head() != commit:
        raise UsageError(
            f"The images would be labelled with the commit {commit[:12]}, and {opened.git.head()[:12]} is checked out.",
            f"`git checkout {opened.tag}`, or build without --push.",
        )
    if changed := opened.git.changes():
        raise UsageError(
            f"The images would be labelled with the commit {commit[:12]}, and the tree differs from it:\n"
            + "\n".join(changed),
            "Commit or undo that, or have git ignore it, or build without --push.",
        )


def _build_of(opened: Release, room: Path, dists: Dists | None, *, dry_run: bool) -> ImageBuild:
    """What to build from: what a release built of the version, else a wheel of the tree as it is."""
    git, root = opened.git, opened.git.root
    commit = opened.must_have_commit() if dists else git.head()
    files: list[Path] = []
    if dists:
        files = [dists.wheel, *(dists.directory / name for name in dists.sha256 if name.endswith(".cdx.json"))]
        if not dry_run:
            print(f"From {dists.wheel}")
    else:
        declared = _declared(root, opened.config)
        if declared != opened.version:
            raise UsageError(
                f"Nothing is built of {opened.version} here, and the tree is {declared}.",
                f"`invoke release --version {opened.version}`, or check out {opened.tag}.",
            )
        if not dry_run:
            builder.build_wheel(root, room / "dist")
            files = sorted((room / "dist").glob("*.whl"))
    time = git.time_of(commit)
    return ImageBuild(opened.config.images, root, opened.version, commit, time, files)


def _print_commands(bake: buildx.Bake, dists: Dists | None) -> None:
    """What a person types, in the project's directory, to get the same."""
    wheel = shlex.quote(bake.variables["WHEEL_DIR"])
    print(f"rm -rf {wheel}")  # of another build; it must hold one alone
    if dists:
        bill = [dists.directory / name for name in dists.sha256 if name.endswith(".cdx.json")]
        print(f"mkdir -p {wheel} && cp {shlex.join(map(str, [dists.wheel, *bill]))} {wheel}")
    else:
        print(f"python -m build --wheel --outdir {wheel}")
    print("\n".join(f"{name}={shlex.quote(value)} \\" for name, value in bake.variables.items()))
    print(shlex.join(bake.command()))


def _outputs(opened: Release, targets: Sequence[ImageTargetConfig], room: Path, *, load: bool, push: bool) -> list[str]:
    """`--set` values that say where each image goes."""
    if push:
        return layout_outputs({target.name: room / "parts" / target.name for target in targets})
    if not load:
        return [f"{target.name}.output=type=cacheonly" for target in targets]
    settings = []
    for target in targets:
        settings += [f"{target.name}.output=type=docker", f"{target.name}.tags={_reference(opened, target)}"]
        # An engine without the containerd store holds one platform of an image, and no attestations.
        settings.append(f"{target.name}.attest=type=provenance,disabled=true")
        if len(target.platforms) > 1:
            native = "" if opened.no_engine else Engine.connect(opened.store.path).native()
            settings.append(f"{target.name}.platform={native if native in target.platforms else target.platforms[0]}")
    return settings


def _reference(opened: Release, target: ImageTargetConfig) -> str:
    return f"{opened.registry.repository}:{opened.version}{target.suffix}"


def _go_on_with_published(opened: Release, targets: Sequence[ImageTargetConfig], layout: OciLayout) -> None:
    """Takes what X.Y.Z holds already if it is these very images, so that a push which broke off can be made again.

    A second build gives the same images, and another index of them: its provenance tells when they were built.
    """
    for target in targets:
        found, own = opened.registry.find(f"{opened.version}{target.suffix}"), layout.roots()[target.name]
        if found is None or found.digest == own.digest:
            continue
        published, built = (
            {(image.platform, image.manifest.digest) for image in oci.images(source, root)}
            for source, root in ((opened.registry, found), (layout, own))
        )
        if published == built:
            print(f"{target.name} is published already, image for image: {found.digest[:19]}")
            layout.take(target.name, opened.registry, found)


def _push(opened: Release) -> None:
    part = (Phase("images", "the registry has the images", in_order(PushImages())),)
    engine.carry_out(opened, part, skip={}, confirm=engine.say_yes)


def _restricted(opened: Release, targets: Sequence[ImageTargetConfig]) -> Release:
    """The release with some of its images alone."""
    found = opened.config.images.model_copy(update={"targets": tuple(targets)})
    config = opened.config.model_copy(update={"images": found})
    return Release(config, opened.version, opened.git, opened.store, opened.credentials, opened.description)


def _with_images(opened: Release, targets: Sequence[ImageTargetConfig], layout: Path, room: Path) -> Release:
    """The release with other images than its own, and a store of its own for them."""
    store = ReleaseStore(room / "store")
    store.path.mkdir()
    layout.rename(store.images)
    restricted = _restricted(opened, targets)
    return Release(restricted.config, opened.version, opened.git, store, opened.credentials, opened.description)


def _print(proof: Proof) -> None:
    for line in (*proof.seen, *dict.fromkeys(proof.notes)):
        print(line)


def _print_line(text: str, _done: int | None = None, _total: int | None = None) -> None:
    print(text)
