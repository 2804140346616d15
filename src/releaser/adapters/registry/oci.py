"""What an image is made of: an index of manifests, each of a configuration and layers (OCI image spec).

A layout on disk and a registry are read the same way, so that what is published can be compared with what was built.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from releaser.errors import StepError

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
LABEL = "org.opencontainers.image."
# https://github.com/opencontainers/image-spec/blob/main/annotations.md; what an image says of itself
LABELS = ("title", "description", "url", "source", "version", "created", "revision", "licenses")


@dataclass(frozen=True)
class Descriptor:
    """A pointer to content by its digest (`sha256:...`); `platform` is OS/ARCHITECTURE where an index gives one."""

    media_type: str
    digest: str
    size: int
    platform: str | None = None

    @classmethod
    def of(cls, found: dict[str, Any]) -> Descriptor:
        """Reads a descriptor from JSON."""
        platform = found.get("platform")
        return cls(
            str(found["mediaType"]), str(found["digest"]), int(found["size"]), _platform(platform) if platform else None
        )


class Source(Protocol):
    """Where content is read from by digest."""

    def read(self, descriptor: Descriptor) -> bytes:
        """The content, which has this digest."""


@dataclass(frozen=True)
class Image:
    """One platform's image.

    Attributes:
        platform: OS/ARCHITECTURE.
        manifest: Its manifest.
        config: Its configuration.
        layers: Its layers, the lowest first.
        settings: What the configuration says: Labels, Entrypoint, Healthcheck ...
    """

    platform: str
    manifest: Descriptor
    config: Descriptor
    layers: tuple[Descriptor, ...]
    settings: dict[str, Any]

    @property
    def labels(self) -> dict[str, str]:
        """The labels by name."""
        return dict(self.settings.get("Labels") or {})


def images(source: Source, root: Descriptor) -> list[Image]:
    """The images of an index, one a platform; attestations (`unknown/unknown`) are none.

    Raises:
        StepError: It is no index and no image.
    """
    found = []
    for descriptor in manifests(source, root):
        document = _json(source.read(descriptor), descriptor)
        if descriptor.platform == "unknown/unknown" or "config" not in document:
            continue
        config = Descriptor.of(document["config"])
        settings = _json(source.read(config), config)
        found.append(
            Image(
                descriptor.platform or _platform(settings),
                descriptor,
                config,
                tuple(Descriptor.of(one) for one in document["layers"]),
                settings.get("config") or {},
            )
        )
    return found


def manifests(source: Source, root: Descriptor) -> Iterator[Descriptor]:
    """Every manifest under `root`, attestations included; `root` itself if it is one."""
    if root.media_type in MANIFESTS:
        yield root
        return
    if root.media_type not in INDEXES:
        raise StepError(f"{root.digest} is {root.media_type}, which is no image.", "Look at the bake file's output.")
    for entry in _json(source.read(root), root).get("manifests", []):
        yield from manifests(source, Descriptor.of(entry))


def blobs(source: Source, manifest: Descriptor) -> list[Descriptor]:
    """What a manifest is made of: its configuration and its layers."""
    document = _json(source.read(manifest), manifest)
    return [Descriptor.of(one) for one in (document["config"], *document["layers"])]


def wrong_labels(image: Image, version: str, revision: str) -> list[str]:
    """What is wrong with an image's labels, in words; empty if nothing is."""
    expected = {"version": version, "revision": revision}
    wrong = []
    for name in LABELS:
        value = image.labels.get(LABEL + name, "")
        if not value:
            wrong.append(f"label {LABEL}{name} is missing")
        elif expected.get(name, value) != value:
            wrong.append(f"label {LABEL}{name} is {value}, not {expected[name]}")
    return wrong


def digest_of(content: bytes) -> str:
    """The digest that content is known by."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _platform(found: dict[str, Any]) -> str:
    parts = [str(found.get("os", "")), str(found.get("architecture", "")), str(found.get("variant", ""))]
    # arm64 has one variant, which some tools write and others do not
    return "/".join(part for part in parts if part and part != "v8")


def _json(content: bytes, descriptor: Descriptor) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise StepError(f"{descriptor.digest} is not JSON, and should describe an image.", "Build the image anew.")
    return document
