"""Artifacts hold the files that a path names, from the folder that its patterns share."""

from __future__ import annotations

from pathlib import Path

import pytest

from releaser.rehearsal.actions.artifacts import ArtifactError, Artifacts, found_by


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("dist/a.whl", "dist/b.tar.gz", "dist/.git/config", "dist/in/c.txt"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "tree"


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["dist/"], {"a.whl", "b.tar.gz", "in/c.txt"}),
        (["dist/*.whl"], {"a.whl"}),
        (["dist/a.whl"], {"a.whl"}),
        (["dist/**/*.txt", "dist/a.whl"], {"a.whl", "in/c.txt"}),
        (["nothing/*"], set()),
    ],
)
def test_an_upload_takes_the_files_that_its_path_names(tree, patterns, names):
    assert {str(inner) for _, inner in found_by(patterns, tree)} == names


def test_an_artifact_belongs_to_its_run_and_its_name_is_used_once_in_an_attempt(tmp_path, tree):
    artifacts, files = Artifacts(tmp_path / "kept"), found_by(["dist/*.whl"], tree)
    artifacts.put(1, 1, "dist", files, overwrite=False)
    with pytest.raises(ArtifactError, match="already exists"):
        artifacts.put(1, 1, "dist", files, overwrite=False)
    artifacts.put(1, 2, "dist", files, overwrite=False)
    assert artifacts.get(1, "dist", tmp_path / "got") == 1
    assert (tmp_path / "got" / "a.whl").read_text() == "dist/a.whl"
    with pytest.raises(ArtifactError, match="not found for name: dist"):
        artifacts.get(2, "dist", tmp_path / "other")


def test_a_link_becomes_the_file_that_it_leads_to(tmp_path, tree):
    (tree / "dist" / "link.whl").symlink_to(tree / "dist" / "a.whl")
    artifacts = Artifacts(tmp_path / "kept")
    artifacts.put(1, 1, "dist", found_by(["dist/link.whl"], tree), overwrite=False)
    artifacts.get(1, "dist", tmp_path / "got")
    assert not (tmp_path / "got" / "link.whl").is_symlink()
