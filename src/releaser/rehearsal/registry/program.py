"""Which real registry can stand in for the one that images go to: a program here, or an image that the engine has."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from releaser.adapters import process
from releaser.adapters.docker import buildx

PROGRAM = "docker-registry"
"""Debian's package and program; others call the same program `registry`."""
IMAGE = "registry"


def program(room: Path) -> tuple[list[str], str]:
    """Return how to start it: a command that takes `serve CONFIG`, with what it needs of the directory `room`.

    Returns:
        The command, and nothing; or no command, and the reason.
    """
    found = shutil.which(PROGRAM)
    if found:
        return [found], ""
    if shutil.which("docker"):
        for image in (f"{IMAGE}:3", f"{IMAGE}:2", f"{IMAGE}:latest"):
            words = ["docker", "image", "inspect", "--format", "{{.Id}}", image]
            try:
                asked = process.ask(words, cwd=room, check=False, within=buildx.ANSWER_S)
            except process.NoAnswerError:
                return [], f"there is no {PROGRAM} program here, and the container engine does not answer"
            if asked.status == 0:
                return _container(image, room), ""
    return [], f"there is no {PROGRAM} program here, and the container engine has no image named {IMAGE}"


def _container(image: str, room: Path) -> list[str]:
    words = ["docker", "run", "--rm", "--network", "host", "--volume", f"{room}:{room}"]
    # As this user, so that what it stores can be removed by this user.
    return [*words, "--user", f"{os.getuid()}:{os.getgid()}", "--entrypoint", "registry", image]
