"""The menu's tasks for images: `docker.build` and others. Nothing heavy is imported here either."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context

from releaser import commands
from releaser.errors import UsageError
from releaser.tasks.ci import given
from releaser.tasks.menu import is_dry, task

_IMAGE = {"platform": "the image, as [tool.releaser.images] names it (default: all)"}
_IMAGE_VERSION = {"version": "the version in SemVer form (default: the one that the project declares)"}


@task(
    name="build",
    help={
        **_IMAGE,
        "version": "a version that `invoke release` built here (default: the checkout as it is)",
        "load": "load it into the local engine (for this machine's platform if there are several)",
        "push": "start it, then push it with its tags; a version's tag that has another image is never overwritten",
        "layout": "start it, then write it to this new directory (an OCI layout), for docker.start and docker.push",
        "builder": "a buildx builder, for example one with native arm64 nodes (`docker buildx ls`)",
        "base": "the base image (default: the bake file's)",
        "no-cache": "rebuild every layer",
        "from-release": "build from the wheel attached to the published release, as the workflow does",
        "dry-run": "print the commands instead of running them",
    },
)
def docker_build(
    c: Context,
    platform: str | None = None,
    version: str | None = None,
    load: bool = False,
    push: bool = False,
    layout: str | None = None,
    builder: str | None = None,
    base: str | None = None,
    no_cache: bool = False,
    from_release: bool = False,
    dry_run: bool = False,
) -> None:
    """Build container images from the wheel; without --load, --push or --layout only check that they build."""
    request = commands.docker_build.BuildRequest(
        platform=platform,
        version=version,
        load=load,
        push=push,
        layout=layout,
        from_release=from_release,
        rebuilt=given("REBUILT"),
        dry_run=dry_run or is_dry(c),
        builder=builder,
        base=base,
        no_cache=no_cache,
    )
    commands.docker_build.build(Path.cwd(), request)


@task(name="due")
def docker_due() -> None:
    """In a job of a workflow: set its output `due` to whether the event should build images."""
    commands.handed_images.due(Path.cwd())


@task(name="start", help={**_IMAGE_VERSION, "layout": "the directory that `docker.build --layout` wrote"})
def docker_start(layout: str, version: str | None = None) -> None:
    """Start the images of a layout that this machine can run, and check --version and health.

    IMAGES must hold what `docker.build --layout` printed.
    """
    commands.handed_images.start(Path.cwd(), version, layout)


@task(
    name="push",
    help={**_IMAGE_VERSION, **_IMAGE, "layout": "push the images that `docker.build --layout` wrote, elsewhere"},
)
def docker_push(version: str | None = None, platform: str | None = None, layout: str | None = None) -> None:
    """Push the images that a release built and started here, by digest, then their tags.

    With --layout, IMAGES must hold what `docker.build --layout` printed.
    """
    if layout is None:
        commands.images.push(Path.cwd(), version, platform)
    elif platform is not None:
        raise UsageError("--layout pushes all images, and --platform names one", "Leave out one of them.")
    else:
        commands.handed_images.push(Path.cwd(), version, layout)


@task(
    name="expect",
    help={**_IMAGE_VERSION, "sums": "the file that gets a line with digest and reference of each image, for attesting"},
)
def docker_expect(sums: str, version: str | None = None) -> None:
    """See that the version's own tags lead to the images that another job pushed; change nothing there.

    IMAGES must hold what `docker.push --layout` printed.
    """
    commands.handed_images.expect(Path.cwd(), version, sums)


@task(name="tags", help={**_IMAGE_VERSION, **_IMAGE})
def docker_tags(version: str | None = None, platform: str | None = None) -> None:
    """Print the tags that a version's images get, one per line, in the order in which they are pushed."""
    commands.images.tags(Path.cwd(), version, platform)


@task(name="verify", help=_IMAGE_VERSION)
def docker_verify(version: str | None = None) -> None:
    """Check the images that users get from the registry: each tag, digest, platform, label, and --version inside."""
    commands.images.verify(Path.cwd(), version)


@task(name="bake", help=_IMAGE)
def docker_bake(platform: str | None = None) -> None:
    """Print the bake file with every variable and inheritance resolved."""
    commands.docker_build.bake(Path.cwd(), platform)


IMAGE_TASKS = (
    docker_build,
    docker_due,
    docker_start,
    docker_push,
    docker_expect,
    docker_tags,
    docker_verify,
    docker_bake,
)
