"""What `invoke --help` says about each task."""

from __future__ import annotations

import copy
import re

import pytest
from harness.scene import Scene

from releaser.tasks import namespace


@pytest.mark.parametrize("task", sorted(namespace.task_names))
def test_every_option_of_every_task_is_explained(scene: Scene, task: str) -> None:
    ran = scene.run("--help", task)
    assert ran.code == 0
    found = copy.deepcopy(namespace[task])  # asking it for its arguments takes their help out of it
    assert found.__doc__.partition(".")[0].split("\n")[0] in ran.out
    for argument in found.get_arguments():
        option = argument.name.strip("_").replace("_", "-")  # `as` is a word of Python's
        assert argument.help, f"--{option} has no help"
        assert re.search(rf"--{option}\b", ran.out)
        assert " ".join(argument.help.split()) in ran.words


@pytest.mark.parametrize("task", ["release", "rehearse", "version.explain"])
def test_help_may_come_last(scene: Scene, task: str) -> None:
    ran = scene.run(task, "--help")
    assert ran.code == 0
    assert ran.out.startswith("Usage: ")
