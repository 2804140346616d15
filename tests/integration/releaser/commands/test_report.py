"""`invoke report`, and what a release leaves for others to check: by `scripts/prove.py`, a program of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from harness.scene import Scene, assert_says
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[4]
PROVE = ROOT / "scripts" / "prove.py"
JSON, HTML = "tiny_thing-0.2.0.report.json", "tiny_thing-0.2.0.report.html"


def prove(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program as a stranger would: with Python alone, and nothing of ours to import."""
    command = [sys.executable, "-I", "-S", str(PROVE), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_version_that_was_not_released_here_is_told_apart(scene: Scene) -> None:
    scene.refuses("report", "--version", "0.2.0", says=("No release of 0.2.0 is recorded", "invoke verify"))
    assert not scene.state.exists() or not list(scene.state.rglob("lock"))


def test_a_journal_that_was_altered_is_not_reported(scene: Scene) -> None:
    release = scene.with_dists()
    release.journal.write("finished", step="one", outcome="done", says="", seconds=0.1)
    text = release.store.journal.read_text("utf-8").replace('"done"', '"nope"')
    release.journal.write("end", outcome="done")
    release.store.journal.write_text(text, "utf-8")
    scene.refuses("report", "--version", "0.2.0", says=("The journal", "line", "Restore it"), code=3)


def test_silent_services_are_named_and_what_is_kept_is_reported(scene: Scene, tmp_path: Path, closed: str) -> None:
    scene.with_dists()
    pyproject = scene.project.path / "pyproject.toml"
    pyproject.write_text(pyproject.read_text("utf-8").replace(scene.pypi.url, closed), "utf-8")
    ran = scene.run("report", "--version", "0.2.0", "--out", tmp_path / "out")
    assert ran.code == 0, ran.text
    assert_says(ran.out, "Not asked: pypi", "refused the connection")
    claims = json.loads((tmp_path / "out" / JSON).read_bytes())["claims"]
    assert [one["service"] for one in claims["not_asked"]] == ["pypi"]
    wheel = next(one for one in claims["files"] if one["name"].endswith(".whl"))
    assert {one["place"]: one["state"] for one in wheel["elsewhere"]} == {"PyPI": "unknown", "release": "absent"}
    assert_says((tmp_path / "out" / HTML).read_text("utf-8"), "refused the connection")


def test_what_workflows_did_is_in_the_record_with_their_pages(scene: Scene, tmp_path: Path) -> None:
    scene.project.configure("[tool.releaser]\n", '[tool.releaser]\nrun = "ci"\n')
    scene.with_dists()
    began, ended = "2026-11-27T08:00:00Z", "2026-11-27T08:00:09Z"
    job = {"name": "Build <it>", "status": "completed", "conclusion": "success", "steps": []}
    run = {"id": 5, "workflow": "release.yml", "display_title": "Release 0.2.0", "event": "workflow_dispatch"}
    run |= {"status": "completed", "conclusion": "success", "head_branch": "main", "head_sha": scene.project.head()}
    scene.forge.hold(
        {"workflow_runs": [{**run, "jobs": [{**job, "id": 71, "started_at": began, "completed_at": ended}]}]}
    )
    ran = scene.run("report", "--version", "0.2.0", "--out", tmp_path / "out")
    assert ran.code == 0, ran.text
    (told,) = json.loads((tmp_path / "out" / JSON).read_bytes())["claims"]["workflows"]
    page = f"{scene.forge.url}/someone/tiny-thing/actions/runs/5"
    assert (told["url"], told["conclusion"], told["commit"]) == (page, "success", scene.project.head())
    assert told["jobs"][0] == {**told["jobs"][0], "name": "Build <it>", "conclusion": "success", "seconds": 9.0}
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_bytes())
    Draft202012Validator(schema).validate(json.loads((tmp_path / "out" / JSON).read_bytes()))
    assert_says((tmp_path / "out" / HTML).read_text("utf-8"), "release.yml", "Build &lt;it&gt;", f'href="{page}"')


@pytest.mark.parametrize("words", [["no-such-file"], [str(PROVE), "--files", "no-such-directory"]])
def test_wrong_usage_of_the_program_has_its_own_exit_code(words: list[str]) -> None:
    ran = prove(*words)
    assert ran.returncode == 2
    assert "no-such" in ran.stderr
