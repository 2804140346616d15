"""What PyPI would refuse, or show without its links, is known before anything is built."""

from __future__ import annotations

import pytest
from harness.scene import Scene

from releaser.core.step import Conflict, Done
from releaser.steps.preflight.index_rules import MeetIndexRules, RenderReadme

PROJECT = 'license-files = ["LICENSE"]\n'


@pytest.mark.parametrize("step", [MeetIndexRules(), RenderReadme()], ids=lambda step: step.name)
def test_nothing_stands_against_the_tiny_project(scene: Scene, step: MeetIndexRules) -> None:
    assert isinstance(scene.check(step), Done)


class TestMeetIndexRules:
    @pytest.mark.parametrize(
        ("added", "reason"),
        [
            (
                'classifiers = ["Programing Language :: Python"]',
                "'Programing Language :: Python' is not a valid classifier",
            ),
            ('dependencies = ["a @ https://example.invalid/a.whl"]', "Can't have direct dependency: a @"),
            ('optional-dependencies = { x = ["a @ https://example.invalid/a.whl"] }', "Can't have direct dependency"),
            (f'urls = {{ "{"x" * 40}" = "https://example.invalid" }}', "must be 32 characters or less"),
            ('authors = [{ name = "A", email = "nowhere" }]', "'nowhere' is not a valid email address"),
        ],
        ids=["classifier", "dependency", "extra", "label", "address"],
    )
    def test_metadata_that_pypi_refuses_is_refused(self, scene: Scene, added: str, reason: str) -> None:
        scene.project.configure(PROJECT, f"{PROJECT}{added}\n")
        scene.refused(MeetIndexRules(), "PyPI refuses", reason, remedy="Correct [project]")

    def test_all_reasons_are_named_at_once(self, scene: Scene) -> None:
        scene.project.configure(
            PROJECT, f'{PROJECT}classifiers = ["Nonsense"]\nkeywords = ["a"]\ndependencies = ["!"]\n'
        )
        outcome = scene.check(MeetIndexRules())
        assert isinstance(outcome, Conflict)
        assert "'Nonsense'" in outcome.what
        assert "requires-dist" in outcome.what

    def test_once_there_is_a_release_commit_its_metadata_counts(self, scene: Scene) -> None:
        scene.with_release_commit()
        scene.project.replace("pyproject.toml", PROJECT, f'{PROJECT}classifiers = ["Nonsense"]\n')
        assert isinstance(scene.check(MeetIndexRules()), Done)


class TestRenderReadme:
    def test_relative_addresses_are_refused_with_their_lines(self, scene: Scene) -> None:
        scene.project.write("README.md", "# Tiny\n\n[Guide](docs/guide.md) ![Logo](logo.png)\n")
        scene.project.commit()
        scene.refused(
            RenderReadme(),
            "README.md has 2 relative addresses, which lead nowhere on PyPI",
            "line 3: link docs/guide.md",
            "line 3: picture logo.png",
            remedy="absolute",
        )

    def test_a_file_that_is_missing_is_refused(self, scene: Scene) -> None:
        scene.project.configure('readme = "README.md"', 'readme = "READ.md"')
        scene.refused(RenderReadme(), "READ.md, the readme in pyproject.toml, does not exist", remedy="Add it")

    def test_what_does_not_render_is_refused(self, scene: Scene) -> None:
        scene.project.write("README.rst", "Tiny\n====\n\n.. toctree::\n")
        scene.project.configure('readme = "README.md"', 'readme = "README.rst"')
        scene.refused(
            RenderReadme(), "README.rst does not render", 'line 4: Unknown directive type "toctree"', remedy="Fix"
        )

    def test_what_the_backend_makes_is_left_to_the_built_files(self, scene: Scene) -> None:
        scene.project.configure('readme = "README.md"', 'dynamic = ["readme"]')
        assert scene.check(RenderReadme()) == Done("pyproject.toml names no file; the built files are inspected")
