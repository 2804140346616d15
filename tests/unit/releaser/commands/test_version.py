"""`invoke version.show`, `check`, `bump` and `explain`."""

from __future__ import annotations

import re

import pytest
from harness.scene import Scene, assert_says

INIT = "src/tiny_thing/__init__.py"


def changed_lines(scene: Scene) -> list[str]:
    """The lines that differ from what is committed."""
    return [line for line in scene.git("diff", "--unified=0").splitlines() if re.match(r"[+-][^+-]", line)]


def test_show_prints_each_file_with_its_line(scene: Scene) -> None:
    ran = scene.run("version.show")
    assert (ran.code, ran.out) == (0, f"0.1.0  pyproject.toml:8\n0.1.0  {INIT}:5\n")


class TestCheck:
    def test_that_all_agree_is_told_with_the_newest_tag(self, scene: Scene) -> None:
        scene.git("tag", "--annotate", "v0.1.0", "--message", "Release version 0.1.0")
        scene.git("push", "--quiet", "origin", "v0.1.0")
        ran = scene.run("version.check")
        assert ran.code == 0
        assert_says(ran.out, "0.1.0", "pyproject.toml", INIT, "CHANGELOG.md", "tag: 0.1.0")

    def test_the_file_that_differs_is_named(self, scene: Scene) -> None:
        scene.project.replace(INIT, "0.1.0", "0.1.5")
        ran = scene.run("version.check")
        assert ran.code == 2
        assert_says(ran.err, f"{INIT} (line 5) says 0.1.5", "pyproject.toml (line 8) says 0.1.0")
        assert "\n  -> " in ran.err
        assert "`invoke version.bump --to 0.1.0`" in ran.err

    def test_a_changelog_and_a_tag_that_differ_are_named(self, scene: Scene) -> None:
        assert scene.run("version.bump", "--to", "0.1.5").code == 0
        scene.git("tag", "v0.3.0")
        scene.git("push", "--quiet", "origin", "v0.3.0")
        ran = scene.run("version.check")
        assert ran.code == 2
        assert_says(ran.err, "CHANGELOG.md", "0.1.0", "0.1.5", "v0.3.0")
        assert_says(ran.err, "`invoke changelog.rotate --version 0.1.5`", "`invoke version.bump --to 0.3.0`")


class TestBump:
    def test_every_file_is_written_and_nothing_else(self, scene: Scene) -> None:
        ran = scene.run("version.bump", "--part", "rc")
        assert ran.code == 0
        assert ran.out == f"0.1.0 -> 0.2.0-rc.1  pyproject.toml\n0.1.0 -> 0.2.0-rc.1  {INIT}\n"
        assert changed_lines(scene) == [
            '-version = "0.1.0"',
            '+version = "0.2.0rc1"',
            '-__version__ = "0.1.0"',
            '+__version__ = "0.2.0-rc.1"',
        ]

    @pytest.mark.parametrize("words", [["--to", "0.2.0"], ["--part", "minor"]])
    def test_a_dry_one_tells_what_it_would_do_and_does_not(self, scene: Scene, words: list[str]) -> None:
        with scene.unchanged():
            ran = scene.run("-R", "version.bump", *words)
        assert ran.code == 0
        assert_says(ran.out, "0.1.0 -> 0.2.0 pyproject.toml (not written)")

    @pytest.mark.parametrize(
        ("words", "facts"),
        [
            ([], ["--to VERSION", "--part PART", "patch (0.1.1), minor (0.2.0)"]),
            (["--to", "0.2.0", "--part", "minor"], ["--to VERSION", "--part PART"]),
            (["--part", "huge"], ["huge", "patch, minor, major,"]),
            (["--part", "final"], ["0.1.0 is already final", "patch (0.1.1)"]),
            (["--to", "1"], ["'1'", "MAJOR.MINOR.PATCH", "1.0.0"]),
        ],
        ids=["nothing", "both", "an unknown part", "final of a final version", "no version"],
    )
    def test_one_to_nowhere_is_refused(self, scene: Scene, words: list[str], facts: list[str]) -> None:
        scene.refuses("version.bump", *words, says=facts)


class TestExplain:
    def test_every_form_is_printed(self, scene: Scene) -> None:
        ran = scene.run("version.explain", "0.2.0-rc.1")
        assert ran.code == 0
        lines = ran.out.replace("PEP 440", "PEP440").splitlines()[:4]
        assert dict(line.split(maxsplit=1) for line in lines) == {
            "SemVer": "0.2.0-rc.1",
            "PEP440": "0.2.0rc1",
            "tag": "v0.2.0-rc.1",
            "kind": "pre-release, never latest",
        }

    def test_one_that_cannot_be_released_is_told_why(self, scene: Scene) -> None:
        scene.refuses("version.explain", "v0.2.0", says=["'v0.2.0'", "tag", "0.2.0"])
