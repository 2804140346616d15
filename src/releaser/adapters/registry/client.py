"""An image registry: what its tags point at, and pushing to it by digest (OCI distribution spec).

Pushing needs no container engine: content goes up as it lies in the layout, so that what is published is what was
qualified. What is there already is not sent again, which is also how an interrupted push goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

from releaser.adapters.registry.http import RegistryHttp
from releaser.adapters.registry.layout import OciLayout
from releaser.adapters.registry.oci import INDEXES, MANIFESTS, Descriptor, blobs, digest_of, manifests
from releaser.core.activity import Activity, current
from releaser.errors import InterruptedRunError, ServiceError
from releaser.secret import Secret

if TYPE_CHECKING:
    import requests

_KINDS = ", ".join((*INDEXES, *MANIFESTS))
_PAGE = 1000


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
        """Every tag; empty if the registry does not know the repository yet.

        Raises:
            ServiceError: The registry refused, failed or did not answer.
        """
        found: list[str] = []
        path: str | None = f"tags/list?n={_PAGE}"
        while path:
            answer = self.http.ask("GET", path, "listing tags", expect=(200, 404))
            if answer.status_code == 404:
                break
            found += [str(tag) for tag in self.http.document(answer, "listing tags").get("tags") or []]
            following = answer.links.get("next", {}).get("url")
            path = urljoin(answer.url, following) if following else None
        return found

    def find(self, reference: str) -> Descriptor | None:
        """What a tag or a digest leads to; None if it is not there.

        Raises:
            ServiceError: The registry refused, failed, did not answer, or it is no registry that answered.
        """
        answer = self.http.ask(
            "HEAD", f"manifests/{reference}", f"looking at {reference}", expect=(200, 404), headers={"Accept": _KINDS}
        )
        if answer.status_code == 404:
            return None
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        digest = answer.headers.get("Docker-Content-Digest")
        if digest:
            return Descriptor(kind, digest, int(answer.headers.get("Content-Length", 0)))
        if kind not in (*INDEXES, *MANIFESTS):
            raise self.http.foreign(f"{kind or 'something'} instead of an image", f"looking at {reference}")
        content = self.http.ask(
            "GET", f"manifests/{reference}", f"looking at {reference}", headers={"Accept": _KINDS}
        ).content
        return Descriptor(kind, digest_of(content), len(content))

    def digest(self, reference: str) -> str | None:
        """The digest that a tag points at; None if it is not there."""
        found = self.find(reference)
        return found.digest if found else None

    def read(self, descriptor: Descriptor) -> bytes:
        """Content by digest, compared with it.

        Raises:
            ServiceError: It is not there, or is something else.
        """
        is_manifest = descriptor.media_type in (*INDEXES, *MANIFESTS)
        path = f"{'manifests' if is_manifest else 'blobs'}/{descriptor.digest}"
        content = self.http.ask(
            "GET", path, f"reading {descriptor.digest[:19]}", headers={"Accept": _KINDS} if is_manifest else None
        ).content
        if digest_of(content) != descriptor.digest:
            raise ServiceError(
                f"The registry {self.http.host} serves other content as {descriptor.digest}.",
                "Do not use it; ask whoever runs the registry.",
            )
        return content

    # --- pushing --------------------------------------------------------------------------------------------------

    def push(self, layout: OciLayout, root: Descriptor) -> int:
        """Sends an image with everything in it, addressed by digest alone; returns how many bytes went up.

        Raises:
            ServiceError: The registry refused, failed or did not answer; what had arrived stays.
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
        """Stores a manifest under its digest, or points a tag at it; everything in it must be there."""
        self.http.ask(
            "PUT",
            f"manifests/{reference}",
            f"pushing {reference[:40]}",
            expect=(200, 201, 202),
            headers={"Content-Type": descriptor.media_type},
            body=lambda: content,
        )

    def _push_blob(self, path: Path, blob: Descriptor) -> int:
        doing = f"pushing {blob.digest[:19]}"
        if self.http.ask("HEAD", f"blobs/{blob.digest}", doing, expect=(200, 404)).status_code == 200:
            return 0
        begun = self.http.ask("POST", "blobs/uploads/", doing, expect=(202,))
        activity = current()
        with path.open("rb") as file:

            def body() -> _Upload:
                file.seek(0)
                return _Upload(file, blob.size, activity)

            headers = {"Content-Type": "application/octet-stream"}
            where = self._next(begun, doing)
            kept = self.http.ask("PATCH", where, doing, expect=(202, 204), headers=headers, body=body)
        where = self._next(kept, doing)
        joint = "&" if urlsplit(where).query else "?"
        self.http.ask("PUT", f"{where}{joint}{urlencode({'digest': blob.digest})}", doing, expect=(201, 204))
        return blob.size

    def _next(self, answer: requests.Response, doing: str) -> str:
        """Where an upload goes on."""
        location = answer.headers.get("Location")
        if not location:
            raise self.http.foreign(f"{answer.status_code} and no Location", doing)
        return urljoin(answer.url, location)


class _Upload:
    """A file as a request's body, which tells how far it is and stops when the run is stopped."""

    def __init__(self, file: Any, size: int, activity: Activity) -> None:
        self._file = file
        self._size = size
        self._activity = activity
        self._sent = 0

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        if self._activity.cancelled.is_set():
            raise InterruptedRunError("stopped while pushing")
        piece: bytes = self._file.read(size)
        self._sent += len(piece)
        self._activity.tell(f"{self._sent / 1e6:.1f} of {self._size / 1e6:.1f} MB", self._sent, self._size)
        return piece
