"""The jobs of a workflow, each in a fresh clone with a state directory of its own, as GitHub runs them."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .projects import git
from .scene import Ran, Scene
from .stand_ins import REPOSITORY


@dataclass
class JobRun:
    """What a job did, and what it handed on.

    Attributes:
        ran: What its command did.
        outputs: Its outputs.
        clone: Its checkout.
    """

    ran: Ran
    outputs: dict[str, str]
    clone: Path

    @property
    def artifact(self) -> Path:
        """The directory that the workflow makes an artifact of."""
        return self.clone / "dist"


@dataclass
class Workflow:
    """One run of a workflow for the scene's project.

    Attributes:
        scene: The project and the services.
        file: The workflow's file.
        event: What started it.
        ref: What it was started for.
        commit: The commit of that, when it was started.
        over_http: Whether its jobs reach the remote as they reach GitHub's, where a push needs a token.
    """

    scene: Scene
    file: str = "release.yml"
    event: str = "workflow_dispatch"
    ref: str = "refs/heads/main"
    commit: str = ""
    over_http: bool = False

    def __post_init__(self) -> None:
        self.commit = self.commit or self.scene.at_origin("rev-parse", f"{self.ref}^{{commit}}")

    def job(self, *words: str, artifact: Path | None = None, checkout: str = "", **env: str | None) -> JobRun:
        """Run a command in a job: a clone of what the workflow was started for, and the artifact in dist/."""
        self.scene.others.mkdir(exist_ok=True)
        room = Path(tempfile.mkdtemp(prefix="job-", dir=self.scene.others))
        clone = room / "checkout"
        git(self.scene.origin, "clone", "--quiet", self.scene.origin, clone)
        git(clone, "checkout", "--quiet", "--detach", checkout or self.commit)
        if self.over_http:
            git(clone, "remote", "set-url", "origin", f"{self.scene.forge.url}/{REPOSITORY}")
        if artifact:
            shutil.copytree(artifact, clone / "dist", symlinks=True)
        outputs = room / "outputs"
        outputs.touch()
        given = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_NAME": self.event,
            "GITHUB_SHA": self.commit,
            "GITHUB_REF": self.ref,
            "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/{self.file}@{self.ref}",
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_SERVER_URL": self.scene.forge.url,
            "RELEASER_STATE_DIR": str(room / "state"),
            # No user of git's is configured on a runner.
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        ran = self.scene.run(*words, "--version", "0.2.0", where=clone, **{**given, **env})
        lines = (line.partition("=") for line in outputs.read_text().splitlines())
        return JobRun(ran, {name: value for name, _, value in lines}, clone)


def altered(manifest: str, **changes: Any) -> str:
    """Return a manifest with other fields."""
    return json.dumps({**json.loads(manifest), **changes})
