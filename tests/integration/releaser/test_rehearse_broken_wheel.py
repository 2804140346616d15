"""A wheel that is broken stops the release before anything is public."""

from __future__ import annotations

import re
from typing import Any

import pytest

INIT = "src/tiny_thing/__init__.py"


def does_not_import(project: Any) -> None:
    project.replace(INIT, "import argparse\n", "import argparse\n\nimport tiny_thing.left_behind\n")


def says_another_version(project: Any) -> None:
    # The classic accident: the version that users see stands in a file that nobody has declared.
    project.replace("pyproject.toml", f'  {{ path = "{INIT}", pattern = \'__version__ = "{{version}}"\' }},\n', "")


def lacks_a_required_file(project: Any) -> None:
    project.replace("pyproject.toml", "[tool.releaser]", '[tool.releaser]\nbuild.require = ["tiny_thing/page.html"]')


def leaves_a_file_of_the_package_out(project: Any) -> None:
    project.write("src/tiny_thing/page.html", "<p>Tiny</p>\n")
    project.replace("backend.py", 'FILES = "*"', 'FILES = "*.py"')


def brings_its_tests_along(project: Any) -> None:
    project.write("tests/test_tiny.py", "def test_tiny():\n    pass\n")
    project.replace("backend.py", 'PACKAGES = ["src/tiny_thing"]', 'PACKAGES = ["src/tiny_thing", "tests"]')


def fails_its_command(project: Any) -> None:
    project.replace(INIT, "    parser.parse_args()\n", "    parser.exit(3, 'no luck')\n")


STOPPED_BY = {
    does_not_import: r"try_wheel: .*tiny_thing\.left_behind",
    says_another_version: r"try_wheel: tiny_thing\.__version__ is 0\.1\.0; expected 0\.2\.0",
    lacks_a_required_file: r"inspect_dists: .*\.whl lacks tiny_thing/page\.html",
    leaves_a_file_of_the_package_out: r"inspect_dists: .*\.whl lacks tiny_thing/page\.html",
    brings_its_tests_along: r"inspect_dists: .*\.whl installs tests in addition to tiny_thing",
    fails_its_command: r"try_wheel: .*tiny-thing failed with exit status 3",
}


@pytest.mark.parametrize("spoil", STOPPED_BY, ids=lambda spoil: spoil.__name__)
def test_broken_wheel_stops_before_anything_is_public(spoil, tiny_project, invoke):
    spoil(tiny_project)
    tiny_project.commit("Spoil it")
    before = tiny_project.snapshot()
    ended = invoke(tiny_project.path, "rehearse", "--version", "0.2.0")
    assert ended.status == 1
    assert re.match(f"error: {STOPPED_BY[spoil]}", ended.err, re.DOTALL)
    assert "\n  -> " in ended.err
    world = invoke.world(tiny_project, "0.2.0")
    assert world.uploads("testpypi") == []
    assert [line.split()[0] for line in world.uploads("pypi")] == ["tiny_thing-0.1.0-py3-none-any.whl"]
    assert world.refs() == {"refs/heads/main": f"commit {tiny_project.head()}"}
    assert world.releases() == []
    assert world.mutations() == []
    assert tiny_project.snapshot() == before
