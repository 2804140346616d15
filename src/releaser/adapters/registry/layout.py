"""Images on disk in an OCI image layout: what buildx writes, and what is loaded and pushed byte for byte.

::

    LAYOUT/
        oci-layout            says what this is
        index.json            one entry an image, named by its annotation org.opencontainers.image.ref.name
        blobs/sha256/...      everything else, by digest; what images share is here once
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from releaser.adapters.registry.oci import INDEXES, Descriptor, Image, Source, blobs, manifests
from releaser.core.files import write_atomically
from releaser.errors import ConflictError

_NAME = "org.opencontainers.image.ref.name"
_MARKER = '{"imageLayoutVersion":"1.0.0"}'


@dataclass(frozen=True)
class OciLayout:
    """A layout at a path."""

    path: Path

    def exists(self) -> bool:
        """Return whether there is one."""
        return (self.path / "index.json").exists()

    def roots(self) -> dict[str, Descriptor]:
        """Return each image's index (or only manifest) by the image's name, in the order of addition.

        Raises:
            ConflictError: The layout's list of images was cut or changed.
        """
        path = self.path / "index.json"
        try:
            listed = json.loads(path.read_text("utf-8"))["manifests"]
            return {str(one.get("annotations", {}).get(_NAME, "")): Descriptor.of(one) for one in listed}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _broken(path) from None

    def blob(self, digest: str) -> Path:
        """Return the path of content."""
        return self.path / "blobs" / digest.replace(":", "/")

    def read(self, descriptor: Descriptor) -> bytes:
        """Return the content.

        Raises:
            ConflictError: It is gone, or has another length.
        """
        path = self.blob(descriptor.digest)
        content = path.read_bytes() if path.exists() else b""
        if len(content) != descriptor.size:
            raise _broken(path)
        return content

    def check(self) -> None:
        """Look whether everything is there, by length; a registry compares digests when it is pushed.

        Raises:
            ConflictError: Something is gone or was changed.
        """
        for root in self.roots().values():
            for manifest in manifests(self, root):
                for blob in blobs(self, manifest):
                    path = self.blob(blob.digest)
                    if not path.exists() or path.stat().st_size != blob.size:
                        raise _broken(path)

    def take(self, name: str, source: Source, root: Descriptor) -> None:
        """Put an image from elsewhere in the place of the one of that name; what both have is not fetched.

        Raises:
            ServiceError: It could not be read there.
        """
        for manifest in manifests(source, root):
            for one in (*blobs(source, manifest), manifest):
                path = self.blob(one.digest)
                if not path.exists():
                    write_atomically(path, source.read(one))
        write_atomically(self.blob(root.digest), source.read(root))
        index = json.loads((self.path / "index.json").read_text("utf-8"))
        for entry in index["manifests"]:
            if entry.get("annotations", {}).get(_NAME) == name:
                entry.update(mediaType=root.media_type, digest=root.digest, size=root.size)
        write_atomically(self.path / "index.json", json.dumps(index, indent=1) + "\n")

    def archive(self, image: Image, reference: str, target: Path) -> None:
        """Write one platform's image as an archive that every `docker load` takes, old image stores included."""
        index = {
            "schemaVersion": 2,
            "mediaType": INDEXES[0],
            "manifests": [
                {
                    "mediaType": image.manifest.media_type,
                    "digest": image.manifest.digest,
                    "size": image.manifest.size,
                    "annotations": {"io.containerd.image.name": reference, _NAME: reference.rpartition(":")[2]},
                }
            ],
        }
        inside = [f"blobs/{one.digest.replace(':', '/')}" for one in (image.config, *image.layers)]
        legacy = [{"Config": inside[0], "RepoTags": [reference], "Layers": inside[1:]}]
        texts = {"oci-layout": _MARKER, "index.json": json.dumps(index), "manifest.json": json.dumps(legacy)}
        with tarfile.open(target, "w") as archive:
            for name, text in texts.items():
                member = tarfile.TarInfo(name)
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
            for digest in dict.fromkeys(one.digest for one in (image.manifest, image.config, *image.layers)):
                archive.add(self.blob(digest), f"blobs/{digest.replace(':', '/')}")


def joined(parts: Mapping[str, Path], target: Path) -> OciLayout:
    """Move several layouts of one image each into one, in which each image has its name.

    Args:
        parts: The layouts by the images' names; they are empty shells afterwards.
        target: A directory, which must not be there yet.
    """
    store = target / "blobs" / "sha256"
    store.mkdir(parents=True)
    entries: list[dict[str, Any]] = []
    for name, path in parts.items():
        (entry,) = json.loads((path / "index.json").read_text("utf-8"))["manifests"]
        entries.append({**entry, "annotations": {**entry.get("annotations", {}), _NAME: name}})
        for blob in (path / "blobs" / "sha256").iterdir():
            blob.replace(store / blob.name)
    write_atomically(target / "oci-layout", _MARKER)
    index = {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries}
    write_atomically(target / "index.json", json.dumps(index, indent=1) + "\n")
    return OciLayout(target)


def _broken(path: Path) -> ConflictError:
    return ConflictError(
        f"{path} is not what was built: it is missing or was changed",
        "Run `invoke rollback` if nothing is published yet; otherwise restore the file.",
    )
