"""What the rehearsal's index shows: the simple API, the JSON API, the files and a page for people.

The simple API in HTML (PEP 503) and JSON (PEP 691, 700), with yanks (592), core metadata (658, 714) and provenance
(740); PyPI's own ``/pypi/<project>/json``. An upload shows in the simple API ``lag`` after it was accepted, in the JSON
API after half as long again. No answer is cached here: ``max-age`` only repeats what PyPI tells caches.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from html import escape

from aiohttp import web
from packaging.utils import canonicalize_name
from packaging.version import Version
from pydantic import JsonValue

from releaser.rehearsal.index.distribution import RefusedError
from releaser.rehearsal.index.store import IndexStore, Project, StoredFile

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
# What may stand in Accept, and what is sent for it.
_OFFERS = {
    JSON: JSON,
    "application/vnd.pypi.simple.latest+json": JSON,
    HTML: HTML,
    "application/vnd.pypi.simple.latest+html": HTML,
    "text/html": "text/html",
}
_JSON_API_LAGS = 1.5


class Pages:
    """The index's read side.

    Args:
        store: What there is to show.
        lag: How late an upload shows in the simple API.
        upstream: The simple API to which unknown projects are redirected; "pypi" is PyPI's, "" is none.
        own: Normalized names of projects that are never redirected, whether or not they are held yet.
    """

    def __init__(
        self, store: IndexStore, lag: timedelta, upstream: str = "", own: frozenset[str] = frozenset()
    ) -> None:
        self._store = store
        self._lag = lag
        self._upstream = upstream.rstrip("/")
        self._own = own

    def add_routes(self, app: web.Application) -> None:
        """Serve all of it on ``app``."""
        app.router.add_get("/simple{slash:/?}", self.list_projects)
        app.router.add_get("/simple/{name:[^/]+}{slash:/?}", self.show_project)
        app.router.add_get("/packages/{one}/{two}/{rest}/{filename}", self.send_file)
        app.router.add_get("/pypi/{name}/json", self.describe_release)
        app.router.add_get("/pypi/{name}/{version}/json", self.describe_release)
        app.router.add_get("/project/{name}/{version}/", self.show_release)
        app.router.add_get("/integrity/{name}/{version}/{filename}/provenance", self.send_provenance)

    async def list_projects(self, request: web.Request) -> web.Response:
        """Return ``/simple/``: every project that is visible."""
        if not request.match_info["slash"]:
            raise web.HTTPMovedPermanently("/simple/")
        names = sorted(name for name, project in self._store.world.projects.items() if self._shows(project))
        if (content_type := negotiate(request)) == JSON:
            return cacheable(request, _json({"meta": _META, "projects": [{"name": name} for name in names]}), JSON)
        links = "".join(f'<a href="/simple/{name}/">{name}</a><br>\n' for name in names)
        return cacheable(request, _html("Simple index", links), content_type)

    async def show_project(self, request: web.Request) -> web.Response:
        """``/simple/<name>/``: the project's files."""
        given = request.match_info["name"]
        name = canonicalize_name(given)
        if given != name or not request.match_info["slash"]:
            raise web.HTTPMovedPermanently(f"/simple/{name}/")
        project = self._store.project(name)
        if not project and self._upstream and name not in self._own:
            raise web.HTTPFound(f"{_simple_api(self._upstream)}/{name}/")
        if not project or not self._shows(project):
            raise RefusedError("Not Found", 404)
        releases = self._visible(project, self._lag)
        base = request.url.origin()
        files = [
            _simple_file(f"{base}/packages/{file.address}", f"{base}/integrity/{name}/{version}", file, yanked)
            for version in releases
            for yanked in [project.releases[version].yanked]
            for file in releases[version]
        ]
        if (content_type := negotiate(request)) == JSON:
            page: dict[str, JsonValue] = {"meta": _META, "name": name, "versions": [*releases], "files": [*files]}
            return cacheable(request, _json(page), JSON)
        return cacheable(request, _html(f"Links for {name}", "".join(map(_link, files))), content_type)

    async def send_file(self, request: web.Request) -> web.StreamResponse:
        """Send a file that the store records, or its core metadata; as at PyPI's file host, there is no lag."""
        for file in self._store.files():
            address, ending = f"/packages/{file.address}", ""
            if file.metadata_sha256 and request.path.endswith(".metadata"):
                ending = ".metadata"
            if request.path == address + ending:
                headers = {"Cache-Control": "max-age=365000000, immutable, public"}
                return web.FileResponse(self._store.root / "files" / f"{file.path}{ending}", headers=headers)
        raise RefusedError("Not Found", 404)

    async def describe_release(self, request: web.Request) -> web.Response:
        """``/pypi/<name>[/<version>]/json``."""
        project = self._store.project(request.match_info["name"])
        releases = self._visible(project, self._lag * _JSON_API_LAGS) if project else {}
        asked = request.match_info.get("version")
        version = project and (project.spelling(asked) if asked else _latest(project, releases))
        if not project or version not in releases:
            return web.json_response({"message": "Not Found"}, status=404)
        base = request.url.origin()
        yanked = project.releases[version].yanked
        about = f"{base}/project/{canonicalize_name(project.name)}/"
        page: dict[str, JsonValue] = {
            "info": {
                **project.releases[version].info,
                **_yank(yanked),
                "package_url": about,
                "project_url": about,
                "release_url": f"{about}{version}/",
            },
            "urls": [_json_file(f"{base}/packages/{file.address}", file, yanked) for file in releases[version]],
            "vulnerabilities": [],
        }
        if not asked:
            page["releases"] = {
                each: [_json_file(f"{base}/packages/{f.address}", f, project.releases[each].yanked) for f in files]
                for each, files in releases.items()
            }
        return cacheable(request, _json(page), "application/json")

    async def show_release(self, request: web.Request) -> web.Response:
        """``/project/<name>/<version>/``, for people."""
        project = self._store.project(request.match_info["name"])
        releases = self._visible(project, self._lag) if project else {}
        version = project and project.spelling(request.match_info["version"])
        if not project or version not in releases:
            raise RefusedError("Not Found", 404)
        info, yanked = project.releases[version].info, project.releases[version].yanked
        name = canonicalize_name(project.name)
        rows = "".join(
            f'<li><a href="/packages/{file.address}">{file.filename}</a> {file.size} bytes, '
            f"sha256 <code>{file.digests['sha256']}</code></li>\n"
            for file in releases[version]
        )
        body = (
            f"<p>{escape(str(info['summary']))}</p>\n"
            + (
                f"<p><strong>Yanked</strong>: {escape(str(_yank(yanked)['yanked_reason'] or ''))}</p>\n"
                if yanked
                else ""
            )
            + f"<ul>\n{rows}</ul>\n<pre>{escape(str(info['description']))}</pre>\n"
            + f'<p><a href="/manage/project/{name}/release/{version}/">Manage this release</a></p>\n'
        )
        return cacheable(request, _html(f"{project.name} {version}", body), "text/html")

    async def send_provenance(self, request: web.Request) -> web.Response:
        """``/integrity/...``: the attestations that came with a file (PEP 740)."""
        release = self._store.release(request.match_info["name"], request.match_info["version"])
        file = release.files.get(request.match_info["filename"])
        if not file or file.provenance is None:
            name = request.match_info["filename"]
            return web.json_response({"message": f"No provenance available for {name}"}, status=404)
        return cacheable(request, _json(file.provenance), "application/vnd.pypi.integrity.v1+json")

    def _shows(self, project: Project) -> bool:
        return self._store.clock() >= project.created + self._lag

    def _visible(self, project: Project, lag: timedelta) -> dict[str, list[StoredFile]]:
        """Return the files that show, by version, in order; a release of which none shows yet is left out."""
        now = self._store.clock()
        releases = {
            version: sorted((f for f in release.files.values() if now >= f.uploaded + lag), key=lambda f: f.filename)
            for version, release in project.releases.items()
        }
        return {version: releases[version] for version in sorted(releases, key=Version) if releases[version]}


def negotiate(request: web.Request) -> str:
    """Return the content type of PEP 691 that the client likes best; plain HTML if it names none of them."""
    weights: dict[str, float] = {}
    for part in request.headers.get("Accept", "").split(","):
        media, *parameters = (each.strip() for each in part.lower().split(";"))
        quality = next((p.removeprefix("q=") for p in parameters if p.startswith("q=")), "1")
        if media in _OFFERS and quality.replace(".", "", 1).isdigit():
            weights[_OFFERS[media]] = float(quality)
    best = max(weights, key=lambda each: weights[each], default="text/html")
    return best if weights.get(best) else "text/html"


def cacheable(request: web.Request, body: bytes, content_type: str) -> web.Response:
    """Return an answer with an ETag and PyPI's ten minutes, or 304 if the client has this very one."""
    etag = hashlib.sha256(body).hexdigest()
    known = any(each.value in (etag, "*") for each in request.if_none_match or ())
    response = web.Response(status=304) if known else web.Response(body=body, content_type=content_type)
    if "html" in content_type and not known:
        response.charset = "utf-8"
    response.etag = etag
    response.headers["Cache-Control"] = "max-age=600, public"
    response.headers["Vary"] = "Accept"
    return response


_META: JsonValue = {"api-version": "1.3"}


def _json(value: JsonValue) -> bytes:
    return json.dumps(value, indent=1).encode()


def _html(title: str, body: str) -> bytes:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        '<meta name="pypi:repository-version" content="1.3">'
        f"<title>{escape(title)}</title></head>\n<body>\n<h1>{escape(title)}</h1>\n{body}</body>\n</html>\n"
    ).encode()


def _simple_api(upstream: str) -> str:
    if upstream != "pypi":
        return upstream
    from pypi_simple import PYPI_SIMPLE_ENDPOINT  # not before a project is sought there: its import takes a while

    return PYPI_SIMPLE_ENDPOINT.rstrip("/")


def _simple_file(url: str, integrity: str, file: StoredFile, yanked: bool | str) -> dict[str, JsonValue]:
    core_metadata: JsonValue = {"sha256": file.metadata_sha256} if file.metadata_sha256 else False
    return {
        "filename": file.filename,
        "url": url,
        "hashes": {"sha256": file.digests["sha256"]},
        "requires-python": file.requires_python or None,
        "yanked": yanked,
        "core-metadata": core_metadata,
        "data-dist-info-metadata": core_metadata,
        "size": file.size,
        "upload-time": _time(file),
        "provenance": f"{integrity}/{file.filename}/provenance" if file.provenance else None,
    }


def _link(file: dict[str, JsonValue]) -> str:
    """One file's anchor, from its JSON."""
    hashes, metadata, yanked = file["hashes"], file["core-metadata"], file["yanked"]
    assert isinstance(hashes, dict)
    attributes = {"href": f"{file['url']}#sha256={hashes['sha256']}"}
    if file["requires-python"]:
        attributes["data-requires-python"] = str(file["requires-python"])
    if isinstance(metadata, dict):
        attributes["data-core-metadata"] = attributes["data-dist-info-metadata"] = f"sha256={metadata['sha256']}"
    if yanked:
        attributes["data-yanked"] = "" if yanked is True else str(yanked)
    if file["provenance"]:
        attributes["data-provenance"] = str(file["provenance"])
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<a {written}>{escape(str(file['filename']))}</a><br>\n"


def _json_file(url: str, file: StoredFile, yanked: bool | str) -> dict[str, JsonValue]:
    return {
        "filename": file.filename,
        "url": url,
        "packagetype": file.packagetype,
        "python_version": "source" if file.packagetype == "sdist" else file.filename.split("-")[-3],
        "requires_python": file.requires_python or None,
        "size": file.size,
        "digests": {**file.digests},
        "md5_digest": file.digests["md5"],
        "upload_time_iso_8601": _time(file),
        **_yank(yanked),
    }


def _yank(yanked: bool | str) -> dict[str, JsonValue]:
    return {"yanked": yanked is not False, "yanked_reason": yanked if isinstance(yanked, str) else None}


def _time(file: StoredFile) -> str:
    return file.uploaded.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _latest(project: Project, versions: dict[str, list[StoredFile]]) -> str | None:
    """Return the highest version that is final and not yanked, else what is nearest to that."""
    return max(
        versions,
        key=lambda each: (not project.releases[each].yanked, not Version(each).is_prerelease, Version(each)),
        default=None,
    )
