"""What a trial receives is what was built, or the trial fails."""

from __future__ import annotations

from dataclasses import replace

import pytest
from harness.scene import Scene

from releaser.adapters.installers import uv
from releaser.core.step import Skipped, Todo
from releaser.errors import ServiceError, StepError
from releaser.steps.qualify.try_wheel import TryWheel
from releaser.steps.qualify.try_with_uv import TryWithUv
from releaser.steps.receipted import expect_sha256
from releaser.store import Receipt

BUILT, OTHER = "a" * 64, "b" * 64


def test_other_bytes_than_were_built_fail_the_trial_with_both_hashes():
    with pytest.raises(StepError) as caught:
        expect_sha256(OTHER, BUILT, "demo-1.0.0.tar.gz from the release")
    assert "demo-1.0.0.tar.gz from the release" in caught.value.message
    assert BUILT[:12] in caught.value.message
    assert OTHER[:12] in caught.value.message


def test_the_built_bytes_pass():
    expect_sha256(BUILT, BUILT, "demo-1.0.0.tar.gz from the release")


def test_the_built_bytes_that_do_not_arrive_whole_are_no_reason_for_another_version():
    with pytest.raises(ServiceError, match="did not arrive whole") as caught:
        expect_sha256(OTHER, BUILT, "The wheel from TestPyPI", BUILT)
    assert caught.value.remedy.startswith("Rerun the command")


class TestSkipped:
    def written(self, scene: Scene, name: str, evidence: str) -> None:
        release = scene.with_dists()
        wheel = release.built().sha256[release.built().wheel.name]
        scene.patch.setattr("releaser.store.now", lambda: "2026-01-01T00:00:00+00:00")
        release.store.write_receipt(release.journal, wheel, name, Receipt(evidence, skipped=True))

    def test_it_stays_so_until_it_is_required(self, scene: Scene) -> None:
        self.written(scene, "try_wheel", "nothing in it can run here")
        assert scene.check(TryWheel()) == Skipped("nothing in it can run here")
        required = replace(scene.release(), required=frozenset({"try_wheel"}))
        outcome = TryWheel().check(required)
        assert isinstance(outcome, Todo)
        assert "which was skipped: nothing in it can run here" in outcome.what

    def test_it_is_tried_when_what_this_machine_lacked_is_there(self, scene: Scene) -> None:
        self.written(scene, "try_with_uv", "uv is not installed")
        expected = Todo if uv.available() else Skipped
        assert isinstance(scene.check(TryWithUv()), expected)
