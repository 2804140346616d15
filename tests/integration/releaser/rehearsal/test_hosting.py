"""What a rehearsal of workflows registers at the indexes."""

from __future__ import annotations

import json
from pathlib import Path

from harness.scene import Scene

from releaser.rehearsal import hosting


def test_a_publisher_is_pending_only_where_the_index_does_not_know_the_project(scene: Scene, tmp_path: Path) -> None:
    """As at PyPI, which refuses a pending publisher of a project that is there."""
    for path in scene.with_dists().built().uploads:
        scene.pypi.accept(path, "tiny-thing", "0.2.0")
    for name in ("pypi", "testpypi"):
        (tmp_path / "world" / name).mkdir(parents=True)
    hosting.register(tmp_path / "world", scene.release())
    written = [json.loads((tmp_path / "world" / name / "publishers.json").read_text()) for name in ("pypi", "testpypi")]
    assert [(one["environment"], one["pending"]) for (one,) in written] == [("release", False), ("testpypi", True)]
