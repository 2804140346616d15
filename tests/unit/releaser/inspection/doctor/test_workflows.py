"""Which branches and tags start the workflows of a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from releaser.adapters.git import Git
from releaser.config.load import parse_config
from releaser.inspection.doctor.workflows import look_at_workflows
from releaser.release import Release
from releaser.secret import Credentials
from releaser.store import ReleaseStore
from releaser.versions.version import Version

CONFIG = {"version-files": [{"path": "pyproject.toml", "key": "v"}], "forge": {"repository": "someone/demo"}}
JOBS = "jobs: {one: {runs-on: ubuntu-latest, steps: [{run: nox}]}}"


@pytest.mark.parametrize(
    ("triggers", "kind", "says"),
    [
        ("{pull_request: {branches: [next]}, push: {branches: [main]}}", "right", "tests main"),
        ("{push: {branches: ['**', '!main']}}", "wrong", "does not run for main: its branches are **, !main"),
        ("{push: {branches: ['*/main']}}", "wrong", "does not run for main: its branches are */main"),
        ("[push]", "right", "tests main"),
    ],
)
def test_the_branches_of_a_push_decide_whether_the_tests_run(
    tmp_path: Path, triggers: str, kind: str, says: str
) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "tests.yml").write_text(f"on: {triggers}\n{JOBS}\n")
    config = parse_config(CONFIG, {"name": "demo"})
    release = Release(config, Version(1, 0, 0), Git(tmp_path), ReleaseStore(tmp_path), Credentials({}))
    (found,) = [one for notes in look_at_workflows(release) for one in notes.found if one.name == "tests.yml"]
    assert (found.kind, found.says) == (kind, says)
