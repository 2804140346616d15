"""Images that come from elsewhere, as a layout that something else may have written to since they were built."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import Descriptor, blobs, manifests
from releaser.core.files import write_atomically
from releaser.errors import ConflictError

_LISTS = ("index.json", "oci-layout")
_SHOWN = 5
_AT_ONCE = 1 << 20
_BUILD_AGAIN = "Build the images again, find out what changed them, and push nothing of this."


def copy_checked(directory: Path, digests: Mapping[str, str], target: Path) -> OciLayout:
    """Copy the images of a layout, and compare all that is copied with the images' digests.

    Args:
        directory: The layout. It may hold these images and nothing else.
        digests: The digest of each image's index, by name.
        target: Where to, a directory that is not there yet. It is left unfinished after an error.

    Raises:
        ConflictError: The layout holds something else, lacks something, or something in it has other bytes.
        StepError: A digest is not that of an image.
    """
    source, copy = OciLayout(directory), OciLayout(target)
    if directory.is_symlink() or not source.exists():
        raise ConflictError(f"{directory} holds no images", "Give the directory that `invoke docker.build` wrote.")
    roots = source.roots()
    if wrong := _unlike(roots, digests):
        raise ConflictError(f"{directory} does not hold the images that were built: {wrong}", _BUILD_AGAIN)
    (target / "blobs" / "sha256").mkdir(parents=True)
    checked = _Checked(source, copy)
    for root in roots.values():
        for manifest in manifests(checked, root):
            for blob in blobs(checked, manifest):
                checked.fetch(blob)
    known = {path.relative_to(target) for path in target.rglob("*")} | set(map(Path, _LISTS))
    odd = [
        str(path) for path in sorted(one.relative_to(directory) for one in directory.rglob("*")) if path not in known
    ]
    odd += [name for name in _LISTS if (directory / name).is_symlink()]
    if odd:
        more = f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
        raise ConflictError(
            f"{directory} holds what belongs to no image: {', '.join(odd[:_SHOWN])}{more}", _BUILD_AGAIN
        )
    for name in _LISTS:
        write_atomically(target / name, (directory / name).read_bytes())
    return copy


@dataclass(frozen=True)
class _Checked:
    """Reads content of one layout by copying it to another first, so that only bytes that were compared are read."""

    source: OciLayout
    copy: OciLayout

    def read(self, descriptor: Descriptor) -> bytes:
        self.fetch(descriptor)
        return self.copy.read(descriptor)

    def fetch(self, descriptor: Descriptor) -> None:
        path, target = self.source.blob(descriptor.digest), self.copy.blob(descriptor.digest)
        if target.exists():
            return
        if not descriptor.digest.startswith("sha256:") or path.is_symlink() or not path.is_file():
            raise ConflictError(f"{path} is missing", _BUILD_AGAIN)
        digest = hashlib.sha256()
        with path.open("rb") as reader, target.open("wb") as writer:
            while block := reader.read(_AT_ONCE):
                digest.update(block)
                writer.write(block)
        if f"sha256:{digest.hexdigest()}" != descriptor.digest:
            target.unlink()
            raise ConflictError(f"{path} does not have the content that its name says", _BUILD_AGAIN)


def _unlike(roots: Mapping[str, Descriptor], digests: Mapping[str, str]) -> str:
    """Return in words how a layout's images differ from those that were built; empty if they do not."""
    wrong = []
    for name, digest in digests.items():
        found = roots[name].digest if name in roots else "missing"
        if found != digest:
            wrong.append(f"{name} is {found[:19]}, and {digest[:19]} was built")
    return "; ".join(wrong + [f"{name} was not built" for name in roots if name not in digests])
