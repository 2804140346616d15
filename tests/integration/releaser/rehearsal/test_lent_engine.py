"""A job has this machine's engine without making a builder, and leaves nothing in it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from releaser.adapters.docker import buildx
from releaser.adapters.docker.engine import Engine
from releaser.rehearsal.registry import engine

BASE = os.environ.get("TEST_BASE_IMAGE", "busybox")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    if reason := buildx.unavailable(tmp_path):
        pytest.skip(reason)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def docker(*words: str, **more: str) -> str:
    done = subprocess.run(["docker", *words], env={**os.environ, **more}, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_line_that_creates_a_builder_creates_none_and_all_else_reaches_the_engine(home: Path) -> None:
    before = docker("buildx", "ls")
    variables, programs = engine.lend(home.parent, home)
    mine = {**variables, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(home), "DOCKER_CONFIG": ""}
    assert docker("version", "--format", "{{.Server.Version}}", **mine) == docker(
        "version", "--format", "{{.Server.Version}}"
    )
    assert "buildx" in docker("buildx", "version", **mine)
    assert not engine.made_builders(home.parent)

    docker("buildx", "create", "--use", **mine)

    assert engine.made_builders(home.parent)
    assert docker("buildx", "ls") == before


def test_what_a_killed_job_left_in_the_engine_is_removed_and_nothing_else(home: Path) -> None:
    docker("pull", "--quiet", BASE)
    state, other = home / ".local" / "state" / "releaser" / "thing" / "1.0.0", home.parent / "another"
    mine, others = Engine.connect(state), Engine.connect(other)
    try:
        for one in (mine, others):
            docker("tag", BASE, one.trial("image"))
            docker("create", "--label", f"releaser.trial={one.owner}", one.trial("image"), "true")
        state.mkdir(parents=True)

        engine.sweep(home)

        containers = [left(one) for one in (mine, others)]
        assert (containers, mine.holds(mine.trial("image"))) == ([0, 1], False)
        assert others.holds(others.trial("image"))
    finally:
        for one in (mine, others):
            one.sweep()
            one.close()


def left(of: Engine) -> int:
    return len(docker("ps", "--all", "--quiet", "--filter", f"label=releaser.trial={of.owner}").split())
