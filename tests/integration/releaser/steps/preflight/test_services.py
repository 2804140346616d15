"""What the forge says before a release."""

from __future__ import annotations

import pytest
from harness.scene import Scene, assert_says
from harness.stand_ins import READ_ONLY

from releaser.core.step import Done
from releaser.errors import ServiceError
from releaser.steps.preflight.services import HaveNoBlockers, LogInToForge


class TestLogInToForge:
    def test_a_token_that_may_write_is_told(self, scene: Scene) -> None:
        outcome = scene.check(LogInToForge())
        assert isinstance(outcome, Done)
        assert_says(outcome.evidence, "someone/tiny-thing", "may write")

    def test_a_token_that_may_only_read_is_refused(self, scene: Scene) -> None:
        scene.set(GITHUB_TOKEN=READ_ONLY)
        scene.refused(LogInToForge(), "GITHUB_TOKEN", "someone/tiny-thing", remedy="contents: write")

    def test_a_token_that_the_forge_does_not_know_is_refused(self, scene: Scene) -> None:
        scene.set(FORGE_TOKEN="ghp_nobodysToken0123456789")
        address = f'api-url = "{scene.forge.url}"'
        scene.project.replace("pyproject.toml", address, f'{address}\ntoken-env = "FORGE_TOKEN"')
        scene.failed(ServiceError, LogInToForge(), "127.0.0.1", "401", "Bad credentials", remedy="FORGE_TOKEN")

    def test_a_forge_that_does_not_answer_is_named_with_its_address(self, scene: Scene, closed: str) -> None:
        scene.project.replace("pyproject.toml", f'api-url = "{scene.forge.url}"', f'api-url = "{closed}"')
        scene.failed(ServiceError, LogInToForge(), closed.removeprefix("http://"), remedy="")


class TestHaveNoBlockers:
    def test_other_labels_do_not_block(self, scene: Scene) -> None:
        scene.forge.hold({"issues": [{"number": 8, "title": "It smokes", "labels": ["bug"]}]})
        assert isinstance(scene.check(HaveNoBlockers()), Done)

    @pytest.mark.parametrize("kind", ["issue", "pull request"])
    def test_an_open_one_is_refused_by_number_and_title(self, scene: Scene, kind: str) -> None:
        blocker = {"number": 7, "title": "It burns", "labels": ["release-blocker"], "pull_request": kind != "issue"}
        scene.forge.hold({"issues": [blocker, {"number": 8, "title": "It smokes", "labels": ["bug"]}]})
        scene.refused(HaveNoBlockers(), "1 open", "release-blocker", "#7 It burns", remedy="label")

    def test_a_release_that_is_out_cannot_be_blocked_any_more(self, scene: Scene) -> None:
        blocker = {"number": 7, "title": "It burns", "labels": ["release-blocker"]}
        scene.forge.hold({"issues": [blocker], "releases": [{"tag_name": "v0.2.0", "name": "v0.2.0", "body": ""}]})
        assert scene.check(HaveNoBlockers()) == Done("the release is published")
