"""An image registry: what its tags point at, and pushing to it by digest (OCI distribution spec).

Pushing needs no container engine: content is uploaded as it is in the layout, so that what is published is what was
qualified. Content that the registry already has is not sent again, so an interrupted push can be continued.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlencode, urljoin, urlsplit

from pydantic import BaseModel, TypeAdapter

from releaser.adapters.http import FILE, RERUN
from releaser.adapters.registry.http import RegistryHttp
from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import DIGEST, INDEXES, MANIFESTS, Descriptor, blobs, digest_of, manifests
from releaser.core.activity import Activity, current
from releaser.errors import InterruptedRunError, ServiceError
from releaser.secret import Secret

if TYPE_CHECKING:
    import requests

_KINDS = ", ".join((*INDEXES, *MANIFESTS))
_PAGE = 1000


class _TagsResponse(BaseModel):
    tags: list[str] | None = None


_TAGS = TypeAdapter(_TagsResponse)


@dataclass(frozen=True)
class Registry:
    """One repository in a registry."""

    http: RegistryHttp

    @classmethod
    def of(cls, repository: str, token: Secret | None = None, token_env: str | None = None) -> Registry:
        """Return the repository of this name.

        Args:
            repository: REGISTRY/NAME.
            token: What to log in with where docker has no login for the registry.
            token_env: The variable that the token comes from, for messages.
        """
        host, _, name = repository.partition("/")
        return cls(RegistryHttp(host, name, token, token_env))

    @property
    def repository(self) -> str:
        """REGISTRY/NAME, as `docker pull` takes it."""
        return f"{self.http.host}/{self.http.name}"

    # --- asking ---------------------------------------------------------------------------------------------------

    def tags(self) -> list[str]:
        """Return every tag; an empty list if the registry does not know the repository yet.

        Raises:
            ServiceError: The registry refused, failed or did not respond.
        """
        doing = f"list the tags of {self.http.name}"
        found: list[str] = []
        asked: set[str] = set()
        path: str | None = f"tags/list?n={_PAGE}"
        while path:
            asked.add(path)
            response = self.http.ask("GET", path, doing, expect=(200, 404))
            if response.status_code == 404:
                break
            found += self.http.client.document(response, _TAGS, doing).tags or []
            following = response.links.get("next", {}).get("url")
            path = urljoin(response.url, following) if following else None
            if path in asked:
                raise self.http.client.foreign("a page of tags that leads to itself", doing)
        return found

    def find(self, reference: str) -> Descriptor | None:
        """Return what a tag or a digest leads to; None if it is not there.

        Raises:
            ServiceError: The registry refused, failed, did not respond, or something else than a registry did.
        """
        doing = f"show {reference}"
        response = self.http.ask("HEAD", f"manifests/{reference}", doing, expect=(200, 404), headers={"Accept": _KINDS})
        if response.status_code == 404:
            return None
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        digest = response.headers.get("Docker-Content-Digest")
        length = response.headers.get("Content-Length", "0")
        if digest and re.match(DIGEST, digest) and length.isascii() and length.isdigit():
            return Descriptor(kind, digest, int(length))
        if kind not in (*INDEXES, *MANIFESTS):
            raise self.http.client.foreign(f"{kind or 'something'} instead of an image", doing)
        content = self.http.ask("GET", f"manifests/{reference}", doing, headers={"Accept": _KINDS}).content
        return Descriptor(kind, digest_of(content), len(content))

    def digest(self, reference: str) -> str | None:
        """Return the digest that a tag points at; None if it is not there."""
        found = self.find(reference)
        return found.digest if found else None

    def read(self, descriptor: Descriptor) -> bytes:
        """Return content by digest, compared with it.

        Raises:
            ServiceError: It is not there, or is something else.
        """
        is_manifest = descriptor.media_type in (*INDEXES, *MANIFESTS)
        path = f"{'manifests' if is_manifest else 'blobs'}/{descriptor.digest}"
        content = self.http.ask(
            "GET",
            path,
            f"send {descriptor.digest[:19]}",
            headers={"Accept": _KINDS} if is_manifest else None,
            limits=FILE,
        ).content
        if digest_of(content) != descriptor.digest:
            if len(content) < descriptor.size:
                raise ServiceError(
                    f"{descriptor.digest} from the registry {self.http.host} arrived as {len(content)} bytes "
                    f"of {descriptor.size}",
                    RERUN,
                )
            raise ServiceError(
                f"The registry {self.http.host} serves other content as {descriptor.digest}",
                "Do not use it. Ask the operators of the registry.",
            )
        return content

    # --- pushing --------------------------------------------------------------------------------------------------

    def push(self, layout: OciLayout, root: Descriptor) -> int:
        """Send an image with everything in it, addressed by digest alone; return how many bytes went up.

        Raises:
            ServiceError: The registry refused, failed or did not respond; what had arrived stays.
        """
        if self.find(root.digest):
            return 0
        sent = 0
        for manifest in manifests(layout, root):
            for blob in blobs(layout, manifest):
                sent += self._push_blob(layout.blob(blob.digest), blob)
            self.put(manifest.digest, manifest, layout.read(manifest))
        if root.media_type in INDEXES:
            self.put(root.digest, root, layout.read(root))
        return sent

    def put(self, reference: str, descriptor: Descriptor, content: bytes) -> None:
        """Store a manifest under its digest, or point a tag at it; everything in it must be there."""
        self.http.ask(
            "PUT",
            f"manifests/{reference}",
            f"take {reference[:40]}",
            expect=(200, 201, 202),
            headers={"Content-Type": descriptor.media_type},
            body=lambda: content,
        )

    def _push_blob(self, path: Path, blob: Descriptor) -> int:
        doing = f"take {blob.digest[:19]}"
        if self._has(blob, doing):
            return 0
        begun = self.http.ask("POST", "blobs/uploads/", doing, expect=(202,))
        activity = current()
        with path.open("rb") as file:

            def body() -> _Upload:
                file.seek(0)
                return _Upload(file, blob.size, activity)

            headers = {"Content-Type": "application/octet-stream"}
            where = self._next(begun, doing)
            kept = self.http.ask("PATCH", where, doing, expect=(202, 204), headers=headers, body=body, limits=FILE)
        where = self._next(kept, doing)
        joint = "&" if urlsplit(where).query else "?"
        last = f"{where}{joint}{urlencode({'digest': blob.digest})}"
        ended = self.http.ask("PUT", last, doing, expect=(201, 204, 404), limits=FILE)
        # An upload that has ended is unknown: so is this one if the response was lost and the request repeated.
        if ended.status_code == 404 and not self._has(blob, doing):
            raise self.http.client.refusal(ended, doing)
        return blob.size

    def _has(self, blob: Descriptor, doing: str) -> bool:
        return self.http.ask("HEAD", f"blobs/{blob.digest}", doing, expect=(200, 404)).status_code == 200

    def _next(self, response: requests.Response, doing: str) -> str:
        """Return where an upload continues."""
        location = response.headers.get("Location")
        if not location:
            raise self.http.client.foreign(f"{response.status_code} and no Location", doing)
        return urljoin(response.url, location)


class _Upload:
    """A file as a request's body, which tells how far it is and stops when the run is stopped."""

    def __init__(self, file: BinaryIO, size: int, activity: Activity) -> None:
        self._file = file
        self._size = size
        self._activity = activity

    def __len__(self) -> int:
        return self._size

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, position: int) -> int:
        """Go back to where urllib3 repeats the request from."""
        return self._file.seek(position)

    def read(self, size: int = -1) -> bytes:
        if self._activity.cancelled.is_set():
            raise InterruptedRunError("stopped while pushing")
        piece = self._file.read(size)
        self._activity.tell(f"{self._file.tell() / 1e6:.1f} of {self._size / 1e6:.1f} MB")
        return piece
