"""Building images: `docker buildx bake`, which only builds; what it builds lands in an OCI layout or in the engine.

What a bake file can know, each a variable that bake takes from the environment:

- from the release: VERSION, REVISION, CREATED (RFC 3339), SOURCE_DATE_EPOCH, REGISTRY_IMAGE (REGISTRY/NAME), and
  WHEEL_DIR, a directory with the built wheel and its bill of materials;
- from the user's environment, as this machine needs it: PYTHON_IMAGE, the base image; BUILD_NETWORK, `default` or
  `host`; CA_BUNDLE, a file of certificates for pip (by default PIP_CERT, which pip itself heeds), and PIP_CONFIG, a
  pip.conf: secrets of the build, in no image. buildx itself heeds BUILDX_BUILDER.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from releaser.adapters import process
from releaser.adapters.process import LAST_LINES
from releaser.errors import CommandError

BASE = "PYTHON_IMAGE"
NETWORK = "BUILD_NETWORK"
ANSWER_S = 20.0
"""How long an engine may take to say its version; one that hangs takes the connection and never answers."""
NO_BUILDX = "docker has no buildx here"
GET_BUILDX = "Install docker's buildx plugin: https://docs.docker.com/build/concepts/overview/#install-buildx."
CERTIFICATES = "CA_BUNDLE"
_STEP = re.compile(r"#(\d+) (\[.+)")
_ERROR = re.compile(r"#(\d+) ERROR: (.+)")


def unavailable(home: Path, within: float = ANSWER_S) -> str | None:
    """Return why no image can be built here; None if one can be. An engine has `within` seconds to answer."""
    if shutil.which("docker") is None:
        return "no container engine at hand: there is no docker program"
    words = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        asked = process.ask(words, cwd=home, check=False, within=within)
    except process.NoAnswerError:
        return f"no container engine that answers: {endpoint(home)} has said nothing for {within:.0f} s"
    if asked.status != 0:
        return f"no container engine at {endpoint(home)}"
    if process.ask(["docker", "buildx", "version"], cwd=home, check=False).status != 0:
        return NO_BUILDX
    return None


def endpoint(home: Path) -> str:
    """Return the engine's address, as docker's command line finds it."""
    if named := os.environ.get("DOCKER_HOST"):
        return named
    asked = process.ask(
        ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], cwd=home, check=False
    )
    return asked.text.strip() if asked.status == 0 else "docker's default address"


def python_of_base(home: Path) -> str | None:
    """Return the version of the Python in the base that the environment names, such as "3.11".

    Returns:
        The version; None where the bake file's own base is used, or the base has no Python that runs here.
    """
    base = os.environ.get(BASE)
    if not base:
        return None
    asking = "import sys; print('%d.%d' % sys.version_info[:2])"
    words = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python3", base, "-c", asking]
    asked = process.ask(words, cwd=home, check=False)
    return asked.text.strip() if asked.status == 0 else None


@dataclass(frozen=True)
class BakeOptions:
    """How to build: the choices that a user has, and that leave what is built as it is.

    Attributes:
        builder: The name of a buildx builder; None for the one in use.
        base: The base image; None for the bake file's own.
        no_cache: Whether every step of the build runs again.
    """

    builder: str | None = None
    base: str | None = None
    no_cache: bool = False

    def words(self) -> list[str]:
        """Return the options of `docker buildx bake`."""
        return [*(["--builder", self.builder] if self.builder else []), *(["--no-cache"] if self.no_cache else [])]

    def variables(self) -> dict[str, str]:
        """Return the variables for the bake file."""
        return {BASE: self.base} if self.base else {}


@dataclass(frozen=True)
class Bake:
    """One call of bake.

    Attributes:
        tree: The directory to run in; the bake file's paths start there.
        file: The bake file.
        targets: What to build.
        variables: For the bake file.
        settings: `--set` values: TARGET.KEY=VALUE.
        options: Further options.
    """

    tree: Path
    file: str
    targets: Sequence[str]
    variables: Mapping[str, str]
    settings: Sequence[str] = ()
    options: Sequence[str] = ()

    def command(self) -> list[str]:
        """Return the command line."""
        words = ["docker", "buildx", "bake", "--file", self.file, "--progress", "plain", *self.options]
        if os.environ.get(NETWORK) == "host":
            words += ["--allow", "network.host"]
        for setting in self.settings:
            words += ["--set", setting]
        return [*words, *self.targets]

    def run(self, log: Path | None = None) -> None:
        """Build, with live progress.

        Raises:
            CommandError: A step of the build failed; the message names it and ends with its last lines.
        """
        output = process.run(self.command(), cwd=self.tree, env=self._environment(), check=False, log=log)
        if output.status != 0:
            raise CommandError(
                failure(output.text) + (f"\nFull output: {log}" if log else ""),
                "Fix the problem above and rerun the command. Completed build steps are kept.",
            )

    def resolved(self) -> str:
        """Return the bake file with every variable and inheritance resolved, as JSON.

        Raises:
            CommandError: The bake file is wrong, or docker has no buildx.
        """
        if process.ask(["docker", "buildx", "version"], cwd=self.tree, check=False).status != 0:
            raise CommandError(f"{self.file} cannot be read: {NO_BUILDX}", GET_BUILDX)
        words = [word for word in self.command() if word not in ("--progress", "plain")]
        purpose = f"Reading {self.file}"
        return process.ask([*words, "--print"], cwd=self.tree, env=self._environment(), purpose=purpose).text

    def _environment(self) -> dict[str, str]:
        # The bake file is the project's own code, like everything else that a release runs from this tree.
        own = {"BUILDX_BAKE_ENTITLEMENTS_FS": "0", "NO_COLOR": "1"}
        certificates = os.environ.get(CERTIFICATES) or os.environ.get("PIP_CERT")
        if certificates:
            own[CERTIFICATES] = certificates
        return {**own, **self.variables}


def failure(text: str) -> str:
    """Return what a failed build says that matters: the step that failed and its last lines, from plain progress."""
    steps: dict[str, str] = {}
    said: dict[str, list[str]] = {}
    for line in text.splitlines():
        if error := _ERROR.match(line):
            number = error[1]
            lines = "\n".join(said.get(number, [])[-LAST_LINES:])
            return f"The build failed at {steps.get(number, 'a step')}: {error[2]}" + (f"\n{lines}" if lines else "")
        if named := _STEP.match(line):
            steps.setdefault(named[1], named[2])
        elif line.startswith("#") and " " in line:
            number, _, words = line[1:].partition(" ")
            said.setdefault(number, []).append(words)
    last = [line for line in text.splitlines() if line.strip()][-LAST_LINES:]
    return "The build failed. Its last lines:\n" + "\n".join(last)
