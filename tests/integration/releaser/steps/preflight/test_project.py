"""The room that a release needs."""

from __future__ import annotations

from collections.abc import Callable

from harness.scene import Scene

from releaser.core.step import Done, said
from releaser.steps.preflight.project import FindTools


def test_too_little_room_is_refused_before_anything_is_made(scene: Scene, disk: Callable[..., None]) -> None:
    disk(scene.state, mib=100)
    scene.refused(FindTools(), "MiB", str(scene.state), "200", remedy="RELEASER_STATE_DIR")


def test_a_file_of_certificates_that_is_not_there_is_named_with_its_variable(scene: Scene) -> None:
    scene.set(REQUESTS_CA_BUNDLE="/gone/ca.pem")

    scene.refused(FindTools(), "REQUESTS_CA_BUNDLE names /gone/ca.pem", remedy="Correct the path there, or unset it")


def test_settings_of_pip_that_are_not_obeyed_are_named(scene: Scene) -> None:
    scene.set(PIP_UPLOADED_PRIOR_TO="P3D", PIP_FIND_LINKS="/wheels", UV_EXCLUDE_NEWER="3 days")

    outcome = scene.check(FindTools())

    assert isinstance(outcome, Done)
    assert "not obeyed, because users do not have it: PIP_FIND_LINKS, PIP_UPLOADED_PRIOR_TO, UV_EXCLUDE" in said(
        outcome
    )
