"""How large the images are, how much of them a change moves, and how long builds take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from base_image import building_here

REPOSITORY = Path(__file__).parents[3]
TARGETS = ("multiarch", "jetson-orin", "jetson-thor", "mac")
MEGABYTE = 1_000_000
OWN_LAYERS = 2
"""Dependencies and wheel, above the base's."""


@dataclass(frozen=True)
class Builder:
    """Builds into OCI layouts in a directory, as a release does."""

    directory: Path
    variables: dict[str, str]

    def build(self, *words: str, targets: tuple[str, ...] = TARGETS[:1], into: str = "first", **more: str) -> float:
        """Builds targets; returns the seconds that it took."""
        outputs = [f"--set={name}.output=type=oci,tar=false,dest={self.directory / into / name}" for name in targets]
        allowed = ["--allow=network.host", "--allow=fs.read=*", "--allow=fs.write=*"]
        began = time.perf_counter()
        done = subprocess.run(
            ["docker", "buildx", "bake", "-f", "docker/docker-bake.hcl", *allowed, *outputs, *words, *targets],
            cwd=REPOSITORY,
            env={**os.environ, **self.variables, **more},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        took = time.perf_counter() - began
        assert done.returncode == 0, done.stderr[-5000:]
        return took

    def layers(self, into: str = "first") -> dict[str, list[dict[str, Any]]]:
        """The layers of each platform's image."""
        layout = self.directory / into / "multiarch"

        def load(digest: str) -> dict[str, Any]:
            loaded: dict[str, Any] = json.loads((layout / "blobs" / digest.replace(":", "/")).read_text("utf-8"))
            return loaded

        index = load(json.loads((layout / "index.json").read_text("utf-8"))["manifests"][0]["digest"])
        return {
            entry["platform"]["architecture"]: load(entry["digest"])["layers"]
            for entry in index["manifests"]
            if entry["platform"]["os"] != "unknown"
        }


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """A builder with the tree's wheel; skipped where there is no engine or no base image."""
    here = building_here()
    directory = tmp_path_factory.mktemp("images")
    wheels = directory / "wheel"
    words = [sys.executable, "-m", "build", "--wheel", "--outdir", str(wheels), str(REPOSITORY)]
    subprocess.run(words, capture_output=True, check=True)
    return Builder(
        directory,
        {**here, "WHEEL_DIR": str(wheels), "SOURCE_DATE_EPOCH": "1700000000"},
    )


def test_all_four_targets_beside_multiarch_alone(builder, figure):
    builder.build()  # fetches the base, which is nobody's own time
    alone, together = [], []
    for _ in range(2):
        alone.append(builder.build("--no-cache", into="alone"))
        together.append(builder.build("--no-cache", targets=TARGETS))
    ratio = min(together) / min(alone)
    reference = f"multiarch alone {min(alone):.1f} s, all {min(together):.1f} s, without a cache, the better of 2 each"
    figure("all four images, of multiarch alone", ratio, budget=1.2, unit="times", reference=reference)


def test_a_second_build_of_an_unchanged_tree(builder, figure):
    first = builder.build()
    second = min(builder.build() for _ in range(3))
    figure("second build, multiarch", second, budget=3, unit="s", reference=f"the one before {first:.1f} s, best of 3")


def test_size_without_the_base(builder, figure):
    builder.build()
    layers = builder.layers()["amd64"]
    own = sum(layer["size"] for layer in layers[-OWN_LAYERS:])
    base = sum(layer["size"] for layer in layers[:-OWN_LAYERS])
    reference = f"the base has {base / MEGABYTE:.1f} MB, compressed too"
    figure("image for a PC, compressed, without base", own / MEGABYTE, budget=120, unit="MB", reference=reference)


def test_what_a_change_of_code_alone_moves(builder, figure):
    builder.build()
    (wheel,) = Path(builder.variables["WHEEL_DIR"]).glob("*.whl")
    changed = builder.directory / "changed"
    changed.mkdir()
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(changed / wheel.name, "w") as after:
        for info in before.infolist():
            more = b"\n# changed\n" if info.filename.endswith("server.py") else b""
            after.writestr(info, before.read(info) + more)
    took = builder.build(into="second", WHEEL_DIR=str(changed), SOURCE_DATE_EPOCH="1710000000")
    old, new = builder.layers()["amd64"], builder.layers("second")["amd64"]
    known = {layer["digest"] for layer in old}
    moved = [layer for layer in new if layer["digest"] not in known]
    reference = f"{sum(layer['size'] for layer in moved)} bytes, built in {took:.1f} s"
    figure("layers that a change of code alone moves", len(moved), budget=1, unit="layers", reference=reference)
