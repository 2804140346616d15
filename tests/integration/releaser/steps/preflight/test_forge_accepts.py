"""What the forge knows of the commit, and what it takes of the notes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from harness.scene import Scene

from releaser.core.step import Conflict, Done, Skipped
from releaser.dists.manifest import Manifest
from releaser.steps.preflight.forge_accepts import FitNotes, HavePassedTests
from releaser.texts.release_page import notes

FORGE = "[tool.releaser.forge]\n"
FILES = {"tiny_thing-0.2.0.tar.gz": "a" * 64, "tiny_thing-0.2.0-py3-none-any.whl": "b" * 64}
MANIFEST = Manifest(schema=1, version="0.2.0", parent="c" * 40, commit="d" * 40, epoch=0, files=FILES)


class TestFitNotes:
    def test_notes_are_counted(self, scene: Scene) -> None:
        assert scene.check(FitNotes()) == Done(f"{len(notes(scene.release()))} characters")

    def test_notes_that_are_longer_than_github_takes_are_refused(self, scene: Scene) -> None:
        entries = "\n".join(f"- Entry {number}: {'x' * 90}" for number in range(1300))
        scene.project.replace("CHANGELOG.md", "## [Unreleased]\n", f"## [Unreleased]\n\n### Fixed\n\n{entries}\n")
        scene.project.commit()
        length = len(notes(scene.release()))
        assert length > 125_000
        scene.refused(FitNotes(), f"{length:,} characters; GitHub takes 125,000", remedy="Shorten the section")


class TestHavePassedTests:
    def run(self, scene: Scene, **run: Any) -> str:
        scene.forge.hold({"workflow_runs": [{"workflow": "tests.yml", "head_sha": scene.project.head(), **run}]})
        return f"{scene.forge.url}/someone/tiny-thing/actions/runs/1"

    def test_a_run_that_passed_is_named(self, scene: Scene) -> None:
        url = self.run(scene)
        assert scene.check(HavePassedTests()) == Done(f"tests.yml passed for {scene.project.head()[:12]} ({url})")

    @pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out"])
    def test_a_run_that_did_not_pass_is_refused(self, scene: Scene, conclusion: str) -> None:
        url = self.run(scene, conclusion=conclusion)
        scene.refused(HavePassedTests(), f"ended with {conclusion}", url, remedy="--skip have_passed_tests")

    def test_where_a_job_asks_again_no_skip_is_offered(self, scene: Scene) -> None:
        self.run(scene, conclusion="failure")
        in_job = HavePassedTests().check(replace(scene.release(), rebuilt=MANIFEST))
        scene.project.configure("[tool.releaser]\n", '[tool.releaser]\nrun = "ci"\n')
        self.run(scene, conclusion="failure")
        for outcome in (in_job, HavePassedTests().check(scene.release())):
            assert isinstance(outcome, Conflict)
            assert outcome.remedy == "Fix what failed, or run it again there: the job that publishes asks for it, too."

    def test_a_run_that_has_not_ended_is_to_be_waited_for(self, scene: Scene) -> None:
        url = self.run(scene, status="in_progress", conclusion=None)
        scene.refused(HavePassedTests(), "tests.yml is in progress", url, remedy="Wait until it ends")

    @pytest.mark.parametrize("runs", [[], [{"workflow": "tests.yml", "head_sha": "0" * 40}]], ids=["never", "other"])
    def test_a_commit_without_a_run_is_said_and_refused_only_if_runs_are_required(
        self, scene: Scene, runs: list[dict[str, Any]]
    ) -> None:
        scene.forge.hold({"workflow_runs": runs})
        head = scene.project.head()[:12]
        assert scene.check(HavePassedTests()) == Done(
            f"tests.yml has no run for {head}: whether its tests pass there is unproven"
        )
        scene.project.configure(FORGE, f"{FORGE}tests-required = true\n")
        scene.refused(HavePassedTests(), "tests.yml has no run", remedy="wait for tests.yml")

    def test_another_workflow_can_be_named_or_none(self, scene: Scene) -> None:
        scene.project.configure(FORGE, f'{FORGE}tests-workflow = "ci.yml"\n')
        self.run(scene, workflow="ci.yml")
        assert isinstance(scene.check(HavePassedTests()), Done)
        scene.project.configure('tests-workflow = "ci.yml"', 'tests-workflow = ""')
        assert isinstance(scene.check(HavePassedTests()), Skipped)

    def test_without_a_token_the_forge_is_not_asked(self, scene: Scene) -> None:
        scene.set(GITHUB_TOKEN=None)
        assert scene.check(HavePassedTests()) == Skipped("no token for the forge")

    def test_once_there_is_a_release_commit_it_has_been_asked(self, scene: Scene) -> None:
        scene.with_release_commit()
        self.run(scene, conclusion="failure")
        outcome = scene.check(HavePassedTests())
        assert isinstance(outcome, Done)
        assert "asked before" in outcome.evidence
