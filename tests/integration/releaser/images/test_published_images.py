"""Images of a release that was made without a container engine, pushed later with one, and looked at by anybody."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from harness.scene import Ran, Scene

from releaser.adapters.docker import buildx
from releaser.adapters.registry.layout import OciLayout

from .conftest import RealRegistry
from .test_image_steps import BAKE, BAKED, BASE, DOCKERFILE, IMAGES

NO_ENGINE = "tcp://127.0.0.1:1"
LEFT_OUT = ("try_testpypi", "install_from_pypi", "upgrade_from_pypi")
SCANNER = os.environ.get("TEST_SBOM_SCANNER")
"""An image of an SBOM scanner that the builder can pull and run, such as that of tests/tools/sbom_scanner."""
BOTH = '"linux/amd64", "linux/arm64"'
IMAGE_STEPS = ("build_images", "start_images", "push_images", "verify_images")


@pytest.fixture
def with_images(scene: Scene, registry: RealRegistry, tmp_path) -> Scene:
    """The tiny project with two images: one of two platforms with a provenance, and an SBOM where a scanner is."""
    if reason := buildx.unavailable(tmp_path):
        pytest.skip(reason)
    attested = '"type=provenance,mode=min"' + (f', "type=sbom,generator={SCANNER}"' if SCANNER else "")
    more = f'inherits = ["plain"]\n  platforms = [{BOTH}]\n  attest = [{attested}]'
    targets = BAKED.replace('"extra",', f'"extra", platforms = [{BOTH}],')
    text = (scene.project.path / "pyproject.toml").read_text()
    images = IMAGES.format(repository=f"{registry.host}/published-{uuid4().hex[:8]}/thing", targets=targets)
    scene.project.write("pyproject.toml", text + images)
    scene.project.write("bake.hcl", BAKE.replace('inherits = ["plain"]', more))
    scene.project.write("Dockerfile", DOCKERFILE)
    scene.project.commit("Images")
    return scene


def released(scene: Scene, **env: str) -> dict[str, str]:
    """Run the whole release, but for what installs packages from an index; return how each image step ended."""
    skips = [word for step in LEFT_OUT for word in ("--skip", step)]
    ran = scene.run("release", "--version", "0.2.0", "--yes", *skips, **env)
    assert ran.code == 0, ran.text
    lines = (scene.store / "journal.jsonl").read_text("utf-8").splitlines()
    ends = [one for one in map(json.loads, lines) if one["event"] == "finished"]
    return {one["step"]: one["outcome"] for one in ends if one["step"] in IMAGE_STEPS}


def rows(ran: Ran, about: str) -> dict[str, str]:
    """Return what was found of a subject, by name."""
    found = [one for one in json.loads(ran.out)["findings"] if one["about"] == about]
    return {one["name"]: f"{one['kind']}: {one['says']}" for one in found}


def test_a_release_without_an_engine_is_completed_by_the_same_command_with_one_and_proved_to_anybody(
    with_images: Scene, registry: RealRegistry
) -> None:
    scene = with_images
    scene.set(PYTHON_IMAGE=BASE)
    scene.forge.hold({"milestones": [{"number": 1, "title": "v0.2.0"}], "workflow_runs": [{"workflow": "tests.yml"}]})
    name = str(scene.release().config.images.repository).partition("/")[2]
    assert released(scene, DOCKER_HOST=NO_ENGINE) == dict.fromkeys(IMAGE_STEPS, "skipped")
    assert registry.digests(name) == {}
    public, uploads, refs = scene.forge.releases(), scene.pypi.uploads(), scene.at_origin("for-each-ref")

    assert released(scene) == dict.fromkeys(IMAGE_STEPS, "done")

    assert (scene.forge.releases(), scene.pypi.uploads()) == (public, uploads)
    assert scene.at_origin("for-each-ref") == refs
    digests = registry.digests(name)
    plain, extra = ("0.2.0", "0.2", "latest"), ("0.2.0-extra", "0.2-extra", "latest-extra", "latest-too")
    assert digests.keys() == {*plain, *extra}
    scene.patch.setenv("RELEASER_STATE_DIR", str(scene.others))  # as on a machine that has nothing of the release
    seen = scene.run("verify", "--version", "0.2.0", "--json")
    images = rows(seen, "images")
    assert {tag: images[tag] for tag in digests} == {tag: f"right: {digest}" for tag, digest in digests.items()}
    content = [one["says"] for one in json.loads(seen.out)["findings"] if one["name"] == "content"]
    # What is for another processor runs here where it is emulated.
    runs = [one for one in content if one.startswith(", ".join(extra))]
    emulated = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64").exists()
    assert runs == [
        f"{', '.join(extra)} at {digests[extra[0]][:19]} (linux/amd64, linux/arm64, "
        f"prints 'tiny-thing 0.2.0' on {2 if emulated else 1} of 2)"
    ]
    assert (
        f"{', '.join(plain)} at {digests[plain[0]][:19]} (linux/amd64, prints 'tiny-thing 0.2.0' on 1 of 1)" in content
    )
    assert {name: says for name, says in images.items() if " " in name} == {
        "0.2.0 SBOM": "warning: 0 of 1 platforms",
        "0.2.0 provenance": "warning: 0 of 1 platforms",
        "0.2.0-extra SBOM": "right: 2 of 2 platforms" if SCANNER else "warning: 0 of 2 platforms",
        "0.2.0-extra provenance": "right: 2 of 2 platforms",
    }

    asked = scene.run("doctor", "--json")
    assert rows(asked, "containers").keys() == {"engine", "builder", "emulation"}
    assert rows(asked, "containers")["builder"].startswith("right: ")
    assert "write_to_git" in rows(asked, "clone")
    assert rows(asked, "network")["registry"].startswith("right: answers in ")
    assert rows(asked, "credentials")["log_in_for_images"] == f"right: {registry.host} needs no login"


def test_githubs_attestations_of_an_image_are_looked_for_by_its_digest(
    scene: Scene, registry: RealRegistry, make_layout: Callable[..., OciLayout], tmp_path: Path
) -> None:
    name = f"attested-{uuid4().hex[:8]}/thing"
    text = (scene.project.path / "pyproject.toml").read_text()
    images = f'\n[tool.releaser.images]\nrepository = "{registry.host}/{name}"\ntargets = [{{ name = "image" }}]\n'
    scene.project.write("pyproject.toml", text + images)
    layout = make_layout(tmp_path / "images", name)
    root = layout.roots()["image"]
    scene.release().registry.push(layout, root)
    registry.put(name, "0.2.0", layout.read(root))

    seen = scene.run("verify", "--version", "0.2.0", "--json", DOCKER_HOST=NO_ENGINE)

    assert rows(seen, "images")["0.2.0"] == f"right: {root.digest}"
    assert rows(seen, "artifact attestations") == {f"{registry.host}/{name}:0.2.0": "none: GitHub has none"}
    assert scene.forge.count(f"/attestations/{root.digest}") == 1
