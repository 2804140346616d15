"""The smallest image that a registry takes: a configuration with a version's label, and no layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import LABEL, MANIFESTS, digest_of

_CONFIG = "application/vnd.oci.image.config.v1+json"


def empty_image(path: Path, version: str) -> OciLayout:
    """Write it into a layout at a path."""
    layout = OciLayout(path)
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Labels": {f"{LABEL}version": version}},
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    manifest = {"schemaVersion": 2, "mediaType": MANIFESTS[0], "config": _put(layout, config, _CONFIG), "layers": []}
    index = {"schemaVersion": 2, "manifests": [_put(layout, manifest, MANIFESTS[0])]}
    (path / "index.json").write_text(json.dumps(index), "utf-8")
    return layout


def _put(layout: OciLayout, document: dict[str, Any], kind: str) -> dict[str, Any]:
    content = json.dumps(document).encode()
    digest = digest_of(content)
    layout.blob(digest).parent.mkdir(parents=True, exist_ok=True)
    layout.blob(digest).write_bytes(content)
    return {"mediaType": kind, "digest": digest, "size": len(content)}
