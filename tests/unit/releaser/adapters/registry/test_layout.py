from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest
from layout_maker import Maker, config, only, two_platforms

from releaser.adapters.registry import oci
from releaser.adapters.registry.layout import OciLayout, joined
from releaser.errors import ConflictError, StepError


def test_platforms_are_those_of_images_and_attestations_are_none(tmp_path: Path) -> None:
    layout = two_platforms(tmp_path / "layout")

    assert [image.platform for image in oci.images(layout, only(layout))] == ["linux/amd64", "linux/arm64"]


def test_attestations_belong_to_what_is_pushed(tmp_path: Path) -> None:
    layout = two_platforms(tmp_path / "layout")

    assert len(list(oci.manifests(layout, only(layout)))) == 3


def test_an_image_without_an_index_has_the_platform_of_its_configuration(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "layout")
    layout = maker.finished(maker.manifest(config("arm64", Labels={"a": "b"}), b"layer"))

    (image,) = oci.images(layout, only(layout))

    assert image.platform == "linux/arm64"
    assert image.labels == {"a": "b"}


def test_something_that_is_no_image_is_refused(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "layout")
    layout = maker.finished(maker.put(b"text", "text/plain"))

    with pytest.raises(StepError, match="is no image: "):
        oci.images(layout, only(layout))


def test_layouts_are_joined_under_their_names_byte_for_byte_and_what_they_share_lies_there_once(tmp_path: Path) -> None:
    parts = {name: two_platforms(tmp_path / name, seed=name).path for name in ("one", "two")}
    before = {name: only(OciLayout(path)) for name, path in parts.items()}

    layout = joined(parts, tmp_path / "all")

    assert {name: root.digest for name, root in layout.roots().items()} == {n: d.digest for n, d in before.items()}
    layout.check()
    base = hashlib.sha256(b"base").hexdigest()
    assert [path.name for path in layout.path.rglob("*")].count(base) == 1


def test_a_layout_that_lost_a_layer_or_was_cut_short_is_not_what_was_built(tmp_path: Path) -> None:
    for damage in (Path.unlink, lambda path: path.write_bytes(b"ba")):
        layout = two_platforms(tmp_path / damage.__name__)
        layout.check()
        damage(layout.blob(f"sha256:{hashlib.sha256(b'base').hexdigest()}"))
        with pytest.raises(ConflictError, match="not what was built"):
            layout.check()


def test_an_archive_for_an_engine_holds_one_platform_in_both_forms_that_engines_know(tmp_path: Path) -> None:
    layout = two_platforms(tmp_path / "layout")
    image = oci.images(layout, only(layout))[1]
    layout.archive(image, "localhost/trial:board", tmp_path / "image.tar")

    with tarfile.open(tmp_path / "image.tar") as archive:
        members = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    (entry,) = json.loads(members["index.json"])["manifests"]
    (legacy,) = json.loads(members["manifest.json"])
    assert entry["digest"] == image.manifest.digest
    assert entry["annotations"]["io.containerd.image.name"] == "localhost/trial:board"
    assert legacy["RepoTags"] == ["localhost/trial:board"]
    assert [members[name] for name in legacy["Layers"]] == [b"base", b"for boards"]
    assert hashlib.sha256(b"seed").hexdigest() not in " ".join(members)


def labelled(**labels: str) -> oci.Image:
    values = {f"org.opencontainers.image.{name}": value for name, value in labels.items()}
    nothing = oci.Descriptor("", "", 0)
    return oci.Image("linux/amd64", nothing, nothing, (), {"Labels": values})


ALL = dict.fromkeys(oci.LABELS, "something") | {"version": "1.0.0", "revision": "abc"}


def test_labels_are_right_when_all_are_there_and_two_say_what_they_should() -> None:
    assert oci.wrong_labels(labelled(**ALL), "1.0.0", "abc") == []


@pytest.mark.parametrize("name", oci.LABELS)
def test_a_missing_label_is_named(name: str) -> None:
    labels = {key: value for key, value in ALL.items() if key != name}

    assert oci.wrong_labels(labelled(**labels), "1.0.0", "abc") == [f"label org.opencontainers.image.{name} is missing"]


def test_a_label_of_another_version_or_commit_is_named() -> None:
    assert oci.wrong_labels(labelled(**ALL), "1.0.1", "abd") == [
        "label org.opencontainers.image.version is 1.0.0, not 1.0.1",
        "label org.opencontainers.image.revision is abc, not abd",
    ]


@pytest.mark.parametrize("content", [b"", b'{"manif', b"[]", b"{}", b"\xff", b'{"manifests": [1]}'])
def test_a_list_of_images_that_was_cut_or_changed_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index.json").write_bytes(content)

    with pytest.raises(ConflictError, match="is not what was built"):
        OciLayout(tmp_path).roots()
