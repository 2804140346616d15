"""Programs of this machine that are asked who they are."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from releaser.adapters import process
from releaser.errors import CommandError
from releaser.secret import Secret

_ANSWER_S = 10.0


def version_of(program: str, *words: str) -> str | None:
    """Return what a program says of its version, in one line; None if it is not here or does not run."""
    if shutil.which(program) is None:
        return None
    try:
        said = process.ask([program, *(words or ("--version",))], cwd=Path.home(), check=False, within=_ANSWER_S)
    except CommandError:
        return None
    lines = said.text.strip().splitlines()
    return lines[0] if said.status == 0 and lines else None


def token_of_gh(host: str) -> Secret | None:
    """Return the token that GitHub's own command line keeps for a host; None if it keeps none."""
    if shutil.which("gh") is None:
        return None
    try:
        said = process.ask(["gh", "auth", "token", "--hostname", host], cwd=Path.home(), check=False, within=_ANSWER_S)
    except CommandError:
        return None
    token = said.text.strip()
    return Secret(token) if said.status == 0 and token else None


def platforms_of_builder(root: Path) -> tuple[str, tuple[str, ...]] | None:
    """Return the driver of buildx's builder and the platforms that it builds for; None if it does not say."""
    try:
        said = process.ask(["docker", "buildx", "inspect"], cwd=root, check=False, within=_ANSWER_S)
    except CommandError:
        return None
    driver = re.search(r"^Driver:\s*(\S+)", said.text, re.MULTILINE)
    listed = re.search(r"^Platforms:\s*(.+)", said.text, re.MULTILINE)
    if said.status != 0 or driver is None:
        return None
    return driver[1], tuple(one.strip(" *") for one in (listed[1] if listed else "").split(",") if one.strip())
