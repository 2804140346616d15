"""status, doctor and verify end in time, whatever the services do."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest
from harness.scene import Scene

LONGEST = 20


@pytest.fixture
def _silent(scene: Scene):
    with ExitStack() as stack:
        for one in scene.stand_ins.values():
            stack.enter_context(one.silent())
        yield


@pytest.mark.usefixtures("_silent")
def test_status_says_what_it_could_not_ask(scene: Scene) -> None:
    begun = time.monotonic()
    ran = scene.run("status", "--version", "0.2.0")
    assert time.monotonic() - begun < LONGEST
    assert "done      be_clean" in ran.out
    assert "upload_pypi: pypi at" in ran.err
    assert "did not respond in time when asked to list the files of tiny-thing" in ran.err
