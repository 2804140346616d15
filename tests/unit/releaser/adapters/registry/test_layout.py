from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from releaser.adapters.registry import oci
from releaser.adapters.registry.layout import OciLayout, joined
from releaser.adapters.registry.oci import INDEXES, MANIFESTS
from releaser.errors import ConflictError, StepError

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class Maker:
    """Writes a layout as buildx does: one image, its name of buildx's choice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = path / "blobs" / "sha256"
        self.store.mkdir(parents=True)

    def put(self, content: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        (self.store / digest).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    def put_json(self, document: dict[str, Any], kind: str) -> dict[str, Any]:
        return self.put(json.dumps(document).encode(), kind)

    def manifest(self, config: dict[str, Any], *layers: bytes) -> dict[str, Any]:
        parts = {
            "config": self.put_json(config, CONFIG),
            "layers": [self.put(layer, LAYER) for layer in layers],
        }
        return self.put_json({"schemaVersion": 2, "mediaType": MANIFESTS[0], **parts}, MANIFESTS[0])

    def finished(self, root: dict[str, Any]) -> OciLayout:
        entry = {**root, "annotations": {"org.opencontainers.image.ref.name": "latest"}}
        (self.path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
        return OciLayout(self.path)


def config(architecture: str, **settings: Any) -> dict[str, Any]:
    return {"os": "linux", "architecture": architecture, "config": settings}


def two_platforms(path: Path, seed: str = "seed") -> OciLayout:
    """An index with two platforms, the second as some tools write it, and buildx's attestations."""
    maker = Maker(path)
    pc = maker.manifest(config("amd64", Labels={"seed": seed}), b"base", seed.encode())
    board = maker.manifest(config("arm64"), b"base", b"for boards")
    attestation = maker.manifest({"os": "unknown", "architecture": "unknown"}, b"{}")
    entries = [
        {**pc, "platform": {"os": "linux", "architecture": "amd64"}},
        {**board, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {**attestation, "platform": {"os": "unknown", "architecture": "unknown"}},
    ]
    return maker.finished(maker.put_json({"schemaVersion": 2, "manifests": entries}, INDEXES[0]))


def only(layout: OciLayout) -> oci.Descriptor:
    (root,) = layout.roots().values()
    return root


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
