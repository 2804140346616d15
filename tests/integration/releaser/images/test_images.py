"""Images of a tiny project, built by a real engine, pushed to a real registry by the real `invoke`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from harness.projects import SAMPLES
from harness.scene import run_invoke

from releaser.adapters.docker import buildx
from releaser.adapters.forge.client import Forge
from releaser.adapters.registry.layout import OciLayout, joined
from releaser.adapters.registry.oci import Descriptor, Source, blobs
from releaser.adapters.registry.oci import images as images_of
from releaser.config.load import load_config
from releaser.core.files import sha256, write_sums
from releaser.images.build import ImageBuild
from releaser.rehearsal import services
from releaser.release import Release, open_release
from releaser.steps.publish.push_images import PushImages
from releaser.steps.qualify.build_images import BuildImages
from releaser.versions.version import Version

# A small image with a shell, for linux/amd64 and linux/arm64.
BASE = os.environ.get("TEST_BASE_IMAGE", "busybox")
REVISION = "0123456789abcdef0123456789abcdef01234567"
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny-thing"
version = "0.1.0"
readme = "README.md"

[project.scripts]
tiny-thing = "tiny_thing:main"

[tool.releaser]
version-files = [{{ path = "pyproject.toml", key = "project.version", scheme = "pep440" }}]

[tool.releaser.images]
repository = "{repository}"
bake-file = "bake.hcl"
targets = [
  {{ name = "both", platforms = ["linux/amd64", "linux/arm64"] }},
  {{ name = "board", suffix = "-board", platforms = ["linux/arm64"], aliases = ["latest-any"] }},
]
"""
DOCKERFILE = """\
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
ARG VERSION
ARG FLAVOUR
ARG BREAK
RUN --network=none echo "this is the ${FLAVOUR}" && test -z "${BREAK}" && mkdir /flavour && echo ${FLAVOUR} >/flavour/is
COPY --chmod=0755 <<EOF /bin/tiny-thing
#!/bin/sh
[ "\\$1" = --version ] && echo tiny-thing ${VERSION} && exit
echo serving; sleep 600
EOF
HEALTHCHECK CMD test -d /flavour
ENTRYPOINT ["tiny-thing"]
"""
BAKE = """\
variable "VERSION" { default = "" }
variable "REVISION" { default = "" }
variable "CREATED" { default = "" }
variable "PYTHON_IMAGE" { default = "" }
variable "BREAK" { default = "" }
variable "SAID" { default = VERSION }
target "_any" {
  context = "."
  args = { VERSION = SAID, PYTHON_IMAGE = PYTHON_IMAGE, BREAK = BREAK }
  labels = {
    "org.opencontainers.image.title" = "Tiny"
    "org.opencontainers.image.description" = "A tiny thing"
    "org.opencontainers.image.url" = "https://example.invalid"
    "org.opencontainers.image.source" = "https://example.invalid"
    "org.opencontainers.image.licenses" = "MIT"
    "org.opencontainers.image.version" = VERSION
    "org.opencontainers.image.revision" = REVISION
    "org.opencontainers.image.created" = CREATED
  }
}
target "both" {
  inherits = ["_any"]
  args = { FLAVOUR = "one for both" }
  platforms = ["linux/amd64", "linux/arm64"]
}
target "board" {
  inherits = ["_any"]
  args = { FLAVOUR = "one for boards" }
  platforms = ["linux/arm64"]
}
"""


@pytest.fixture(scope="module", autouse=True)
def engine(tmp_path_factory) -> None:
    if reason := buildx.unavailable(tmp_path_factory.mktemp("engine")):
        pytest.skip(reason)


@dataclass
class Project:
    """A tiny project in a repository of its own, whose images go to NAME in a registry."""

    path: Path
    name: str
    state: Path

    def invoke(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `invoke` in this process."""
        environment = {"PYTHON_IMAGE": BASE, "RELEASER_STATE_DIR": str(self.state), **environment}
        with pytest.MonkeyPatch.context() as patch:
            ran = run_invoke(patch, self.path, *words, **environment)
        return subprocess.CompletedProcess(["invoke", *words], ran.code, ran.out, ran.err)

    def release(self, version: str) -> Release:
        return open_release(self.path, load_config(self.path), Version.parse(version), self.state)

    def commit(self) -> None:
        """All that is in the tree."""
        who = ("-c", "user.name=Sample", "-c", "user.email=sample@localhost")
        for words in (["add", "."], ["commit", "-qm", "As it is"]):
            subprocess.run(["git", *who, *words], cwd=self.path, check=True)

    def point_at(self, host: str) -> None:
        (self.path / "pyproject.toml").write_text(PYPROJECT.format(repository=f"{host}/{self.name}"))


@pytest.fixture
def project(tmp_path, registry) -> Project:
    path = tmp_path / "project"
    path.mkdir()
    made = Project(path, f"tiny-{uuid4().hex[:8]}/thing", tmp_path / "state")
    made.point_at(registry.host)
    (path / "bake.hcl").write_text(BAKE)
    (path / "Dockerfile").write_text(DOCKERFILE)
    (path / "README.md").write_text("# Tiny\n")
    (path / "LICENSE").write_text("Do what you like.\n")
    (path / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-22\n\n- Begun.\n")
    (path / ".gitignore").write_text("build/\ndist/\n*.egg-info/\n__pycache__/\n")
    (path / "tasks.py").write_text("from releaser.tasks import namespace\n")
    shutil.copy(SAMPLES / "tiny" / "backend.py", path)  # one that needs no packages, which every build would install
    (path / "src" / "tiny_thing").mkdir(parents=True)
    (path / "src" / "tiny_thing" / "__init__.py").write_text("def main() -> None: ...\n")
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=path, check=True)
    made.commit()
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "origin.git"], check=True)
    subprocess.run(["git", "remote", "add", "origin", tmp_path / "origin.git"], cwd=path, check=True)
    return made


Build = Callable[..., OciLayout]


@pytest.fixture
def build(once) -> Build:
    """Builds a version's images, each version once; a copy lies where a release of the project would have put it."""

    def built(project: Project, version: str, said: str = "") -> OciLayout:
        def make(room: Path) -> Path:
            images = load_config(project.path).images
            build = ImageBuild(images, project.path, Version.parse(version), REVISION, 1700000000)
            variables = {"PYTHON_IMAGE": BASE, **({"SAID": said} if said else {})}
            return build.into_layout(images.targets, room, variables=variables).path

        made = once(f"tiny-images-{version}-{said.replace(' ', '-')}", make)
        target = project.release(version).store.images
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-r", made, target], check=True)
        return OciLayout(target)

    return built


def digests(layout: OciLayout) -> dict[str, str]:
    return {name: root.digest for name, root in layout.roots().items()}


def expected(layout: OciLayout, version: str, *floating: str) -> dict[str, str]:
    """Tags to digests: both's, and board's with its suffix; `latest` brings its alias along."""
    root = digests(layout)
    tags = {}
    for tag in (version, *floating):
        tags |= {tag: root["both"], f"{tag}-board": root["board"]}
    return tags | ({"latest-any": root["board"]} if "latest" in floating else {})


def test_all_images_are_built_at_once_with_their_platforms_and_labels_and_shared_content_lies_there_once(
    project, build
) -> None:
    layout = build(project, "1.0.0")

    both, board = (images_of(layout, root) for root in layout.roots().values())
    assert list(layout.roots()) == ["both", "board"]
    assert [image.platform for image in both] == ["linux/amd64", "linux/arm64"]
    assert [image.platform for image in board] == ["linux/arm64"]
    assert both[0].labels["org.opencontainers.image.version"] == "1.0.0"
    assert both[0].labels["org.opencontainers.image.created"] == "2023-11-14T22:13:20Z"
    assert both[1].layers[0] == board[0].layers[0]
    assert isinstance(BuildImages().check(project.release("1.0.0")).evidence, str)


def test_a_push_puts_exactly_the_expected_tags_there_and_again_does_nothing(project, build, registry) -> None:
    layout = build(project, "1.0.0")

    done = project.invoke("docker.push", "--version", "1.0.0")

    assert done.returncode == 0, done.stderr
    assert registry.digests(project.name) == expected(layout, "1.0.0", "1.0", "latest")
    index = registry.get(f"{project.name}/manifests/1.0.0").json()
    platforms = [one["platform"]["architecture"] for one in index["manifests"]]
    assert [one for one in platforms if one != "unknown"] == ["amd64", "arm64"]
    again = project.invoke("docker.push", "--version", "1.0.0")
    assert again.returncode == 0
    assert "done: 1.0.0, 1.0, latest at" in again.stdout


def test_the_tags_are_printed_in_the_order_in_which_they_are_pushed(project, build, proxy) -> None:
    project.point_at(proxy.host)
    build(project, "1.0.0")
    project.invoke("docker.push", "--version", "1.0.0")
    pushed = [path.rpartition("/")[2] for method, path, _ in proxy.log if method == "PUT" and "/manifests/" in path]

    printed = project.invoke("docker.tags", "--version", "1.0.0").stdout.split()

    assert printed == ["1.0.0", "1.0.0-board", "1.0", "1.0-board", "latest", "latest-board", "latest-any"]
    assert [tag for tag in pushed if ":" not in tag] == printed
    one = project.invoke("docker.tags", "--version", "1.0.0", "--platform", "board").stdout.split()
    assert one == ["1.0.0-board", "1.0-board", "latest-board", "latest-any"]


@pytest.mark.parametrize(
    "part", ["/blobs/uploads/", "/manifests/sha256:", "/manifests/1.0.0-board", "/manifests/latest"]
)
def test_a_push_killed_half_way_goes_on_and_ends_in_the_same_state_with_nothing_sent_twice(
    project, build, registry, proxy, part
) -> None:
    project.point_at(proxy.host)
    layout = build(project, "1.0.0")
    reached, go_on = threading.Event(), threading.Event()

    def hold(handler) -> bool:
        reached.set()
        go_on.wait(120)
        return handler.drop()

    proxy.fail_at(2 if part == "/blobs/uploads/" else 1, "PUT", part, hold)
    running = subprocess.Popen(
        [sys.executable, "-m", "invoke", "docker.push", "--version", "1.0.0"],
        cwd=project.path,
        env={**os.environ, "RELEASER_STATE_DIR": str(project.state)},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert reached.wait(60)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        go_on.set()
    assert registry.digests(project.name) != expected(layout, "1.0.0", "1.0", "latest")
    assert registry.digests(project.name).items() <= expected(layout, "1.0.0", "1.0", "latest").items()

    done = project.invoke("docker.push", "--version", "1.0.0")

    assert done.returncode == 0, done.stderr
    assert registry.digests(project.name) == expected(layout, "1.0.0", "1.0", "latest")
    assert sorted(proxy.uploads()) == sorted(set(proxy.uploads()))


def interrupted(project, *words: str, when: Callable[[subprocess.Popen[str]], object]) -> subprocess.Popen[str]:
    """A run of `invoke` that gets Ctrl-C, as a terminal sends it: to the whole group."""
    running = subprocess.Popen(
        [sys.executable, "-m", "invoke", *words],
        cwd=project.path,
        env={
            **os.environ,
            "PYTHON_IMAGE": BASE,
            "RELEASER_STATE_DIR": str(project.state),
            "TMPDIR": str(project.state),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        when(running)
        os.killpg(running.pid, signal.SIGINT)
        running.wait(120)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
        assert running.stdout is not None
        running.stdout.close()
    return running


def test_ctrl_c_in_the_middle_of_a_push_stops_it_and_again_ends_right(project, build, registry, proxy) -> None:
    project.point_at(proxy.host)
    layout = build(project, "1.0.0")
    reached, go_on = threading.Event(), threading.Event()

    def hold(handler) -> bool:
        reached.set()
        go_on.wait(120)
        return handler.drop()

    proxy.fail_at(1, "PUT", "/manifests/1.0.0-board", hold)

    def on_its_way(_running: subprocess.Popen[str]) -> None:
        assert reached.wait(60)
        threading.Timer(2, go_on.set).start()  # a request that is out is waited for

    ended = interrupted(project, "docker.push", "--version", "1.0.0", when=on_its_way)

    assert ended.returncode == 130
    assert registry.digests(project.name).items() < expected(layout, "1.0.0", "1.0", "latest").items()
    assert project.invoke("docker.push", "--version", "1.0.0").returncode == 0
    assert registry.digests(project.name) == expected(layout, "1.0.0", "1.0", "latest")


def test_ctrl_c_in_the_middle_of_a_build_stops_it_leaves_nothing_and_again_ends_right(project) -> None:
    project.state.mkdir()
    (project.path / "Dockerfile").write_text(
        DOCKERFILE.replace('echo "this is', 'for _ in $(seq 60); do echo begun; sleep 1; done; echo "this is')
    )

    def begun(running: subprocess.Popen[str]) -> None:
        assert any(line.rstrip().endswith(" begun") for line in running.stdout or ())

    ended = interrupted(project, "docker.build", "--platform", "board", when=begun)

    assert ended.returncode == 130
    kept = {path.name for path in project.state.rglob("*") if path.is_file()}
    assert kept <= {"journal.head", "journal.jsonl", "lock", "build.log", "images.log"}
    (project.path / "Dockerfile").write_text(DOCKERFILE)
    again = project.invoke("docker.build", "--platform", "board")
    assert again.returncode == 0, again.stderr


@pytest.mark.parametrize("fault", ["500", "401", "drop"])
def test_a_registry_that_fails_is_named_with_the_remedy_and_again_ends_right(
    project, build, registry, proxy, fault
) -> None:
    project.point_at(proxy.host)
    layout = build(project, "1.0.0")
    strikes = {
        "500": lambda h: h.refuse(500, "UNKNOWN"),
        "401": lambda h: h.refuse(401, "DENIED"),
        "drop": lambda h: h.drop(),
    }
    proxy.fail_at(2, "PATCH", "/blobs/uploads/", strikes[fault])

    failed = project.invoke("docker.push", "--version", "1.0.0")

    assert failed.returncode == 1
    assert f"error: push_images: The registry {proxy.host}" in failed.stderr
    assert {"500": "(HTTP 500): UNKNOWN as told", "401": "docker login", "drop": "closed the connection"}[
        fault
    ] in failed.stderr
    assert "Traceback" not in failed.stderr
    assert registry.digests(project.name) == {}
    assert project.invoke("docker.push", "--version", "1.0.0").returncode == 0
    assert registry.digests(project.name) == expected(layout, "1.0.0", "1.0", "latest")


def test_another_image_under_a_versions_tag_is_refused_and_nothing_moves(project, build, registry) -> None:
    build(project, "1.0.0")
    project.invoke("docker.push", "--version", "1.0.0")
    before = registry.digests(project.name)
    store = project.release("1.0.0").store.images
    subprocess.run(["rm", "-r", store], check=True)
    build(project, "1.0.0", said="1.0.0 built again")

    refused = project.invoke("docker.push", "--version", "1.0.0")

    assert refused.returncode == 3
    assert "1.0.0 is already another image" in refused.stderr
    assert "1.0.0-board is already another image" in refused.stderr
    assert "Release 1.0.1 instead" in refused.stderr
    assert registry.digests(project.name) == before


def test_a_patch_of_an_older_line_leaves_every_latest_where_it_is(project, build, registry) -> None:
    newer = build(project, "2.0.1")
    assert project.invoke("docker.push", "--version", "2.0.1").returncode == 0
    older = build(project, "1.9.1")

    assert project.invoke("docker.push", "--version", "1.9.1").returncode == 0

    wanted = expected(newer, "2.0.1", "2.0", "latest") | expected(older, "1.9.1", "1.9")
    assert registry.digests(project.name) == wanted
    assert project.invoke("docker.verify", "--version", "1.9.1", DOCKER_HOST="unix:///nowhere").returncode == 0


def test_a_higher_version_without_a_tag_of_its_own_is_not_pushed_from_latest(project, build, registry) -> None:
    newer = build(project, "2.0.1")
    project.invoke("docker.push", "--version", "2.0.1")
    for tag in ("2.0.1", "2.0.1-board"):
        registry.delete(project.name, tag)
    build(project, "1.9.1")

    refused = project.invoke("docker.push", "--version", "1.9.1")

    assert refused.returncode == 3
    assert "latest is already 2.0.1, which is higher" in refused.stderr
    assert registry.digests(project.name)["latest"] == digests(newer)["both"]


def test_a_prerelease_gets_its_own_tag_alone(project, build, registry) -> None:
    layout = build(project, "1.1.0-rc.1")

    assert project.invoke("docker.push", "--version", "1.1.0-rc.1").returncode == 0

    assert registry.digests(project.name) == expected(layout, "1.1.0-rc.1")


@pytest.fixture
def published(project, build) -> OciLayout:
    layout = build(project, "1.0.0")
    assert project.invoke("docker.push", "--version", "1.0.0").returncode == 0
    return layout


def test_verifying_pulls_runs_and_names_what_it_saw_and_leaves_no_image_behind(project, published) -> None:
    done = project.invoke("docker.verify", "--version", "1.0.0")

    assert done.returncode == 0, done.stderr
    assert "1.0.0, 1.0, latest at" in done.stdout
    assert "prints 'tiny-thing 1.0.0' on 2 of 2" in done.stdout
    left = subprocess.run(["docker", "images", "-q", f"*/{project.name}"], capture_output=True, text=True, check=True)
    assert left.stdout == ""


def lacking_a_platform(registry, project, layout: OciLayout) -> None:
    index = json.loads(layout.read(layout.roots()["both"]))
    index["manifests"] = [one for one in index["manifests"] if one["platform"]["architecture"] != "arm64"]
    registry.put(project.name, "1.0.0", json.dumps(index).encode())


def saying_another_version(registry, project, build: Build) -> None:
    """Every tag, so that nothing but what the image says tells."""
    other = Project(project.path, project.name, project.state.with_name("other"))
    build(other, "1.0.0", said="0.9.9")
    for tag in registry.digests(project.name):
        registry.delete(project.name, tag)
    assert other.invoke("docker.push", "--version", "1.0.0").returncode == 0


def verified_elsewhere(project: Project) -> subprocess.CompletedProcess[str]:
    """On a machine that has not built the images."""
    return Project(project.path, project.name, project.state.with_name("elsewhere")).invoke(
        "docker.verify", "--version", "1.0.0"
    )


def test_a_missing_tag_fails_loudly(project, published, registry) -> None:
    registry.delete(project.name, "1.0-board")

    for done in (project.invoke("docker.verify", "--version", "1.0.0"), verified_elsewhere(project)):
        assert done.returncode == 1
        assert "the tag 1.0-board is missing" in done.stderr


def test_floating_tags_without_the_version_that_they_stand_for_fail_loudly(project, published, registry) -> None:
    registry.delete(project.name, "1.0.0")

    done = verified_elsewhere(project)

    assert done.returncode == 1
    assert "the tag 1.0.0 is missing" in done.stderr
    assert "the tag latest exists, but 1.0.0, which it follows, is missing" in done.stderr


def test_a_tag_that_points_elsewhere_fails_loudly(project, published, registry) -> None:
    registry.put(project.name, "latest-any", published.read(published.roots()["both"]))

    for done in (project.invoke("docker.verify", "--version", "1.0.0"), verified_elsewhere(project)):
        assert done.returncode == 1
        assert f"the tag latest-any points at {digests(published)['both'][:19]}" in done.stderr


def test_a_tag_that_lacks_a_platform_fails_loudly(project, published, registry) -> None:
    lacking_a_platform(registry, project, published)

    for done in (project.invoke("docker.verify", "--version", "1.0.0"), verified_elsewhere(project)):
        assert done.returncode == 1
        assert "the tag 1.0.0 lacks linux/arm64" in done.stderr


def test_a_tag_with_another_version_inside_fails_loudly(project, published, registry, build) -> None:
    saying_another_version(registry, project, build)

    done = verified_elsewhere(project)

    assert done.returncode == 1
    for tag in ("1.0.0", "1.0.0-board"):
        assert f"the tag {tag}: `--version` in the " in done.stderr
    assert "printed 'tiny-thing 0.9.9'; expected 1.0.0" in done.stderr


def test_a_step_of_the_build_that_fails_is_named_with_what_it_said(project) -> None:
    failed = project.invoke("docker.build", "--platform", "board", BREAK="yes")

    assert failed.returncode == 1
    assert "error: bake_images: The build failed at [" in failed.stderr
    assert "this is the one for boards" in failed.stderr.partition("error:")[2]


def test_an_image_with_a_wrong_platform_or_label_is_found_before_it_goes_anywhere(project) -> None:
    text = (project.path / "bake.hcl").read_text()
    text = text.replace('["linux/amd64", "linux/arm64"]', '["linux/amd64"]').replace('"MIT"', '""')
    (project.path / "bake.hcl").write_text(text)
    refused = project.invoke("docker.build", "--push", "--version", "0.1.0")
    assert refused.returncode == 2
    assert "the checkout differs from it:\n M bake.hcl\n" in refused.stderr
    project.commit()

    failed = project.invoke("docker.build", "--push", "--version", "0.1.0")

    assert failed.returncode == 1
    assert "both lacks linux/arm64" in failed.stderr
    assert "board (linux/arm64): label org.opencontainers.image.licenses is missing" in failed.stderr


def test_base_and_builder_are_those_that_were_given(project) -> None:
    words = ("docker.build", "--platform", "board", "--base", BASE, "--builder")
    done = project.invoke(*words, "default", PYTHON_IMAGE="localhost:1/no/such:base")
    assert done.returncode == 0, done.stderr

    failed = project.invoke(*words, "no-such-builder")
    assert failed.returncode == 1
    assert 'no builder "no-such-builder" found' in failed.stderr


def test_a_loaded_image_runs_here_under_its_tag(project, registry) -> None:
    reference = f"{registry.host}/{project.name}:0.1.0"
    done = project.invoke("docker.build", "--platform", "both", "--load")
    assert done.returncode == 0, done.stderr
    try:
        words = ["docker", "run", "--rm", "--network", "none", reference, "--version"]
        assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "tiny-thing 0.1.0\n"
    finally:
        subprocess.run(["docker", "rmi", reference], check=True, stdout=subprocess.DEVNULL)


def test_what_a_dry_run_prints_can_be_pasted_and_makes_the_images_that_are_pushed(project, registry) -> None:
    printed = project.invoke("docker.build", "--push", "--dry-run")
    assert printed.returncode == 0, printed.stderr
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    words = ["sh", "-ec", printed.stdout]
    pasted = subprocess.run(
        words,
        cwd=project.path,
        env={**os.environ, "PATH": path, "PYTHON_IMAGE": BASE},
        capture_output=True,
        check=False,
    )
    assert pasted.returncode == 0, pasted.stderr

    assert project.invoke("docker.build", "--push").returncode == 0
    parts = project.path / "build" / "images" / "parts"
    layout = joined({"both": parts / "both", "board": parts / "board"}, project.path / "build" / "layout")
    published = project.release("0.1.0").registry
    for name, tag in (("both", "0.1.0"), ("board", "0.1.0-board")):
        found = published.find(tag)
        assert found
        assert digests_of_images(layout, layout.roots()[name]) == digests_of_images(published, found)


def digests_of_images(source, root) -> dict[str, str]:
    return {image.platform: image.manifest.digest for image in images_of(source, root)}


def test_a_tree_is_built_and_pushed_by_the_same_rules(project, registry) -> None:
    done = project.invoke("docker.build", "--push")

    assert done.returncode == 0, done.stderr
    assert sorted(registry.digests(project.name)) == sorted(expected_names("0.1.0", "0.1", "latest"))


def test_the_same_tree_pushed_again_is_the_same_image_and_what_is_missing_is_made_good(project, registry) -> None:
    """A second build has another provenance, and so another index; what it holds is the same, byte for byte."""
    (project.path / "bake.hcl").write_text(
        BAKE.replace('context = "."', 'context = "."\n  attest = ["type=provenance,mode=max"]')
    )
    project.commit()
    # Without the cache, as layers from another test's tree would have that one's times.
    assert project.invoke("docker.build", "--push", "--no-cache").returncode == 0
    before = registry.digests(project.name)
    registry.delete(project.name, "latest-any")
    registry.delete(project.name, "0.1.0-board")

    again = project.invoke("docker.build", "--push", "--no-cache")

    assert again.returncode == 0, again.stderr
    assert f"both is already published, image for image: {before['0.1.0'][:19]}" in again.stdout
    after = registry.digests(project.name)
    board = {"0.1.0-board", "0.1-board", "latest-board", "latest-any"}
    assert after.keys() == before.keys()
    assert {tag: after[tag] for tag in after if tag not in board} == {
        tag: before[tag] for tag in before if tag not in board
    }
    assert len({after[tag] for tag in board}) == 1
    assert project.invoke("docker.verify", "--version", "0.1.0").returncode == 0


def test_another_tree_under_the_same_version_is_refused(project, registry) -> None:
    assert project.invoke("docker.build", "--push").returncode == 0
    before = registry.digests(project.name)

    refused = project.invoke("docker.build", "--push", SAID="something else 0.1.0")

    assert refused.returncode == 3
    assert "0.1.0 is already another image" in refused.stderr
    assert registry.digests(project.name) == before


def test_an_image_that_does_not_start_is_not_pushed(project, registry) -> None:
    refused = project.invoke("docker.build", "--push", SAID="0.9.9")

    assert refused.returncode == 1
    assert "`--version` in the linux/amd64 image printed 'tiny-thing 0.9.9'; expected 0.1.0" in refused.stderr
    assert registry.digests(project.name) == {}


@pytest.fixture
def wheel_inside(project) -> None:
    """Has the images hold what they were built from, in /wheel."""
    bake = BAKE.replace("target ", 'variable "WHEEL_DIR" { default = "" }\ntarget ', 1)
    bake = bake.replace('context = "."', 'context = "."\n  contexts = { wheel = WHEEL_DIR }', 1)
    (project.path / "bake.hcl").write_text(bake)
    (project.path / "Dockerfile").write_text(
        DOCKERFILE.replace("ENTRYPOINT", "COPY --from=wheel / /wheel/\nENTRYPOINT")
    )


@contextmanager
def open_service(name: str, process: subprocess.Popen[bytes], log: Path) -> Iterator[services.Service]:
    service = services.ready(name, process, log)
    try:
        yield service
    finally:
        services.stop([service])


@pytest.fixture
def forge(project, tmp_path) -> Iterator[Forge]:
    """The rehearsal's forge, with a published release of 0.1.0 that has its files attached."""
    git = ["git", "-c", "user.name=Sample", "-c", "user.email=sample@localhost"]
    log = tmp_path / "forge.log"
    words = ["--world", tmp_path / "forge", "--repository", "sample/tiny", "--git-dir", tmp_path / "origin.git"]
    with open_service("forge", services.start("releaser.rehearsal.forge", words, log, keep=False), log) as running:
        with (project.path / "pyproject.toml").open("a") as file:
            file.write(f'[tool.releaser.forge]\napi-url = "{running.url}"\nrepository = "sample/tiny"\n')
        for more in (["commit", "-qam", "Point at the forge"], ["tag", "-am", "0.1.0", "v0.1.0"]):
            subprocess.run([*git, *more], cwd=project.path, check=True)
        subprocess.run(["git", "push", "-q", "origin", "main", "v0.1.0"], cwd=project.path, check=True)
        assert project.invoke("build").returncode == 0
        there = Forge("sample/tiny", "any", running.url)
        draft = there.create_draft("v0.1.0", "main", "v0.1.0", "", prerelease=False)
        for path in sorted((project.path / "dist").iterdir()):
            there.assets.upload(draft.id, path, "application/octet-stream")
        subprocess.run(["rm", "-r", project.path / "dist"], check=True)
        there.publish_release(draft.id, make_latest=True, discussion_category=None)
        yield there


def test_the_images_of_a_release_are_built_from_the_wheel_that_is_attached_to_it(
    project, registry, wheel_inside, forge
) -> None:
    reference = f"{registry.host}/{project.name}:0.1.0"

    done = project.invoke("docker.build", "--push", "--from-release", "--version", "0.1.0", GITHUB_TOKEN="any")

    assert done.returncode == 0, done.stderr
    assert sorted(registry.digests(project.name)) == sorted(expected_names("0.1.0", "0.1", "latest"))
    words = [
        "docker",
        "run",
        "--rm",
        "--network=none",
        "--entrypoint=/bin/sh",
        reference,
        "-c",
        "cd /wheel && sha256sum *",
    ]
    try:
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    finally:
        subprocess.run(["docker", "rmi", reference], check=True, stdout=subprocess.DEVNULL)
    found = forge.find_release("v0.1.0")
    assert found
    attached = {asset.name: asset.sha256 for asset in found.assets}
    inside = {name: digest for digest, name in map(str.split, told.splitlines())}
    assert {Path(name).suffix for name in inside} == {".whl", ".json"}
    assert inside.items() <= attached.items()


def test_one_job_builds_from_the_rebuilt_wheel_another_starts_the_images_and_a_third_pushes_those_very_bytes(
    project, registry, wheel_inside, forge, tmp_path
) -> None:
    found = forge.find_release("v0.1.0")
    assert found
    head = project.release("0.1.0").git.head()
    files = {asset.name: asset.sha256 for asset in found.assets if asset.name.endswith((".whl", ".tar.gz"))}
    rebuilt = {"schema": 1, "version": "0.1.0", "parent": head, "commit": head, "epoch": 1700000000, "files": files}
    another = {**rebuilt, "files": dict.fromkeys(files, "0" * 64)}
    layout, version = str(tmp_path / "layout"), ("--version", "0.1.0")
    build = ("docker.build", "--layout", layout, "--from-release", *version)

    swapped = project.invoke(*build, GITHUB_TOKEN="any", REBUILT=json.dumps(another))
    assert swapped.returncode == 3
    assert "The release v0.1.0 does not have the files that were built" in swapped.stderr
    assert not Path(layout).exists()

    done = project.invoke(*build, GITHUB_TOKEN="any", REBUILT=json.dumps(rebuilt))
    assert done.returncode == 0, done.stderr
    (line,) = (one for one in done.stdout.splitlines() if one.startswith("IMAGES="))
    told = line.partition("=")[2]

    started = project.invoke("docker.start", "--layout", layout, *version, IMAGES=told)
    assert started.returncode == 0, started.stderr
    assert "both linux/amd64 prints 'tiny-thing 0.1.0'" in started.stdout

    pushed = project.invoke("docker.push", "--layout", layout, *version, IMAGES=told)
    assert pushed.returncode == 0, pushed.stderr
    there = registry.digests(project.name)
    assert sorted(there) == sorted(expected_names("0.1.0", "0.1", "latest"))
    assert {there["0.1.0"], there["0.1.0-board"]} == set(json.loads(told)["images"].values())


def wheels_in(layout: OciLayout) -> set[tuple[str, str]]:
    """The name and the sha256 of each wheel that an image holds."""
    found = set()
    every = [image for root in layout.roots().values() for image in images_of(layout, root)]
    for path in {layout.blob(blob.digest) for image in every for blob in blobs(layout, image.manifest)}:
        if not tarfile.is_tarfile(path):
            continue
        with tarfile.open(path) as layer:
            for member in layer:
                content = layer.extractfile(member) if member.name.endswith(".whl") else None
                if content:
                    found.add((Path(member.name).name, hashlib.sha256(content.read()).hexdigest()))
    return found


def test_a_job_takes_no_wheel_that_it_did_not_build_whatever_sums_the_release_has(
    project, registry, wheel_inside, forge, tmp_path
) -> None:
    found = forge.find_release("v0.1.0")
    assert found
    head = project.release("0.1.0").git.head()
    assets = {asset.name: asset for asset in found.assets}
    files = {name: asset.sha256 for name, asset in assets.items() if name.endswith((".whl", ".tar.gz"))}
    rebuilt = {"schema": 1, "version": "0.1.0", "parent": head, "commit": head, "epoch": 1700000000, "files": files}
    (wheel,) = (name for name in files if name.endswith(".whl"))
    (sdist,) = (name for name in files if name.endswith(".tar.gz"))
    strange = tmp_path / wheel.replace("0.1.0-", "0.1.0-1-")
    forge.assets.download(assets[wheel], strange)
    with zipfile.ZipFile(strange, "a") as archive:
        archive.writestr("tiny_thing/strange.py", "")
    sums = tmp_path / "SHA256SUMS"
    sums.write_text(f"{sha256(strange)}  {strange.name}\n{files[sdist]}  {sdist}\n", "utf-8")
    forge.assets.delete(assets["SHA256SUMS"].id)
    for path in (strange, sums):
        forge.assets.upload(found.id, path, "application/octet-stream")
    layout = tmp_path / "layout"
    build = ("docker.build", "--layout", str(layout), "--from-release", "--version", "0.1.0")

    unknown = project.invoke(*build, GITHUB_TOKEN="any", GITHUB_ACTIONS="true")
    assert unknown.returncode == 2
    assert "REBUILT is not set" in unknown.stderr
    assert not layout.exists()

    done = project.invoke(*build, GITHUB_TOKEN="any", REBUILT=json.dumps(rebuilt))
    assert done.returncode == 0, done.stderr
    assert wheels_in(OciLayout(layout)) == {(wheel, files[wheel])}


def test_a_release_that_has_no_files_gets_images_of_the_wheel_that_was_built_from_its_tag(
    project, registry, wheel_inside, forge, tmp_path
) -> None:
    found = forge.find_release("v0.1.0")
    assert found
    head = project.release("0.1.0").git.head()
    files = {asset.name: asset.sha256 for asset in found.assets if asset.name.endswith((".whl", ".tar.gz"))}
    (project.path / "dist").mkdir()
    for asset in found.assets:
        if asset.name in files:
            forge.assets.download(asset, project.path / "dist" / asset.name)
        forge.assets.delete(asset.id)
    rebuilt = {"schema": 1, "version": "0.1.0", "parent": head, "commit": head, "epoch": 1700000000, "files": files}
    layout = tmp_path / "layout"
    build = ("docker.build", "--layout", str(layout), "--from-release", "--version", "0.1.0")

    done = project.invoke(*build, GITHUB_TOKEN="any", REBUILT=json.dumps(rebuilt))

    assert done.returncode == 0, done.stderr
    (wheel,) = (name for name in files if name.endswith(".whl"))
    assert wheels_in(OciLayout(layout)) == {(wheel, files[wheel])}


def by_platform(source: Source, roots: Iterable[Descriptor]) -> set[tuple[str, str]]:
    """Each platform's image by its digest: the index above them holds when they were built."""
    return {(image.platform, image.manifest.digest) for root in roots for image in images_of(source, root)}


def test_a_release_from_here_a_job_and_a_person_make_the_same_images(
    project, registry, wheel_inside, forge, tmp_path
) -> None:
    from_release = ("--from-release", "--version", "0.1.0")
    for where in (("--push",), ("--layout", str(tmp_path / "layout"))):
        done = project.invoke("docker.build", *where, *from_release, GITHUB_TOKEN="any")
        assert done.returncode == 0, done.stderr
    by_job = OciLayout(tmp_path / "layout")
    release = project.release("0.1.0")
    project.invoke("build")
    release.store.dist.mkdir(parents=True)
    files = [path for path in (project.path / "dist").iterdir() if path.suffix in (".whl", ".gz", ".json")]
    for path in files:
        shutil.copy(path, release.store.dist)
    digests_of_files = {path.name: sha256(path) for path in files}
    write_sums(release.store.dist, digests_of_files)
    release.journal.write("built", files=digests_of_files, commit=release.commit())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_IMAGE", BASE)
        BuildImages().run(project.release("0.1.0"))

    here, pushed = OciLayout(release.store.images), [release.registry.find(tag) for tag in ("0.1.0", "0.1.0-board")]
    expected = by_platform(here, here.roots().values())
    assert len(expected) == 3
    assert by_platform(by_job, by_job.roots().values()) == expected
    assert by_platform(release.registry, pushed) == expected


def test_the_images_of_a_release_are_not_pushed_from_another_commit_than_its_own(project, registry, forge) -> None:
    push = ("docker.build", "--push", "--from-release", "--version", "0.1.0")
    (project.path / "Dockerfile").write_text(f"{DOCKERFILE}\nLABEL changed=yes\n")

    changed = project.invoke(*push, GITHUB_TOKEN="any")

    assert changed.returncode == 2
    assert "the checkout differs from it:\n M Dockerfile\n" in changed.stderr
    project.commit()
    committed = project.invoke(*push, GITHUB_TOKEN="any")
    assert committed.returncode == 2
    assert "is checked out\n  -> Run `git checkout v0.1.0`, or build without --push." in committed.stderr
    assert registry.digests(project.name) == {}


def test_without_a_published_release_nothing_is_built_from_one(project, forge) -> None:
    refused = project.invoke("docker.build", "--push", "--from-release", "--version", "0.2.0", GITHUB_TOKEN="any")

    assert refused.returncode == 2
    assert "The forge has no release v0.2.0" in refused.stderr


def expected_names(*tags: str) -> list[str]:
    return [*tags, *(f"{tag}-board" for tag in tags), "latest-any"]


def test_an_image_that_is_not_there_is_answered_with_the_nearest(project) -> None:
    done = project.invoke("docker.build", "--platform", "bord")

    assert done.returncode == 2
    assert "Did you mean board? Choose from both, board and all." in done.stderr


def test_without_an_engine_images_are_left_out_with_the_reason(project, monkeypatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    release = project.release("1.0.0")

    for step in (BuildImages(), PushImages()):
        assert step.check(release).reason.startswith("no container engine at unix:///nowhere.sock")
    built = project.invoke("docker.build")
    assert built.returncode == 2
    assert "There is no container engine at unix:///nowhere.sock" in built.stderr


def test_an_engine_that_takes_the_connection_and_says_nothing_is_not_waited_for(tmp_path, monkeypatch) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute.sock"))
        mute.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/mute.sock")
        began = time.monotonic()

        reason = buildx.unavailable(tmp_path, within=1.0)

    assert reason == f"no container engine that answers: unix://{tmp_path}/mute.sock has said nothing for 1 s"
    assert time.monotonic() - began < 30


def test_a_checkout_without_a_remote_is_enough_to_build_images_and_to_name_their_tags(project, registry) -> None:
    subprocess.run(["git", "remote", "remove", "origin"], cwd=project.path, check=True)

    for words in (["docker.build", "--dry-run"], ["docker.bake"], ["docker.build", "--platform", "board"]):
        done = project.invoke(*words)
        assert done.returncode == 0, done.stderr
    subprocess.run(["git", "tag", "v0.2.0"], cwd=project.path, check=True)
    tags = project.invoke("docker.tags", "--version", "0.1.0", "--platform", "both")
    assert tags.stdout.split() == ["0.1.0", "0.1"]
    refused = project.invoke("release", "--version", "0.3.0", "--dry-run")
    assert "has no git remote named origin" in refused.stderr


def test_tags_are_named_though_nobody_can_be_asked_what_is_out(project, proxy) -> None:
    project.point_at(proxy.host)
    proxy.fault = lambda handler: handler.drop()
    subprocess.run(["git", "remote", "set-url", "origin", project.path / "gone.git"], cwd=project.path, check=True)
    subprocess.run(["git", "tag", "v0.2.0"], cwd=project.path, check=True)

    done = project.invoke("docker.tags", "--version", "0.1.0", "--platform", "both")

    assert done.stdout.split() == ["0.1.0", "0.1"]
    assert f"The registry {proxy.host} closed the connection" in done.stderr
    assert "The tags of this checkout alone decide" in done.stderr


def test_images_that_are_required_and_cannot_be_built_stop_a_release_before_anything(project) -> None:
    words = ("release", "--version", "1.0.0", "--dry-run", "--require", "images")
    done = project.invoke(*words, DOCKER_HOST="unix:///nowhere.sock")

    assert done.returncode != 0
    assert "build_images" in done.stderr
    assert "--require images is not met: no container engine at unix:///nowhere.sock" in done.stderr
