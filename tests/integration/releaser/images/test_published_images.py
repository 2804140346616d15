"""Images of a release that was made without a container engine, pushed later with one, and looked at by anybody."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from harness.scene import Ran, Scene

from releaser import engine
from releaser.adapters.docker import buildx
from releaser.core.results import Result
from releaser.core.step import Done, Skipped, part_of
from releaser.plan import release_plan
from releaser.steps.after.remove_worktree import RemoveWorktree
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag

from .conftest import RealRegistry
from .test_image_steps import BAKE, BAKED, BASE, DOCKERFILE, IMAGES

NO_ENGINE = "tcp://127.0.0.1:1"
STEPS = ("stage", "build_images", "start_images", "push_images", "verify_images")


@pytest.fixture
def with_images(scene: Scene, registry: RealRegistry, tmp_path) -> Scene:
    """The tiny project with two images, one of them with a provenance."""
    if reason := buildx.unavailable(tmp_path):
        pytest.skip(reason)
    attest = 'inherits = ["plain"]\n  attest = ["type=provenance,mode=min"]'
    text = (scene.project.path / "pyproject.toml").read_text()
    images = IMAGES.format(repository=f"{registry.host}/published-{uuid4().hex[:8]}/thing", targets=BAKED)
    scene.project.write("pyproject.toml", text + images)
    scene.project.write("bake.hcl", BAKE.replace('inherits = ["plain"]', attest))
    scene.project.write("Dockerfile", DOCKERFILE)
    scene.project.commit("Images")
    return scene


def carried_out(scene: Scene) -> dict[str, Result]:
    release = scene.release()
    plan = part_of(release_plan(release.config), *STEPS)
    return {one.step: one for one in engine.carry_out(release, plan, skip={}, confirm=engine.say_yes)}


def rows(ran: Ran, about: str) -> dict[str, str]:
    """Return what was found of a subject, by name."""
    found = [one for one in json.loads(ran.out)["findings"] if one["about"] == about]
    return {one["name"]: f"{one['kind']}: {one['says']}" for one in found}


def test_what_no_engine_could_build_is_built_later_and_proved_to_anybody(
    with_images: Scene, registry: RealRegistry
) -> None:
    scene = with_images
    scene.set(PYTHON_IMAGE=BASE)
    release = scene.with_dists()
    for step in (CreateTag(), PushTag(), RemoveWorktree()):
        step.run(release)
    with scene.patch.context() as patch:
        patch.setenv("DOCKER_HOST", NO_ENGINE)
        without = carried_out(scene)
    name = str(release.config.images.repository).partition("/")[2]
    assert {type(one.outcome) for step, one in without.items() if "images" in step} == {Skipped}
    assert registry.digests(name) == {}

    later = carried_out(scene)
    assert {type(later[step].outcome) for step in STEPS[1:]} == {Done}

    digests = registry.digests(name)
    plain, extra = ("0.2.0", "0.2", "latest"), ("0.2.0-extra", "0.2-extra", "latest-extra", "latest-too")
    assert digests.keys() == {*plain, *extra}
    scene.patch.setenv("RELEASER_STATE_DIR", str(scene.others))  # as on a machine that has nothing of the release
    seen = scene.run("verify", "--version", "0.2.0", "--json")
    images = rows(seen, "images")
    assert {tag: images[tag] for tag in digests} == {tag: f"right: {digest}" for tag, digest in digests.items()}
    content = [one["says"] for one in json.loads(seen.out)["findings"] if one["name"] == "content"]
    assert content == [
        f"{', '.join(tags)} at {digests[tags[0]][:19]} (linux/amd64, prints 'tiny-thing 0.2.0' on 1 of 1)"
        for tags in (plain, extra)
    ]
    assert {name: says for name, says in images.items() if " " in name} == {
        "0.2.0 SBOM": "warning: 0 of 1 platforms",
        "0.2.0 provenance": "warning: 0 of 1 platforms",
        "0.2.0-extra SBOM": "warning: 0 of 1 platforms",
        "0.2.0-extra provenance": "right: 1 of 1 platforms",
    }

    asked = scene.run("doctor", "--json")
    assert rows(asked, "containers").keys() == {"engine", "builder"}
    assert rows(asked, "containers")["builder"].startswith("right: ")
    assert "write_to_git" in rows(asked, "clone")
    assert rows(asked, "network")["registry"].startswith("right: answers in ")
    assert rows(asked, "credentials")["log_in_for_images"] == f"right: {registry.host} needs no login"
