"""What can happen to images while they are pushed, and while their tags are led back, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .images import BUILT
from .requested import Request, killed, row_of, written
from .row import ANY, ANY_BACK, REFUSED, Row

_PUSHING = Row("", "", "images built", "", codes=ANY, words=BUILT)
_BACK = Row("", "", "images pushed", "", codes=ANY_BACK, command="rollback")

# Each request that changes something in the registry, in the order in which they are sent.
WRITES = (
    Request("image's first upload begun", "registry", "POST", "/blobs/uploads/", 1, "images built"),
    Request("image's first layer", "registry", "PATCH", "/blobs/uploads/", 1, "images built"),
    Request("image's first upload ended", "registry", "PUT", "/blobs/uploads/", 1, "images built"),
    Request("image's last upload ended", "registry", "PUT", "/blobs/uploads/", 4, "images built"),
    Request("image's first manifest", "registry", "PUT", "/manifests/sha256", 1, "images built"),
    Request("image's index", "registry", "PUT", "/manifests/sha256", 4, "images built"),
    Request("tag 0.2.0", "registry", "PUT", "/manifests/0.2.0$", 1, "images built"),
    Request("tag 0.2", "registry", "PUT", "/manifests/0.2$", 1, "images built"),
    Request("tag latest", "registry", "PUT", "/manifests/latest$", 1, "images built"),
)
WRITES_BACK = (Request("latest led back", "registry", "PUT", "/manifests/latest$", 1, "images pushed"),)
READS = (
    Request("registry's tags", "registry", "GET", "/tags/list", 1, "images built"),
    Request("registry's look for a tag", "registry", "HEAD", "/manifests/0.2.0$", 1, "images built"),
    Request("registry's look for a layer", "registry", "HEAD", "/blobs/", 1, "images built"),
    Request("registry's look for a manifest", "registry", "GET", "/manifests/", 1, "images built"),
)
_READ = ("drop", "garbage", "status=403", "status=503", "limit=429", "slow=0.5")

_PART_IN_CI = {
    ("image's first layer acted on", "drop"),
    ("tag 0.2.0 acted on", "kill -9 meanwhile"),
    ("tag latest not acted on", "limit=429"),
    ("registry (images built)", "another image under the tag 0.2.0"),
}


def image_rows() -> Iterator[Row]:
    """Yield these rows."""
    for row in _all():
        yield replace(row, quick=(row.where, row.what) in _PART_IN_CI)


def _all() -> Iterator[Row]:
    for request in WRITES:
        yield from written(request, _PUSHING)
    for request in WRITES_BACK:
        yield from written(request, _BACK)
    for request in READS:
        yield from (row_of(request, "before", what, _PUSHING) for what in _READ)
    for when in ("before", "after"):
        for step in ("push_images", "verify_images"):
            yield killed("images built", step, when, _PUSHING)
        yield killed("images pushed", "restore_image_tags", when, _BACK)
    yield from _others()


def _others() -> Iterator[Row]:
    taken = "another image under the tag 0.2.0"
    where = "registry (images built)"
    refused = replace(_PUSHING, where=where, codes=REFUSED, refused=True, again="refused")
    yield replace(refused, what=taken, fault="world:another-image")
    yield replace(refused, what="a higher version is the latest", fault="world:higher-image")
    # Too late for a check: the layers have gone up.
    where = "registry before push_images"
    fault = "world:another-image=before:push_images"
    yield replace(refused, where=where, what=taken, fault=fault, refused=False, codes=(1, 3, 6))
    # What somebody else's tag leads to is left to them.
    where, left = "registry (images pushed)", ("images",)
    for fault, what in (("higher-image", "a higher version is the latest"),):
        yield replace(_BACK, where=where, what=what, fault=f"world:{fault}", codes=(3, 7), leaves=left)
