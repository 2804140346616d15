"""This very project as one to release, from the commit that is checked out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from harness.projects import Project, git


@pytest.fixture
def this_project(tmp_path: Path) -> Project:
    """A clone of the checked-out commit; right after a release, with an entry to release."""
    # With the developer's own git configuration, which may have to call the checkout safe.
    words = ["git", "rev-parse", "--show-toplevel"]
    found = subprocess.run(words, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("not in a git checkout, so there is no commit to release")
    source, path = Path(found.stdout.strip()), tmp_path / "clone"
    words = ["git", "clone", "--quiet", "--no-tags", f"file://{source}", str(path)]
    subprocess.run(words, cwd=source, check=True, capture_output=True)
    git(path, "checkout", "--quiet", "-B", "main", git(path, "rev-parse", "HEAD"))
    project = Project(path, "live-vlm-webui", "main", "origin")
    text = (path / "CHANGELOG.md").read_text("utf-8")
    unreleased = re.search(r"^## \[Unreleased\]\n((?:(?!## |\[).*\n)*)", text, re.MULTILINE)
    assert unreleased
    if not unreleased[1].strip():
        entry = "\n### Changed\n\n- Nothing since the last release.\n"
        project.write("CHANGELOG.md", text[: unreleased.start(1)] + entry + text[unreleased.start(1) :])
        git(path, "commit", "--quiet", "--all", "--message", "Something to release")
    return project


def following(project: Project) -> str:
    """The next minor version."""
    now = re.search(r'^version = "(\d+)\.(\d+)\.', (project.path / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert now
    return f"{now[1]}.{int(now[2]) + 1}.0"
