"""The routes of releases and their assets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from aiohttp import web

from releaser.rehearsal.forge.answers import Handlers, caller_of, page_of, problem
from releaser.rehearsal.forge.faults import ForgeFaults, cut
from releaser.rehearsal.forge.pages import release_page
from releaser.rehearsal.forge.shapes import Record
from releaser.rehearsal.forge.store import ForgeStore, RefusedError, asset_name
from releaser.rehearsal.forge.tokens import Caller


class Releases(Handlers):
    """Handlers around a store.

    Args:
        repository: ``OWNER/NAME``.
        store: What there is.
        faults: What is to go wrong.
        published: Told of each release that is published, and of who did it.
    """

    def __init__(
        self,
        repository: str,
        store: ForgeStore,
        faults: ForgeFaults,
        published: Callable[[Record, Caller], None] | None = None,
    ) -> None:
        super().__init__(repository, store)
        self._faults = faults
        self._published_by = published

    def routes(self) -> list[web.RouteDef]:
        """Everything under ``/releases``, of the API, of uploads and of the pages for people; and their setting."""
        api = f"/repos/{self._repository}/releases"
        pages = f"/{self._repository}/releases"
        return [
            web.get(f"/repos/{self._repository}/immutable-releases", self.immutable),
            web.get(api, self.list),
            web.post(api, self.create),
            web.get(f"{api}/latest", self.latest),
            web.get(f"{api}/tags/{{tag:.+}}", self.by_tag),
            web.get(f"{api}/{{release:\\d+}}", self.show),
            web.patch(f"{api}/{{release:\\d+}}", self.change),
            web.delete(f"{api}/{{release:\\d+}}", self.delete),
            web.get(f"{api}/{{release:\\d+}}/assets", self.list_assets),
            web.post(f"/uploads{api}/{{release:\\d+}}/assets", self.upload),
            web.get(f"{api}/assets/{{asset:\\d+}}", self.show_asset),
            web.delete(f"{api}/assets/{{asset:\\d+}}", self.delete_asset),
            web.get("/storage/{asset:\\d+}/{name}", self.send_asset),
            web.get(f"{pages}/download/{{tag:.+}}/{{name}}", self.download),
            web.get(f"{pages}/tag/{{tag:.+}}", self.page),
        ]

    async def immutable(self, _request: web.Request) -> web.Response:
        """GET: that releases are immutable; 404 where they are not."""
        if not self._store.makes_immutable():
            raise web.HTTPNotFound
        return web.json_response({"enabled": True, "enforced_by_owner": False})

    async def list(self, request: web.Request) -> web.Response:
        """GET: every release that the caller may see, newest first."""
        seen = [release for release in self._store.releases() if self._sees(request, release)]
        part, headers = page_of(request, seen)
        return web.json_response([self._shapes(request).release(release) for release in part], headers=headers)

    async def create(self, request: web.Request) -> web.Response:
        """POST: a new release."""
        wanted = await _body(request)
        if not wanted.get("draft", False):
            await self._faults.hold_publishing()
        release = self._store.create_release(wanted, caller_of(request).login or "")
        self._tell(request, release, was_draft=True)
        shape = self._shapes(request).release(release)
        return web.json_response(shape, status=201, headers={"Location": shape["url"]})

    async def latest(self, request: web.Request) -> web.Response:
        """GET: the latest release."""
        release = self._store.latest()
        if release is None:
            raise web.HTTPNotFound
        return web.json_response(self._shapes(request).release(release))

    async def by_tag(self, request: web.Request) -> web.Response:
        """GET: the published release of a tag."""
        return web.json_response(self._shapes(request).release(self._published(request)))

    async def show(self, request: web.Request) -> web.Response:
        """GET: one release."""
        return web.json_response(self._shapes(request).release(self._release(request)))

    async def change(self, request: web.Request) -> web.Response:
        """PATCH: change or publish a release."""
        wanted = await _body(request)
        if self._release(request)["draft"] and wanted.get("draft") is False:
            await self._faults.hold_publishing()
        release = self._release(request)
        was_draft = release["draft"]
        self._store.change_release(release, wanted)
        self._tell(request, release, was_draft=was_draft)
        return web.json_response(self._shapes(request).release(release))

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE: a release, not its tag."""
        self._store.delete_release(self._release(request))
        return web.Response(status=204)

    async def list_assets(self, request: web.Request) -> web.Response:
        """GET: the assets of a release, broken uploads as well."""
        release = self._release(request)
        part, headers = page_of(request, release["assets"])
        return web.json_response([self._shapes(request).asset(release, asset) for asset in part], headers=headers)

    async def upload(self, request: web.Request) -> web.Response:
        """POST: the bytes of a new asset."""
        name = asset_name(request.query.get("name", ""))
        if not name:
            raise RefusedError.invalid("name", "", code="missing_field", resource="ReleaseAsset")
        release = self._release(request)
        if self._faults.strikes("asset-drop-once"):
            await request.content.readany()
            self._store.add_asset(release, name, request.content_type, None)
            return cut(request, 502)
        content = await request.read()
        release = self._release(request)
        self._store.refuse_asset(release, name)
        asset = self._store.add_asset(release, name, request.content_type, content)
        asset["uploader"] = caller_of(request).login or ""
        self._store.commit()
        if self._faults.strikes("asset-drop-answer-once"):
            return cut(request, 201)
        return web.json_response(self._shapes(request).asset(release, asset), status=201)

    async def show_asset(self, request: web.Request) -> web.Response:
        """GET: what is known of an asset or, to who accepts only bytes, where its bytes are."""
        release, asset = self._asset(request)
        if "application/octet-stream" not in request.headers.get("Accept", ""):
            return web.json_response(self._shapes(request).asset(release, asset))
        return self._at_storage(request, asset)

    async def delete_asset(self, request: web.Request) -> web.Response:
        """DELETE: an asset."""
        release, asset = self._asset(request)
        self._store.delete_asset(release, asset)
        return web.Response(status=204)

    async def send_asset(self, request: web.Request) -> web.StreamResponse:
        """GET from the storage behind GitHub: signed addresses, and no second way to authenticate."""
        _, asset = self._asset_by_id(request)
        if "Authorization" in request.headers:
            return problem(400, "Only one auth mechanism is allowed: the signature in the address.")
        if request.query.get("signature") != _signature(asset):
            return problem(403, "The signature does not match.")
        return web.FileResponse(self._store.asset_path(asset["id"]), headers={"Content-Type": asset["content_type"]})

    async def download(self, request: web.Request) -> web.Response:
        """GET: the bytes of a published asset, as a browser asks for them."""
        name = request.match_info["name"]
        asset = next((asset for asset in self._published(request)["assets"] if asset["name"] == name), None)
        return self._at_storage(request, asset)

    async def page(self, request: web.Request) -> web.Response:
        """GET: the page of a published release."""
        release = self._published(request)
        marks = {
            "Latest": release is self._store.latest(),
            "Pre-release": release["prerelease"],
            "Immutable": release["immutable"],
        }
        shape = self._shapes(request).release(release)
        text = release_page(self._repository, shape, [mark for mark, holds in marks.items() if holds])
        return web.Response(text=text, content_type="text/html")

    def _tell(self, request: web.Request, release: Record, *, was_draft: bool) -> None:
        if self._published_by and was_draft and not release["draft"]:
            self._published_by(release, caller_of(request))

    def _sees(self, request: web.Request, release: Record) -> bool:
        return caller_of(request).may_write or not release["draft"]

    def _release(self, request: web.Request) -> Record:
        release = self._store.release(lambda release: release["id"] == int(request.match_info["release"]))
        if release is None or not self._sees(request, release):
            raise web.HTTPNotFound
        return release

    def _published(self, request: web.Request) -> Record:
        tag = request.match_info["tag"]
        release = self._store.release(lambda release: release["tag_name"] == tag and not release["draft"])
        if release is None:
            raise web.HTTPNotFound
        return release

    def _asset(self, request: web.Request) -> tuple[Record, Record]:
        release, asset = self._asset_by_id(request)
        if not self._sees(request, release):
            raise web.HTTPNotFound
        return release, asset

    def _asset_by_id(self, request: web.Request) -> tuple[Record, Record]:
        found = self._store.asset(int(request.match_info["asset"]))
        if found is None:
            raise web.HTTPNotFound
        return found

    def _at_storage(self, request: web.Request, asset: Record | None) -> web.Response:
        if asset is None or asset["state"] != "uploaded":
            raise web.HTTPNotFound
        path = request.url.origin() / "storage" / str(asset["id"]) / asset["name"]
        return web.Response(status=302, headers={"Location": str(path.with_query(signature=_signature(asset)))})


def _signature(asset: Record) -> str:
    return hashlib.sha256(f"{asset['id']} {asset['digest']} {asset['created_at']}".encode()).hexdigest()


async def _body(request: web.Request) -> Record:
    try:
        body = json.loads(await request.text())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(reason="Problems parsing JSON")
    return body
