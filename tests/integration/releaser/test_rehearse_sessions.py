"""What a rehearsal says of its project's sessions: which run, how far they are, how long it took, what was left out."""

from __future__ import annotations

import json
import re
import signal
import sys

import pytest

CONFIGURED = '\n[tool.releaser.qualify]\nsessions = ["smoke"]\nwhere-possible = ["slow-one"]\n'
USUAL = '\n[tool.releaser.rehearsal]\nusual-time = "an hour"\nusual-quick-time = "a minute"\n'
NOXFILE = f"""
import os, pathlib, time
import nox

@nox.session(venv_backend="none")
def smoke(session):
    pathlib.Path(os.environ["MARK"]).touch()
    session.run({sys.executable!r}, "-c", "import os, time; time.sleep(float(os.environ.get('SMOKES', 0)))")

@nox.session(venv_backend="none", name="slow-one")
def slow(session):
    pass
"""
FIRST = r"Rehearsing tiny-thing 0\.2\.0 at commit {commit}: (\d+) steps, ([^;]+); (.+)"


@pytest.fixture
def project(tiny_project):
    """The tiny project with two sessions, the first of which leaves a mark."""
    pyproject = (tiny_project.path / "pyproject.toml").read_text("utf-8")
    tiny_project.write("pyproject.toml", pyproject + CONFIGURED + USUAL)
    tiny_project.write("noxfile.py", NOXFILE)
    tiny_project.commit("Sessions")
    return tiny_project


@pytest.fixture
def mark(tmp_path):
    """The file that the session `smoke` makes."""
    return tmp_path / "smoked"


@pytest.fixture
def rehearse(project, invoke, mark):
    """Rehearses 0.2.0 with the given options; returns how it ended, and the groups of its first line."""

    def run(*options, version="0.2.0"):
        ended = invoke(project.path, "rehearse", "--version", version, *options, env={"MARK": str(mark)})
        first = re.fullmatch(FIRST.format(commit=project.head()[:12]), ended.out.splitlines()[0])
        assert first, ended.out + ended.err
        return ended, first.groups()

    return run


def test_quick_leaves_out_the_sessions_and_a_whole_rehearsal_does_them_later(project, rehearse, invoke, mark):
    durations = invoke.state / "rehearsals" / "tiny-thing.durations.json"
    durations.parent.mkdir(parents=True)
    durations.write_text('{"quick": [83.2]}', "utf-8")

    ended, (steps, sessions, expected) = rehearse("--quick")

    assert ended.status == 0, ended.err
    assert (sessions, expected) == ("no sessions", "took 1 min 23 s last time")
    assert not mark.exists()
    report = invoke.world(project, "0.2.0").report()
    assert report.splitlines()[2] == "- **Left out by --quick: pass_smoke, pass_slow_one**"
    assert "- pass_smoke, pass_slow_one: left out by --quick" in report
    assert report in ended.out
    assert json.loads(durations.read_text("utf-8"))["quick"][:-1] == [83.2]

    ended, (all_steps, sessions, expected) = rehearse()

    assert ended.status == 0, ended.err
    assert int(all_steps) == int(steps) + 2
    assert (sessions, expected) == ("sessions smoke, slow-one", "usually takes an hour")
    assert "completed steps are not repeated" in ended.out.splitlines()[1]
    assert mark.exists()
    assert invoke.world(project, "0.2.0").report().splitlines()[2].startswith("- release commit:")
    # It continued the first one, so its time says nothing of a whole one.
    assert list(json.loads(durations.read_text("utf-8"))) == ["quick"]


def test_the_first_line_comes_before_anything_else_is_done(project, invoke, tmp_path):
    (tmp_path / "file").write_text("not a directory", "utf-8")

    ended = invoke(project.path, "rehearse", "--version", "0.2.0", env={"RELEASER_STATE_DIR": str(tmp_path / "file")})

    assert ended.status != 0
    assert re.match(FIRST.format(commit=project.head()[:12]), ended.out.splitlines()[0])


def test_ctrl_c_in_a_session_leaves_nothing_running(project, invoke, mark):
    words = ("rehearse", "--version", "0.2.0")
    env = {"MARK": str(mark), "SMOKES": "600"}

    ended = invoke.until(mark.exists, project.path, *words, env=env, send=signal.SIGINT)

    assert ended.status == 130, ended.err
    invoke.wait_until_alone()
