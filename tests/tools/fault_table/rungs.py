"""The worlds from which rows begin: each is made from another, by what others do and by a run that is killed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
from harness.coming_back import keep_immutable_tags
from harness.projects import git
from harness.stand_ins import REPOSITORY, StandIn

from .images import BUILT, keep_images

EARLIER = "v0.1.0"


@dataclass(frozen=True)
class World:
    """A world that is being made.

    Attributes:
        path: Its directory.
        services: The running services, by name.
    """

    path: Path
    services: dict[str, StandIn]


@dataclass(frozen=True)
class Rung:
    """One world to begin in.

    Attributes:
        after: The world that it is made from; None: the first.
        fault: How the run ends that leads here; empty: it is not run.
        command: What is run.
        words: What that command is given as well.
        others: What others do before.
        hangs: Requests that are never answered, by service, so that what waits for them does not go on.
    """

    after: str | None
    fault: str = ""
    command: str = "release"
    words: tuple[str, ...] = ()
    others: Callable[[World], None] = lambda _: None
    hangs: tuple[tuple[str, str], ...] = ()


def _immutable(world: World) -> None:
    keep_immutable_tags(world.path / "forge", world.path / "checkout.git")


def _uploading(world: World) -> None:
    """Have a workflow upload to PyPI, whose run for the tag has not ended."""
    pyproject = world.path / "checkout" / "pyproject.toml"
    title = "[tool.releaser.pypi]\n"
    pyproject.write_text(pyproject.read_text("utf-8").replace(title, f'{title}via = "ci"\nworkflow = "up.yml"\n'))
    path = world.path / "forge" / "forge.json"
    held = json.loads(path.read_bytes())
    run = {"id": 77, "workflow": "up.yml", "status": "queued", "conclusion": None}
    held["workflow_runs"].append({**run, "head_sha": "*", "head_branch": "v0.2.0"})
    path.write_text(json.dumps(held))


def _succeeding(world: World) -> None:
    """Have a version before this one, with its tag and its release."""
    origin = world.path / "checkout.git"
    first = git(origin, "rev-list", "--max-parents=0", "main")
    git(origin, "tag", "--annotate", "--message", "Earlier", EARLIER, first)
    forge = world.services["forge"]
    wanted = {"tag_name": EARLIER, "name": EARLIER, "body": "Earlier\n", "make_latest": "false"}
    url = f"{forge.url}/repos/{REPOSITORY}/releases"
    made = requests.post(url, json=wanted, headers={"Authorization": f"Bearer {forge.token}"}, timeout=60)
    made.raise_for_status()


def _keeping_images(world: World) -> None:
    keep_images(world.path)


_NOT_PUSHED = ("--skip", "push_images", "--skip", "verify_images")

RUNGS = {
    "begun": Rung(None),
    "checked": Rung("begun", "engine:kill-before=open_worktree"),
    "built": Rung("checked", "engine:kill-after=write_sbom"),
    "tested": Rung("built", "engine:kill-before=upload_testpypi"),
    "tried": Rung("tested", "engine:kill-before=create_tag"),
    "pushed": Rung("tried", "engine:kill-after=push_tag"),
    "drafted": Rung("pushed", "engine:kill-after=upload_assets"),
    "published": Rung("drafted", "engine:kill-after=publish_release"),
    "served": Rung("published", "engine:kill-after=upload_pypi"),
    # Worlds from which a rollback begins.
    "succeeding": Rung("served", others=_succeeding),
    "immutable": Rung("drafted", "engine:kill-after=publish_release", others=_immutable),
    "uploading": Rung("published", others=_uploading),
    "untagged": Rung("published", "engine:kill-after=delete_release", "rollback", ("--revert",)),
    # Worlds of a project that has images, which are made by hand, so that no row needs an engine.
    "images configured": Rung(None),
    "images begun": Rung("images configured", "engine:kill-after=write_sbom"),
    "images built": Rung(
        "images begun", "engine:kill-before=verify_index_files", words=(*BUILT, *_NOT_PUSHED), others=_keeping_images
    ),
    "images pushed": Rung(
        "images begun",
        "engine:kill-after=push_images",
        words=BUILT,
        others=_keeping_images,
        hangs=(("forge", "POST:/releases$:1:before:hang"),),
    ),
}
