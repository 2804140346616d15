from __future__ import annotations

import json
from pathlib import Path

import pytest
from layout_maker import only, two_platforms

from releaser.adapters.registry.checked_copy import copy_checked
from releaser.adapters.registry.layout import OciLayout, joined
from releaser.errors import ConflictError, StepError


def handed_over(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A layout with two images, and the digests of their indexes."""
    parts = {name: two_platforms(tmp_path / name, seed=name).path for name in ("one", "two")}
    layout = joined(parts, tmp_path / "handed")
    return layout.path, {name: root.digest for name, root in layout.roots().items()}


def test_the_copy_has_every_image_byte_for_byte(tmp_path: Path) -> None:
    directory, digests = handed_over(tmp_path)

    copy = copy_checked(directory, digests, tmp_path / "copy")

    copy.check()
    assert {name: root.digest for name, root in copy.roots().items()} == digests
    files = sorted(path.relative_to(directory) for path in directory.rglob("*"))
    assert sorted(path.relative_to(copy.path) for path in copy.path.rglob("*")) == files


def test_one_byte_in_a_layer_is_found_though_its_length_and_its_name_are_the_same(tmp_path: Path) -> None:
    directory, digests = handed_over(tmp_path)
    path = max((directory / "blobs" / "sha256").iterdir(), key=lambda one: one.read_bytes() == b"for boards")
    path.write_bytes(b"for Boards")

    with pytest.raises(ConflictError, match=f"{path.name} does not have the content that its name says"):
        copy_checked(directory, digests, tmp_path / "copy")


def test_another_image_under_the_name_is_refused_though_it_is_whole(tmp_path: Path) -> None:
    directory, digests = handed_over(tmp_path)
    other = two_platforms(tmp_path / "other", seed="a stranger's")
    OciLayout(directory).take("two", other, only(other))

    with pytest.raises(ConflictError, match=r"two is sha256:\w{12}, and sha256:\w{12} was built"):
        copy_checked(directory, digests, tmp_path / "copy")


def test_an_image_that_was_not_built_is_refused(tmp_path: Path) -> None:
    directory, digests = handed_over(tmp_path)

    with pytest.raises(ConflictError, match="two was not built"):
        copy_checked(directory, {"one": digests["one"]}, tmp_path / "copy")


@pytest.mark.parametrize("name", [".git/config", "run.sh", "blobs/sha256/" + "0" * 64])
def test_a_file_that_belongs_to_no_image_is_refused(tmp_path: Path, name: str) -> None:
    directory, digests = handed_over(tmp_path)
    (directory / name).parent.mkdir(exist_ok=True)
    (directory / name).write_text("planted")

    with pytest.raises(ConflictError, match="holds what belongs to no image: .*" + name.rpartition("/")[2]):
        copy_checked(directory, digests, tmp_path / "copy")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    directory, digests = handed_over(tmp_path)
    path = next((directory / "blobs" / "sha256").iterdir())
    (tmp_path / "elsewhere").write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ConflictError, match=f"{path.name} is missing"):
        copy_checked(directory, digests, tmp_path / "copy")


def test_a_list_that_names_a_path_outside_is_refused(tmp_path: Path) -> None:
    directory, digests = handed_over(tmp_path)
    index = json.loads((directory / "index.json").read_text())
    index["manifests"][0]["digest"] = "sha256:../../../secret"
    (directory / "index.json").write_text(json.dumps(index))

    with pytest.raises(StepError, match="unexpected form"):
        copy_checked(directory, digests, tmp_path / "copy")
