"""A git remote behind a network."""

from __future__ import annotations

import pytest
from harness.scene import Scene

from releaser.errors import ServiceError
from releaser.steps.preflight.checkout import BeLevel
from releaser.steps.push.push_tag import PushTag


@pytest.mark.parametrize("step", [BeLevel(), PushTag()], ids=lambda step: step.name)
def test_a_remote_that_does_not_answer_is_named(scene: Scene, closed: str, step: BeLevel) -> None:
    scene.git("remote", "set-url", "origin", f"{closed}/origin.git")
    scene.failed(ServiceError, step, "remote origin", "unable to access", closed, remedy="address")


@pytest.mark.parametrize("step", [BeLevel(), PushTag()], ids=lambda step: step.name)
def test_credentials_in_its_address_are_shown_nowhere(scene: Scene, closed: str, step: BeLevel) -> None:
    address = closed.replace("http://", "http://somebody:qX7-remoteS3cret@")
    scene.git("remote", "set-url", "origin", f"{address}/origin.git")
    with pytest.raises(ServiceError) as caught:
        scene.check(step)
    assert f"unable to access '{closed}/origin.git/'" in caught.value.message
    assert "qX7-remoteS3cret" not in caught.value.message + caught.value.remedy
