"""The rehearsal's package index: PyPI's upload API and rules on loopback, for real twine, pip, uv and pypi-simple.

``python -m releaser.rehearsal.index --world DIR`` serves what is in DIR; the same directory gives the same state.
PyPI has no API to yank or delete, only forms on a release's manage page: here the form is the same, minimal, and takes
the upload token. Without ``--token-file`` no upload is accepted but a trusted publisher's.
"""

from __future__ import annotations

import base64
import hmac
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from filelock import FileLock, Timeout
from packaging.utils import canonicalize_name

from releaser.errors import ReleaserError, UsageError
from releaser.rehearsal.index.distribution import RefusedError, read_distribution
from releaser.rehearsal.index.faults import FAULTS, IndexFaults, cut, parse_fault
from releaser.rehearsal.index.oidc import TrustedPublishing
from releaser.rehearsal.index.pages import Pages
from releaser.rehearsal.index.store import IndexStore
from releaser.rehearsal.injection import FORM, Injection, RequestFault
from releaser.rehearsal.serving import serve

if TYPE_CHECKING:
    from releaser.rehearsal.index.attestations import Attestations

# PyPI's default limit for one file, and room for the form around it.
UPLOAD_LIMIT = 101 * 1024 * 1024

# How long to wait for the directory's previous server to finish stopping.
LOCK_SECONDS = 2

_WRONG_TOKEN = "Invalid or non-existent authentication information."  # noqa: S105 - PyPI's words, not a password


@dataclass(frozen=True)
class Settings:
    """How an index behaves.

    Attributes:
        name: Its name, also trusted publishing's audience.
        token: The token that may upload anything and manage; None: there is none.
        oidc_secret: The key of the CI service's stand-in; None: no trusted publishing.
        upstream: The simple API to which projects not held here are redirected; "pypi" is PyPI's, "" is none.
        own: Normalized names of projects that are never redirected, whether or not they are held yet.
        lag: How late an upload shows in the simple API.
        faults: Numbers by fault name.
    """

    name: str = "pypi"
    token: str | None = field(default=None, repr=False)
    oidc_secret: str | None = field(default=None, repr=False)
    upstream: str = ""
    own: frozenset[str] = frozenset()
    lag: timedelta = timedelta(0)
    faults: Mapping[str, float] = field(default_factory=dict)


STORE = web.AppKey("store", IndexStore)
SETTINGS = web.AppKey("settings", Settings)
FAULTS_NOW = web.AppKey("faults", IndexFaults)
TRUSTED = web.AppKey("trusted", TrustedPublishing)


def create_app(store: IndexStore, settings: Settings) -> web.Application:
    """Return the index as an application; all its state is the store's."""
    app = web.Application(middlewares=[answer], client_max_size=UPLOAD_LIMIT)
    app[STORE] = store
    app[SETTINGS] = settings
    app[FAULTS_NOW] = IndexFaults(settings.faults, store.root)
    app[TRUSTED] = TrustedPublishing(store, settings.name, settings.oidc_secret)
    app[TRUSTED].add_routes(app)
    Pages(store, settings.lag, settings.upstream, settings.own).add_routes(app)
    app.router.add_post("/legacy/", upload)
    app.router.add_post("/_/sigstore/attest", attest)
    app.router.add_get("/manage/project/{name}/release/{version}/", show_release_form)
    app.router.add_post("/manage/project/{name}/release/{version}/", manage_release)
    return app


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Around every request: faults that concern any, and refusals with the reason in status line and body."""
    faults = request.app[FAULTS_NOW]
    await faults.delay()
    try:
        if request.path.startswith("/simple"):
            faults.fail("simple-status-once")
        return await handler(request)
    except RefusedError as refused:
        response = web.Response(
            status=refused.status, reason=refused.reason, text=f"{refused.status} {refused.reason}\n"
        )
        if refused.status == web.HTTPUnauthorized.status_code:
            response.headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="index"'
        return response


async def upload(request: web.Request) -> web.Response:
    """``POST /legacy/``: what twine sends."""
    faults = request.app[FAULTS_NOW]
    if faults.strikes("upload-drop-once"):
        await request.content.readany()
        return cut(request)
    form = await request.post()
    faults.fail("upload-status", "upload-status-once")
    token = _token(request)
    minted = request.app[TRUSTED].identify(token)
    if not minted and not _is_master(request, token):
        raise RefusedError(_WRONG_TOKEN, 403)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    content = form.get("content")
    if fields.get(":action") != "file_upload":
        raise RefusedError("Unknown or missing :action, only file_upload is supported.")
    if not isinstance(content, web.FileField):
        raise RefusedError("Upload payload does not have a file.")
    with content.file as file:
        distribution = read_distribution(content.filename, file.read(), fields)
    store = request.app[STORE]
    if minted and distribution.project not in minted.projects:
        raise RefusedError(
            f"Invalid API Token: OIDC scoped token is not valid for project {distribution.project!r}", 403
        )
    if minted and not store.project(distribution.project):
        raise RefusedError("Non-user identities cannot create new projects.")
    attestations = fields.get("attestations")
    provenance = _attestations(store).provenance_of(attestations, minted, distribution) if attestations else None
    await faults.hold("upload-hold")
    store.add(distribution, provenance)
    if faults.strikes("upload-drop-answer-once"):
        return cut(request)
    await faults.hold("upload-hold-stored")
    return web.Response()


async def attest(request: web.Request) -> web.Response:
    """``POST /_/sigstore/attest``: what sigstore's servers do in reality; see `authority.py`."""
    return _attestations(request.app[STORE]).sign(await request.read(), request.app[TRUSTED])


def _attestations(store: IndexStore) -> Attestations:
    from releaser.rehearsal.index.attestations import Attestations

    return Attestations(store.root, store.clock)


async def show_release_form(request: web.Request) -> web.Response:
    """GET of the manage page: the forms that PyPI has there."""
    _demand_master(request)
    name, version = request.match_info["name"], request.match_info["version"]
    release = request.app[STORE].release(name, version)
    button = '<form method="post"><input type="hidden" name="action" value="{}">{}<button>{}</button></form>\n'
    forms = [
        button.format("unyank", "", "Un-yank")
        if release.yanked
        else button.format("yank", '<input name="reason" placeholder="Reason">', "Yank"),
        *(
            button.format(
                "delete", f'<input type="hidden" name="file" value="{escape(each)}">', f"Delete {escape(each)}"
            )
            for each in release.files
        ),
        button.format("delete", "", "Delete the release"),
    ]
    title = f"Manage {escape(name)} {escape(version)}"
    page = f'<!DOCTYPE html>\n<html lang="en"><head><title>{title}</title></head><body><h1>{title}</h1>\n'
    return web.Response(text=f"{page}{''.join(forms)}</body></html>\n", content_type="text/html")


async def manage_release(request: web.Request) -> web.Response:
    """POST of the manage page: ``action`` yank (``reason``), unyank or delete (``file``, or the whole release)."""
    _demand_master(request)
    name, version = request.match_info["name"], request.match_info["version"]
    fields = {key: str(value) for key, value in (await request.post()).items()}
    store = request.app[STORE]
    match fields.get("action"):
        case "yank":
            store.yank(name, version, fields.get("reason") or True)
        case "unyank":
            store.yank(name, version, False)
        case "delete":
            store.delete(name, version, fields.get("file", ""))
        case action:
            raise RefusedError(f"Unknown action {action!r}: there are yank, unyank and delete.")
    raise web.HTTPSeeOther(f"/simple/{canonicalize_name(name)}/")


def _token(request: web.Request) -> str:
    """Return the password of ``__token__``, or "" where there is none."""
    scheme, _, encoded = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return ""
    return password if (scheme.lower(), user) == ("basic", "__token__") else ""


def _is_master(request: web.Request, token: str) -> bool:
    expected = request.app[SETTINGS].token
    return expected is not None and hmac.compare_digest(token.encode(), expected.encode())


def _demand_master(request: web.Request) -> None:
    # Unlike the upload API's 403: a browser asks for the token only on 401.
    if not _is_master(request, _token(request)):
        raise RefusedError(_WRONG_TOKEN, 401)


def open_world(given: Namespace) -> web.Application:
    """Return the stand-in that a parsed command line describes.

    Raises:
        UsageError: A file that holds a secret cannot be read, or is empty.
    """
    settings = Settings(
        name=given.name,
        token=_secret(given.token_file),
        oidc_secret=_secret(given.oidc_secret_file),
        upstream=given.upstream,
        own=frozenset(canonicalize_name(name) for name in given.own),
        lag=timedelta(seconds=given.lag),
        faults=dict(given.fault),
    )
    app = create_app(IndexStore(given.world), settings)
    app.middlewares[:0] = [Injection(one, given.world).middleware for one in given.at]
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m releaser.rehearsal.index``; returns the exit status."""
    given = create_parser().parse_args(arguments)
    try:
        given.world.mkdir(parents=True, exist_ok=True)
        with FileLock(given.world / ".lock", timeout=LOCK_SECONDS):
            serve(open_world(given), given.name, given.port, given.stop_with_stdin)
    except Timeout:
        error = UsageError(f"another index serves {given.world}", "Stop it, or give another --world.")
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except ReleaserError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _secret(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        secret = path.read_text().strip()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "Give a file that holds the secret.") from error
    if not secret:
        raise UsageError(f"{path} is empty", "Give a file that holds the secret.")
    return secret


def create_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(prog="python -m releaser.rehearsal.index", description="Serve a package index on loopback.")
    parser.add_argument("--world", type=Path, required=True, metavar="DIR", help="what it holds; made if missing")
    parser.add_argument("--name", default="pypi", help="its name, also trusted publishing's audience")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="holds the token that may upload and manage")
    parser.add_argument("--oidc-secret-file", type=Path, metavar="FILE", help="holds the key that signs CI identities")
    parser.add_argument("--upstream", default="", metavar="URL", help="simple API of all others; pypi is PyPI's")
    parser.add_argument("--own", action="append", default=[], metavar="PROJECT", help="never look for it upstream")
    parser.add_argument("--lag", type=float, default=0.0, metavar="SECONDS", help="how late an upload shows")
    parser.add_argument(
        "--fault", type=parse_fault, action="append", default=[], metavar="NAME[=NUMBER]", help=", ".join(FAULTS)
    )
    parser.add_argument("--at", type=RequestFault.parse, action="append", default=[], metavar=FORM, help="one request")
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    return parser
