"""The images' part of the menu: `docker.build` and so on. Nothing heavy is imported here either."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from releaser.tasks.exits import is_dry, reporting_errors

_IMAGE = {"platform": "which image, as [tool.releaser.images] names it; all by default"}
_IMAGE_VERSION = {"version": "the version in SemVer form; by default the one that the project declares"}


@task(
    name="build",
    help={
        **_IMAGE,
        "version": "a version that `invoke release` built here; by default the tree as it is",
        "load": "put it into the local engine (this machine's platform where there are several)",
        "push": "start it, then push it with its tags; a version's tag that holds another image is never overwritten",
        "builder": "a buildx builder, such as one with native arm64 nodes (`docker buildx ls`)",
        "base": "the base image, instead of the bake file's",
        "no-cache": "build every step anew",
        "from-release": "from the wheel attached to the forge's release, as the workflow does",
        "dry-run": "print the command that would run",
    },
)
@reporting_errors
def docker_build(
    c: Context,
    platform: str | None = None,
    version: str | None = None,
    load: bool = False,
    push: bool = False,
    builder: str | None = None,
    base: str | None = None,
    no_cache: bool = False,
    from_release: bool = False,
    dry_run: bool = False,
) -> None:
    """Build container images from the wheel; without --load or --push only see that they build."""
    from releaser.commands import docker as command

    command.build(
        Path.cwd(),
        version,
        platform,
        load=load,
        push=push,
        builder_name=builder,
        base=base,
        no_cache=no_cache,
        from_release=from_release,
        dry_run=dry_run or is_dry(c),
    )


@task(name="push", help={**_IMAGE_VERSION, **_IMAGE})
@reporting_errors
def docker_push(c: Context, version: str | None = None, platform: str | None = None) -> None:  # noqa: ARG001
    """Push the images that a release built and qualified here, by digest, then their tags."""
    from releaser.commands import docker as command

    command.push(Path.cwd(), version, platform)


@task(name="tags", help={**_IMAGE_VERSION, **_IMAGE})
@reporting_errors
def docker_tags(c: Context, version: str | None = None, platform: str | None = None) -> None:  # noqa: ARG001
    """Print the tags that a version's images have to have, a line each, in the order in which they are pushed."""
    from releaser.commands import docker as command

    command.tags(Path.cwd(), version, platform)


@task(name="verify", help=_IMAGE_VERSION)
@reporting_errors
def docker_verify(c: Context, version: str | None = None) -> None:  # noqa: ARG001  invoke's signature
    """Check that the registry gives users the right images: each tag, digest, platform, label, and --version inside."""
    from releaser.commands import docker as command

    command.verify(Path.cwd(), version)


@task(name="bake", help=_IMAGE)
@reporting_errors
def docker_bake(c: Context, platform: str | None = None) -> None:  # noqa: ARG001  invoke's signature
    """Print the bake file with every variable and inheritance resolved."""
    from releaser.commands import docker as command

    command.bake(Path.cwd(), platform)


IMAGE_TASKS = (docker_build, docker_push, docker_tags, docker_verify, docker_bake)
