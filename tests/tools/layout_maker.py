"""Images as buildx writes them, made by hand: layouts on disk without an engine."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from releaser.adapters.registry import oci
from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import INDEXES, MANIFESTS

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
