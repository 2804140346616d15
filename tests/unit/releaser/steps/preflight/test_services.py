"""What a login needs before any service is asked."""

from __future__ import annotations

import pytest
from harness.scene import Scene

from releaser.core.step import Done, Skipped
from releaser.steps.preflight.services import HaveNoBlockers, LogInToForge, LogInToIndex


@pytest.mark.parametrize(("index", "variable"), [("testpypi", "TESTPYPI_TOKEN"), ("pypi", "PYPI_TOKEN")])
class TestLogInToIndex:
    def test_a_token_is_named_by_its_variable_and_not_shown(self, scene: Scene, index: str, variable: str) -> None:
        assert scene.check(LogInToIndex(index)) == Done(f"a token in {variable}; what it allows is unproven")

    @pytest.mark.parametrize("value", [None, "", "  "], ids=["missing", "empty", "blank"])
    def test_without_a_token_it_is_refused_by_the_name_of_its_variable(
        self, scene: Scene, index: str, variable: str, value: str | None
    ) -> None:
        scene.set(**{variable: value})
        scene.refused(LogInToIndex(index), "no token", index, remedy=f"Set {variable}")

    def test_a_ci_job_without_the_permission_is_refused(self, scene: Scene, index: str, variable: str) -> None:
        scene.set(**{variable: None}, GITHUB_ACTIONS="true")
        scene.refused(LogInToIndex(index), "no token", index, remedy="id-token: write")


class TestForge:
    def test_without_a_token_it_is_refused_by_the_name_of_its_variable(self, scene: Scene) -> None:
        scene.set(GITHUB_TOKEN=None)
        scene.refused(LogInToForge(), "no token", "forge", remedy="Set GITHUB_TOKEN")

    def test_without_a_token_it_is_not_asked_for_blockers(self, scene: Scene) -> None:
        scene.set(GITHUB_TOKEN=None)
        assert scene.check(HaveNoBlockers()) == Skipped("no token for the forge")
