"""Images made by hand, in a layout as buildx writes it."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import INDEXES, MANIFESTS


def made(
    path: Path,
    seed: str,
    platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64"),
    labels: Mapping[str, str] | None = None,
) -> OciLayout:
    """Return a layout with one image named `image`: two layers a platform, one of them shared.

    The first platform has a bill of materials and no provenance, kept as BuildKit keeps it.
    """
    store = path / "blobs" / "sha256"
    store.mkdir(parents=True)

    def put(content: bytes, kind: str) -> dict[str, Any]:
        digest = hashlib.sha256(content).hexdigest()
        (store / digest).write_bytes(content)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(content)}

    def layer(text: str) -> tuple[dict[str, Any], str]:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            member = tarfile.TarInfo("file")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
        kind = "application/vnd.oci.image.layer.v1.tar+gzip"
        return put(gzip.compress(packed.getvalue(), mtime=0), kind), hashlib.sha256(packed.getvalue()).hexdigest()

    entries = []
    for platform in platforms:
        system, architecture = platform.split("/")
        layers = [layer(f"shared by all of {seed}"), layer(f"{seed} for {platform}")]
        config = {
            "os": system,
            "architecture": architecture,
            "config": {"Labels": {"seed": seed, **(labels or {})}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{one}" for _, one in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFESTS[0],
            "config": put(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
            "layers": [descriptor for descriptor, _ in layers],
        }
        entry = put(json.dumps(manifest).encode(), MANIFESTS[0])
        entries.append({**entry, "platform": {"os": system, "architecture": architecture}})
    nobody = {"os": "unknown", "architecture": "unknown"}
    bill = put(b'{"predicate": {}}', "application/vnd.in-toto+json")
    attestation = {
        "schemaVersion": 2,
        "mediaType": MANIFESTS[0],
        "config": put(json.dumps(nobody).encode(), "application/vnd.oci.image.config.v1+json"),
        "layers": [{**bill, "annotations": {"in-toto.io/predicate-type": "https://spdx.dev/Document"}}],
    }
    about = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": entries[0]["digest"],
    }
    entries.append({**put(json.dumps(attestation).encode(), MANIFESTS[0]), "platform": nobody, "annotations": about})
    root = put(json.dumps({"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries}).encode(), INDEXES[0])
    root["annotations"] = {"org.opencontainers.image.ref.name": "image"}
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [root]}))
    (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return OciLayout(path)
