"""status, doctor and verify end in time, whatever the services do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from harness.scene import NOWHERE, Scene

from releaser.core import asking

LONGEST = 35
"""A request that gets no response is given up after 20 s, and sent again."""
SOONER = 4.0


@pytest.fixture
def _silent(scene: Scene) -> Iterator[None]:
    with ExitStack() as stack:
        for one in scene.stand_ins.values():
            stack.enter_context(one.silent())
        yield


@pytest.fixture
def _sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LIMIT_S", SOONER)  # one of them waits as long as it does for users


@pytest.mark.usefixtures("_silent")
def test_status_says_what_it_could_not_ask(scene: Scene) -> None:
    begun = time.monotonic()
    ran = scene.run("status", "--version", "0.2.0")
    assert time.monotonic() - begun < LONGEST
    assert "done      be_clean" in ran.out
    assert "upload_pypi: pypi at" in ran.err
    assert "did not respond in time when asked to list the files of tiny-thing" in ran.err
    assert "runs  newest run of each workflow\n  not asked: GitHub at" in ran.out


@pytest.mark.usefixtures("_silent", "_sooner")
def test_verify_says_what_it_could_not_ask(scene: Scene) -> None:
    begun = time.monotonic()
    ran = scene.run("verify", "--version", "0.2.0")
    assert time.monotonic() - begun < LONGEST
    assert "not asked  files" in ran.out
    assert "wrong: tag tag" in ran.err  # the remote is a directory, which answers


@pytest.mark.usefixtures("_silent", "_sooner")
def test_doctor_says_what_it_could_not_ask(scene: Scene) -> None:
    begun = time.monotonic()
    ran = scene.run("doctor")
    assert time.monotonic() - begun < LONGEST
    assert ran.code == 5
    assert "right      be_clean" in ran.out
    assert "network testpypi, network pypi, network forge" in ran.err


@pytest.mark.usefixtures("_silent", "_sooner")
def test_the_checklist_says_what_it_could_not_ask(scene: Scene) -> None:
    begun = time.monotonic()
    ran = scene.run("status", "--checklist", "--version", "0.2.0")
    assert time.monotonic() - begun < LONGEST
    assert "[?] PyPI serves the files" in ran.out
    assert "[x] version files agree" in ran.out


@pytest.mark.parametrize("task", ["doctor", "status", "verify"])
def test_each_says_so_at_once_where_nothing_can_be_reached(scene: Scene, task: str) -> None:
    pyproject = scene.project.path / "pyproject.toml"
    text = pyproject.read_text()
    for one in scene.stand_ins.values():
        text = text.replace(one.url, NOWHERE)
    pyproject.write_text(text)
    scene.git("remote", "set-url", "origin", f"{NOWHERE}/tiny.git")
    begun = time.monotonic()
    ran = scene.run(task, "--version", "0.2.0")
    assert time.monotonic() - begun < LONGEST / 2
    assert ran.code != 0
    assert "pypi at http://127.0.0.1:1/simple/ refused the connection" in ran.text
