"""What an image is made of: an index of manifests, each of a configuration and layers (OCI image spec).

A layout on disk and a registry are read the same way, so that what is published can be compared with what was built.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from releaser.errors import StepError

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
DIGEST = r"^[a-z0-9]+([+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$"
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
    def of(cls, found: object) -> Descriptor:
        """Read a descriptor from JSON.

        Raises:
            StepError: It is none.
        """
        try:
            read = _DESCRIPTOR.validate_python(found)
        except ValidationError as error:
            raise StepError(
                f"No image: a descriptor is of an unexpected form ({error.errors()[0]['msg']})", _LOOK
            ) from None
        return cls(read.mediaType, read.digest, read.size, _platform(read.platform) if read.platform else None)


class _DescriptorForm(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    mediaType: str  # noqa: N815  the specification's name
    digest: str = Field(pattern=DIGEST)  # it becomes a path
    size: int
    platform: dict[str, Any] | None = None


_DESCRIPTOR = TypeAdapter(_DescriptorForm)
_DEEPEST = 8
_LOOK = "Check what was built (the bake file's output), and what the registry serves."


class Source(Protocol):
    """Where content is read from by digest."""

    def read(self, descriptor: Descriptor) -> bytes:
        """Return the content, which has this digest."""


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
        labels = self.settings.get("Labels")
        return dict(labels) if isinstance(labels, dict) else {}


def images(source: Source, root: Descriptor) -> list[Image]:
    """Return the images of an index, one a platform; attestations (`unknown/unknown`) are none.

    Raises:
        StepError: It is no index and no image.
    """
    found = []
    for descriptor in manifests(source, root):
        document = _json(source.read(descriptor), descriptor)
        if descriptor.platform == "unknown/unknown" or "config" not in document:
            continue
        config, *layers = _parts(document, descriptor)
        configuration = _json(source.read(config), config)
        settings = configuration.get("config") or {}
        if not isinstance(settings, dict):
            raise _no_image(config, "its config is no object")
        found.append(
            Image(descriptor.platform or _platform(configuration), descriptor, config, tuple(layers), settings)
        )
    return found


def manifests(source: Source, root: Descriptor, depth: int = 0) -> Iterator[Descriptor]:
    """Yield every manifest under `root`, attestations included; `root` itself if it is one.

    Raises:
        StepError: It is no index and no image.
    """
    if root.media_type in MANIFESTS:
        yield root
        return
    if root.media_type not in INDEXES or depth > _DEEPEST:
        raise _no_image(root, root.media_type or "of no known type")
    for entry in _list(_json(source.read(root), root), "manifests", root):
        yield from manifests(source, Descriptor.of(entry), depth + 1)


def blobs(source: Source, manifest: Descriptor) -> list[Descriptor]:
    """Return what a manifest is made of: its configuration and its layers.

    Raises:
        StepError: It is no manifest.
    """
    return _parts(_json(source.read(manifest), manifest), manifest)


def attested(source: Source, root: Descriptor) -> dict[str, set[str]]:
    """Return the kinds of attestations (predicate types) by the digest of the manifest that each is about.

    BuildKit keeps them as manifests for `unknown/unknown`:
    https://docs.docker.com/build/metadata/attestations/attestation-storage/

    Raises:
        StepError: It is no index and no image.
    """
    found: dict[str, set[str]] = {}
    if root.media_type not in INDEXES:
        return found
    for entry in _list(_json(source.read(root), root), "manifests", root):
        notes = entry.get("annotations") if isinstance(entry, dict) else None
        if not isinstance(notes, dict) or notes.get("vnd.docker.reference.type") != "attestation-manifest":
            continue
        descriptor = Descriptor.of(entry)
        kinds = found.setdefault(str(notes.get("vnd.docker.reference.digest")), set())
        for layer in _list(_json(source.read(descriptor), descriptor), "layers", descriptor):
            said = layer.get("annotations") if isinstance(layer, dict) else None
            kinds.add(str(said.get("in-toto.io/predicate-type", "")) if isinstance(said, dict) else "")
    return found


def wrong_labels(image: Image, version: str, revision: str) -> list[str]:
    """Return what is wrong with an image's labels, in words; empty if nothing is."""
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
    """Return the digest that content is known by."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _parts(document: dict[str, Any], manifest: Descriptor) -> list[Descriptor]:
    return [Descriptor.of(one) for one in (document.get("config"), *_list(document, "layers", manifest))]


def _list(document: dict[str, Any], name: str, descriptor: Descriptor) -> list[Any]:
    found = document.get(name, [])
    if not isinstance(found, list):
        raise _no_image(descriptor, f"its {name} is no list")
    return found


def _no_image(descriptor: Descriptor, why: str) -> StepError:
    return StepError(f"{descriptor.digest} is no image: {why}", _LOOK)


def _platform(found: dict[str, Any]) -> str:
    parts = [str(found.get("os", "")), str(found.get("architecture", "")), str(found.get("variant", ""))]
    # arm64 has one variant, which some tools write and others do not
    return "/".join(part for part in parts if part and part != "v8")


def _json(content: bytes, descriptor: Descriptor) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _no_image(descriptor, "it is not JSON")
    return document
