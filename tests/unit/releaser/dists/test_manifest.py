from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from releaser.core.files import sha256
from releaser.dists.manifest import Manifest, agree, compare, differing_members, take_artifact
from releaser.errors import ConflictError, UsageError
from releaser.versions.version import Version

VERSION = Version.parse("0.2.0")
WHEEL, SDIST, BILL = "tiny_thing-0.2.0-py3-none-any.whl", "tiny_thing-0.2.0.tar.gz", "tiny_thing-0.2.0.cdx.json"
FIELDS: dict[str, Any] = {
    "schema": 1,
    "version": "0.2.0",
    "parent": "a" * 40,
    "commit": "b" * 40,
    "epoch": 1767225600,
    "files": {WHEEL: "1" * 64, SDIST: "2" * 64},
}


def manifest(**changes: Any) -> Manifest:
    return Manifest.model_validate({**FIELDS, **changes})


def wheel(path: Path, **members: str) -> Path:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name, text in members.items():
            made.writestr(f"{name}.py", text)
    path.write_bytes(content.getvalue())
    return path


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    folder.mkdir()
    wheel(folder / WHEEL, one="1")
    (folder / SDIST).write_bytes(b"an sdist")
    return folder


def of(folder: Path) -> Manifest:
    return manifest(files={name: sha256(folder / name) for name in (WHEEL, SDIST)})


def test_a_manifest_is_one_line_that_reads_back_as_it_was() -> None:
    line = manifest(files={**FIELDS["files"], BILL: "3" * 64}).line()
    assert "\n" not in line
    read = Manifest.read(line, "tiny-thing", VERSION, "MANIFEST")
    assert read.line() == line
    assert read.uploads == FIELDS["files"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"more": 1}, "more: Extra inputs"),
        ({"schema": 2}, "schema"),
        ({"commit": "HEAD"}, "40 hexadecimal digits"),
        ({"epoch": "1767225600"}, "epoch"),
        ({"version": "0.3.0"}, "is of version 0.3.0, not 0.2.0"),
        ({"files": {WHEEL: "1" * 64}}, "one sdist and one wheel"),
        ({"files": {**FIELDS["files"], "notes.txt": "1" * 64}}, "one sdist and one wheel"),
        ({"files": {**FIELDS["files"], "../x.whl": "1" * 64}}, "not the plain name"),
        ({"files": {WHEEL: "1" * 63, SDIST: "2" * 64}}, "not a sha256"),
        ({"files": {"other-0.2.0-py3-none-any.whl": "1" * 64, SDIST: "2" * 64}}, "not tiny-thing 0.2.0"),
        ({"files": {WHEEL.replace("0.2.0", "0.2.1"): "1" * 64, SDIST: "2" * 64}}, "not tiny-thing 0.2.0"),
    ],
)
def test_anything_else_in_its_place_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        Manifest.read(json.dumps({**FIELDS, **changes}), "tiny-thing", VERSION, "MANIFEST")
    assert refused.value.remedy.startswith("Pass the output")


def test_two_builds_agree_on_sdist_and_wheel_whatever_else_the_first_made() -> None:
    agree(manifest(files={**FIELDS["files"], BILL: "3" * 64}), manifest())


def test_each_difference_between_two_builds_is_named() -> None:
    with pytest.raises(ConflictError) as refused:
        agree(manifest(), manifest(commit="c" * 40, files={WHEEL: "9" * 64, SDIST: "2" * 64}))
    assert "commit bbbb" in refused.value.message
    assert f"{WHEEL}, sha256 111111111111 and 999999999999" in refused.value.message
    assert SDIST not in refused.value.message


def test_an_artifact_with_the_manifests_files_is_taken(artifact: Path, tmp_path: Path) -> None:
    taken = take_artifact(artifact, of(artifact), tmp_path / "taken")
    assert taken.sha256 == of(artifact).files
    assert (tmp_path / "taken" / "SHA256SUMS").exists()


def test_an_artifact_is_data_and_everything_else_in_it_is_refused_by_name(artifact: Path, tmp_path: Path) -> None:
    expected = of(artifact)
    (artifact / ".git").mkdir()
    (artifact / ".git" / "config").write_text("[core]\n\thooksPath = hooks\n")
    (artifact / "pip.conf").write_text("[global]\n")
    (artifact / SDIST).unlink()
    (artifact / SDIST).symlink_to("/etc/hostname")
    with pytest.raises(ConflictError) as refused:
        take_artifact(artifact, expected, tmp_path / "taken")
    for named in (".git (directory)", "pip.conf (file)", f"{SDIST} (link)"):
        assert named in refused.value.message
    assert not (tmp_path / "taken").exists()


def test_a_missing_or_changed_file_is_refused(artifact: Path, tmp_path: Path) -> None:
    expected = of(artifact)
    (artifact / SDIST).unlink()
    with pytest.raises(ConflictError, match=f"lacks {SDIST}"):
        take_artifact(artifact, expected, tmp_path / "one")
    (artifact / SDIST).write_bytes(b"an sdist, changed")
    with pytest.raises(ConflictError, match=f"{SDIST} has sha256"):
        take_artifact(artifact, expected, tmp_path / "two")


def test_members_that_differ_are_named_with_the_place(artifact: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = wheel(tmp_path / "other" / WHEEL, one="2", more="stolen = True")
    assert differing_members(other, artifact / WHEEL) == "more.py is added, one.py differs from byte 0 (1 bytes)"
    assert differing_members(artifact / WHEEL, other).startswith("more.py is missing")
    with pytest.raises(ConflictError, match=r"more\.py is added"):
        compare(tmp_path / "other", of(artifact), "It", artifact)


def test_what_is_no_archive_is_said_to_be_none(artifact: Path, tmp_path: Path) -> None:
    broken = tmp_path / WHEEL
    broken.write_bytes(b"no wheel")
    assert differing_members(broken, artifact / WHEEL) == f"{WHEEL} cannot be read: File is not a zip file"
