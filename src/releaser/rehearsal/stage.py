"""The stage: stand-ins on loopback, and a plan's configuration pointed at it.

::

    STATE/rehearsals/DISTRIBUTION-HEAD-VERSION/
        origin.git/  checkout/      the remote, and the clone that the release is made from
        testpypi/  pypi/  forge/  registry/     what the services hold
        state/                      the engine's own state, as a real release keeps it
        tokens/                     made up for this rehearsal; readable by its owner alone
        running.json                the stand-ins' process numbers, while they run

A rehearsal of the same commit and version finds the same state again.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from releaser.adapters import builder, process
from releaser.adapters.clients import import_clients
from releaser.adapters.git import Git, Settings, trees
from releaser.adapters.git.submodules import SOURCE
from releaser.adapters.installers import settings
from releaser.core.files import write_atomically
from releaser.errors import CommandError, ConflictError
from releaser.rehearsal import hosting, remote, services
from releaser.rehearsal.addresses import pointed_at
from releaser.rehearsal.registry import program
from releaser.rehearsal.rehearsed import Rehearsal
from releaser.rehearsal.services import Service
from releaser.release import Release, open_release
from releaser.secret import Credentials
from releaser.store import make_state

if TYPE_CHECKING:
    import subprocess

_SERVICES = ("testpypi", "pypi", "forge")
_NEEDS_REGISTRY = ("log_in_for_images", "push_images", "verify_images")
_RUNNING = "running.json"
_READY = "ready"


@dataclass(frozen=True)
class Stage:
    """The running stand-ins, and the release that is rehearsed with them.

    Attributes:
        path: Its directory.
        release: The release.
        services: The stand-ins.
        lacking: Why steps are left out for want of a stand-in, by step.
    """

    path: Path
    release: Release
    services: tuple[Service, ...]
    lacking: dict[str, str]


def is_ready(path: Path) -> bool:
    """Return whether an earlier rehearsal made the state at `path`, which the next one then continues."""
    return (path / _READY).exists()


@contextmanager
def raised(rehearsal: Rehearsal, *, fresh: bool, keep: bool) -> Iterator[Stage]:
    """Start the stand-ins for HEAD of the checkout, which is only read; stop them afterwards.

    Args:
        rehearsal: What is rehearsed.
        fresh: Whether to delete what an earlier rehearsal left.
        keep: Whether the stand-ins continue to run afterwards.
    """
    path = rehearsal.path
    with _alone(path):
        if path.exists() and (fresh or not is_ready(path)):
            shutil.rmtree(path)
        if not path.exists():
            _build(rehearsal)
        _guard_remote(rehearsal)
        _keep_proxies_out()
        registry, lacking = _registry(rehearsal)
        running = _start(rehearsal, registry, keep=keep)
        try:
            yield Stage(path, _opened(rehearsal, running), tuple(running.values()), lacking)
        finally:
            if not keep:
                services.stop(list(running.values()))
                (path / _RUNNING).unlink(missing_ok=True)


def _opened(rehearsal: Rehearsal, running: dict[str, Service]) -> Release:
    """Return the release, pointed at the stand-ins that run."""
    path, config, hosted = rehearsal.path, rehearsal.config, rehearsal.hosted
    pointed = pointed_at(config, running, rehearsal.repository, hosted=bool(hosted.names))
    if hosted.names:
        hosting.write_services(path, pointed, config.images.via, quick=rehearsal.quick)
    tokens = {
        pointed.testpypi.token_env: _token(path, "testpypi"),
        pointed.pypi.token_env: _token(path, "pypi"),
        pointed.forge.token_env: _token(path, "forge"),
    }
    clone, state, held = path / "checkout", path / "state", Credentials(tokens)
    release = open_release(clone, pointed, rehearsal.version, state, held, rehearsal.title)
    if not is_ready(path):
        _publish_release_before(release)
        (path / _READY).touch()
    if hosted.names:
        hosting.register(path, release)
    return release


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep other rehearsals out of the directory, and end the stand-ins that an earlier one left running.

    Raises:
        ConflictError: Another rehearsal uses it.
        UsageError: The state directory is none.
    """
    make_state(path.parent)
    lock = filelock.FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise ConflictError(
            f"Another rehearsal of this commit and version is running: it has locked {lock.lock_file}",
            "Wait until it ends.",
        ) from None
    try:
        services.stop_kept(path / _RUNNING)
        yield
    finally:
        lock.release()


def _build(rehearsal: Rehearsal) -> None:
    """Lay out everything that does not need a running service."""
    path, config, source = rehearsal.path, rehearsal.config, Git.at(rehearsal.root)
    path.mkdir(parents=True)
    tokens = path / "tokens"
    tokens.mkdir(mode=0o700)
    for name in _SERVICES:
        (path / name).mkdir()
        file = tokens / name
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32), "utf-8")
    milestone = {"number": 1, "title": config.forge.milestone.format(version=rehearsal.version)}
    seed = {"milestones": [milestone], "workflow_runs": [{"workflow": config.forge.tests_workflow}]}
    (path / "forge" / "seed.json").write_text(json.dumps(seed), "utf-8")
    remote.create(path / "origin.git", source.root, config.git.branch)
    clone = path / "checkout"
    process.run(
        ["git", "clone", "--quiet", "--origin", config.git.remote, f"file://{path / 'origin.git'}", clone],
        cwd=path,
        purpose="Cloning for the rehearsal",
    )
    # Submodules and LFS content are those of the user's checkout, and relative addresses those of its remote.
    process.run(["git", "config", SOURCE, source.root], cwd=clone)
    if not all(Settings(clone).identity(role) for role in ("author", "committer")):
        for key, value in (("user.name", "Rehearsal"), ("user.email", "rehearsal@localhost")):
            process.run(["git", "config", key, value], cwd=clone)


def _guard_remote(rehearsal: Rehearsal) -> None:
    """Have the remote refuse what this rehearsal's rules and faults refuse."""
    path, wrong = rehearsal.path, rehearsal.faults.named("remote")
    remote.guard(path / "origin.git", wrong, remote.rulesets_of(path / "forge", rehearsal.config.git.branch, wrong))


def _registry(rehearsal: Rehearsal) -> tuple[list[str], dict[str, str]]:
    """Return how to start a real registry here; if that cannot be, why the steps that need one are left out."""
    config, hosted = rehearsal.config, rehearsal.hosted
    if not config.images.targets:
        return [], {}
    workflow = config.images.workflow
    if (hosted.names or hosted.left_out) and config.images.via == "ci" and not hosted.images:
        reason = hosted.left_out.get(workflow, "there is none at HEAD")
        return [], dict.fromkeys(_NEEDS_REGISTRY, f"{workflow} is not carried out: {reason}")
    command, reason = program.program(rehearsal.path)
    return command, {step: reason for step in _NEEDS_REGISTRY if not command}


def _start(rehearsal: Rehearsal, registry: list[str], *, keep: bool) -> dict[str, Service]:
    """Start all stand-ins side by side and wait until each answers."""
    path, config, faults, workflows = rehearsal.path, rehearsal.config, rehearsal.faults, rehearsal.hosted
    hosted: list[str | Path] = []
    if workflows.names:
        hosting.lay_out(path, config, workflows.environments)
        hosted = hosting.forge_options(path, config, workflows, faults.of.get("actions", ()))
    guarded: list[str | Path] = ["--services", path / hosting.SERVICES] if workflows.images else []
    (path / hosting.SERVICES).unlink(missing_ok=True)  # with the addresses of an earlier rehearsal
    log = path / "services.log"
    begun: dict[str, subprocess.Popen[bytes]] = {}

    def begin(name: str, *special: str | Path) -> None:
        module = f"releaser.rehearsal.{'forge' if name == 'forge' else 'index'}"
        words = ["--world", path / name, "--token-file", path / "tokens" / name, *special, *faults.options(name)]
        begun[name] = services.start(module, words, log, keep=keep)
        write_atomically(path / _RUNNING, json.dumps([one.pid for one in begun.values()]))

    running: dict[str, Service] = {}
    try:
        trusted: list[str | Path] = ["--oidc-secret-file", path / "tokens" / hosting.KEY] if hosted else []
        begin("testpypi", "--name", "testpypi", *trusted)
        begin("forge", "--repository", rehearsal.repository, "--git-dir", path / "origin.git", *hosted)
        if registry:
            world = path / "registry"
            world.mkdir(exist_ok=True)
            words: list[str | Path] = ["--world", world, "--command", json.dumps(registry), *guarded]
            words += faults.options("registry")
            begun["registry"] = services.start("releaser.rehearsal.registry", words, log, keep=keep)
        # The last, because pip takes its time to say what the user's index is.
        upstream = settings.index_url() or "pypi"
        begin("pypi", "--name", "pypi", "--upstream", upstream, "--own", config.distribution, *trusted)
        import_clients()  # while they start
        for name, started in begun.items():
            running[name] = services.ready(name, started, log)
    except BaseException:
        services.stop([Service(name, "", started) for name, started in begun.items()])
        raise
    return running


def _publish_release_before(release: Release) -> None:
    """Put the version that HEAD declares on the index, so that there is something to upgrade from."""
    before = release.version_files[0].read(release.git.root).version
    if before >= release.version or release.pypi.files(release.config.distribution, before):
        return
    with release.store.scratch("before") as scratch:
        # Built in a tree of its own: some backends leave files behind in the tree that they build.
        release.add_worktree(scratch / "source", release.git.head())
        builder.build_wheel(scratch / "source", scratch / "dist")
        trees.remove_worktree(release.git, scratch / "source")
        # What the index refuses of it, it refuses of the release too, where a step says so.
        with suppress(CommandError):
            release.pypi.upload(sorted((scratch / "dist").glob("*.whl")))


def _keep_proxies_out() -> None:
    """Have every client, in this process and in those it starts, reach loopback without a proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [os.environ.get(name, ""), "127.0.0.1", "localhost"]
        os.environ[name] = ",".join(filter(None, hosts))


def _token(path: Path, name: str) -> str:
    return (path / "tokens" / name).read_text("utf-8")
