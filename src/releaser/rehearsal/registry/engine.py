"""This machine's container engine, lent to a job: where it is, and a `docker` that makes no builder of its own.

A job's line `docker buildx create --use` has BuildKit in a container, of an image that must come from a hub, and that
stays in the engine. Here the builder of this machine builds in its place, as it does for a release from here.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from contextlib import suppress
from pathlib import Path

from releaser.adapters.docker import buildx
from releaser.adapters.docker.engine import Engine
from releaser.errors import ReleaserError

UNPROVEN = "docker buildx create: the builder of this machine built, and not one that the job made"
EMULATED = (
    "arm64: its images ran emulated, or not at all where this machine cannot emulate them; the job's log says which"
)
_NEEDED = ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "BUILDX_BUILDER", buildx.BASE, buildx.NETWORK, buildx.CERTIFICATES)
_DOCKER = """\
#!/bin/sh
if [ "$1" = buildx ] && [ "$2" = create ]; then
  echo "$*" >>{made}
  exec {docker} buildx inspect
fi
exec {docker} "$@"
"""


def lend(room: Path, home: Path) -> tuple[dict[str, str], Path]:
    """Let a job use the engine.

    Args:
        room: The job's own directory.
        home: Its home, which gets a configuration of docker without any login.

    Returns:
        The variables that the job needs, and the directory to put first on its path.
    """
    own = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    settings = home / ".docker" / "config.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"cliPluginsExtraDirs": [str(own / "cli-plugins")]}), "utf-8")
    programs = room / "docker"
    programs.mkdir()
    program = programs / "docker"
    real = shutil.which("docker") or "docker"
    program.write_text(_DOCKER.format(made=shlex.quote(str(_made(room))), docker=shlex.quote(real)), "utf-8")
    program.chmod(0o755)
    variables = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    variables["DOCKER_HOST"] = buildx.endpoint(room)
    variables["BUILDX_CONFIG"] = os.environ.get("BUILDX_CONFIG") or str(own / "buildx")
    return variables, programs


def sweep(home: Path) -> None:
    """Remove what the commands of a job left in the engine, if they were killed: it is marked with their state."""
    for state in home.glob("**/releaser/*/*"):
        if state.is_dir():
            with suppress(ReleaserError):  # an engine that is gone keeps nothing running
                running = Engine.connect(state)
                running.sweep()
                running.close()


def made_builders(room: Path) -> bool:
    """Return whether the job wanted a builder of its own."""
    return _made(room).exists()


def _made(room: Path) -> Path:
    return room / "docker" / "builders.txt"
