"""Any interleaving of release, kill, rollback, release again and yank keeps the promise: many of them."""

from __future__ import annotations

from pathlib import Path

from harness.coming_back import keep_the_promise
from harness.projects import Project
from harness.scene import user_environment
from harness.stand_ins import StandIn


def test_many_interleavings_keep_it(
    template: Project, stand_ins: dict[str, StandIn], home: Path, tmp_path: Path
) -> None:
    with user_environment(home, tmp_path / "state") as patch:
        keep_the_promise(template, stand_ins, patch, examples=12, steps=8)
