"""The room that a release needs."""

from __future__ import annotations

from collections.abc import Callable

from harness.scene import Scene

from releaser.steps.preflight.project import FindTools


def test_too_little_room_is_refused_before_anything_is_made(scene: Scene, disk: Callable[..., None]) -> None:
    disk(scene.state, mib=100)
    scene.refused(FindTools(), "MiB", str(scene.state), "200", remedy="RELEASER_STATE_DIR")
