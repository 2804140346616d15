"""Real images, built by a real engine; without one the tests that need it say so and are skipped.

PYTHON_IMAGE, BUILD_NETWORK, CA_BUNDLE and the other variables of docker-bake.hcl can be given in the environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from base_image import building_here

REPOSITORY = Path(__file__).parents[3]
BAKE_FILE = "docker/docker-bake.hcl"
MINUTES = 60
EPOCH = 1700000000
CREATED = "2023-11-14T22:13:20Z"
REVISION = "0123456789abcdef0123456789abcdef01234567"
MARK = "a-password-that-must-not-be-seen"
"""Is in the pip.conf that the builds are given."""
PINNED = {"name": "aiohttp", "version": "3.12.15", "purl": "pkg:pypi/aiohttp@3.12.15", "type": "library"}
"""An older release, so that a pin that is not followed shows."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def run(*words: object, env: dict[str, str] | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=REPOSITORY,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=8 * MINUTES,
        check=False,
    )
    if check and done.returncode:
        pytest.fail(f"{words} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}")
    return done


@dataclass(frozen=True)
class Archive:
    """An OCI image index in a tar file, as buildx writes it."""

    path: Path

    def blob(self, digest: str) -> bytes:
        with tarfile.open(self.path) as archive:
            member = archive.extractfile(f"blobs/{digest.replace(':', '/')}")
            assert member is not None
            return member.read()

    def load(self, digest: str) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.blob(digest))
        return loaded

    @property
    def index(self) -> dict[str, Any]:
        with tarfile.open(self.path) as archive:
            member = archive.extractfile("index.json")
            assert member is not None
            return self.load(json.load(member)["manifests"][0]["digest"])

    @property
    def manifests(self) -> dict[str, str]:
        """Digest of each platform's manifest; attestations are none."""
        found = {}
        for entry in self.index["manifests"]:
            platform = entry["platform"]
            if platform["os"] != "unknown":
                found[f"{platform['os']}/{platform['architecture']}"] = entry["digest"]
        return found

    @property
    def attestations(self) -> list[dict[str, Any]]:
        """The statements about the platforms' manifests."""
        entries = [entry for entry in self.index["manifests"] if entry["platform"]["os"] == "unknown"]
        return [self.load(layer["digest"]) for entry in entries for layer in self.load(entry["digest"])["layers"]]

    def layers(self, manifest: str) -> list[str]:
        """Digests of our own layers, without the base's: dependencies, wheel."""
        return [layer["digest"] for layer in self.load(manifest)["layers"]][-2:]


@dataclass(frozen=True)
class Docker:
    """The engine, and how images are built with it here."""

    variables: dict[str, str]
    """Those of docker-bake.hcl."""

    def __call__(self, *words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run("docker", *words, check=check)

    def bake(self, *words: object, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        allow = ["--allow=network.host", "--allow=fs.read=*", "--allow=fs.write=*"]
        return run(
            *("docker", "buildx", "bake", "-f", BAKE_FILE, "--progress=plain", *allow, *words),
            env={**self.variables, **variables},
            check=check,
        )

    def build(self, *words: object, dockerfile: str = "docker/Dockerfile") -> subprocess.CompletedProcess[str]:
        """Plain `docker build` of the tree."""
        given = self.variables
        options = ["--network", given["BUILD_NETWORK"], "--build-arg", f"PYTHON_IMAGE={given['PYTHON_IMAGE']}"]
        if given["CA_BUNDLE"]:
            options += ["--secret", f"id=ca,src={given['CA_BUNDLE']}"]
        return self("build", "--progress=plain", "-f", dockerfile, *options, *words, ".")

    def archive(self, path: Path, *words: object, **variables: str) -> Archive:
        """The multiarch image as an OCI archive."""
        self.bake("--set", f"multiarch.output=type=oci,dest={path}", *words, "multiarch", **variables)
        return Archive(path)

    def inspect(self, name: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self("inspect", name).stdout)
        return found[0]


@pytest.fixture(scope="session")
def wheel_dir(once) -> Path:
    """The tree's wheel, and a bill that pins one dependency."""

    def build(directory: Path) -> Path:
        run(sys.executable, "-m", "build", "--installer=uv", "--wheel", "--outdir", directory, REPOSITORY)
        bill = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [PINNED]}
        (directory / "live_vlm_webui.cdx.json").write_text(json.dumps(bill), encoding="utf-8")
        return directory

    return once("wheel", build)


@pytest.fixture(scope="session")
def version(wheel_dir: Path) -> str:
    (wheel,) = wheel_dir.glob("*.whl")
    return wheel.name.split("-")[1]


@pytest.fixture(scope="session")
def here() -> dict[str, str]:
    """What building needs on this machine; without an engine and a base image the test is skipped."""
    return building_here()


@pytest.fixture(scope="session")
def docker(here: dict[str, str], once, wheel_dir: Path, version: str) -> Docker:
    def give(directory: Path) -> Docker:
        configuration = directory / "pip.conf"
        configuration.write_text(f"[global]\n# {MARK}\ntimeout = 60\n", encoding="utf-8")
        return Docker(
            {
                **here,
                "VERSION": version,
                "REVISION": REVISION,
                "CREATED": CREATED,
                "SOURCE_DATE_EPOCH": str(EPOCH),
                "REGISTRY_IMAGE": f"live-vlm-webui-test-{uuid4().hex[:8]}",
                "WHEEL_DIR": str(wheel_dir),
                "PIP_CONFIG": str(configuration),
            }
        )

    return once("docker", give)


@pytest.fixture(scope="session")
def images(docker: Docker, once) -> dict[str, str]:
    """jetson-thor, and multiarch for this machine's platform, loaded: target to name."""
    native = "arm64" if os.uname().machine in {"aarch64", "arm64"} else "amd64"

    def build(_: Path) -> dict[str, str]:
        docker.bake("--load", "--set", f"multiarch.platform=linux/{native}", "multiarch", "jetson-thor")
        name = f"{docker.variables['REGISTRY_IMAGE']}:{docker.variables['VERSION']}"
        return {"multiarch": name, "jetson-thor": f"{name}-jetson-thor"}

    return once("images", build, lambda names: ["docker", "image", "rm", "--force", *names.values()])


@pytest.fixture
def start(docker: Docker) -> Iterator[Callable[..., str]]:
    """Start containers on the host's network; they are removed at the end."""
    containers: list[str] = []

    def start_one(*words: str) -> str:
        container = docker("run", "--detach", "--network=host", *words).stdout.strip()
        containers.append(container)
        return container

    yield start_one
    if containers:
        docker("rm", "--force", "--volumes", *containers, check=False)


@pytest.fixture(scope="session")
def archive(docker: Docker, once) -> Archive:
    """Both platforms' images as they are published."""
    return once("archive", lambda directory: docker.archive(directory / "multiarch.tar"))
