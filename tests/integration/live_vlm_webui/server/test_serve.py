from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import urljoin

import pytest
from aiohttp.test_utils import TestClient, TestServer

import live_vlm_webui
from live_vlm_webui.app import create_app
from live_vlm_webui.config.settings import Settings
from live_vlm_webui.http.assets import make_asset
from live_vlm_webui.http.joined import needed


@pytest.fixture
async def client(tmp_path) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(create_app(Settings(data_dir=tmp_path)))) as client:
        yield client


async def test_the_page_is_html_in_utf_8(client):
    answer = await client.get("/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<title>live-vlm-webui</title>" in await answer.text()


async def test_all_that_the_page_names_is_served_by_this_server(client):
    page = await (await client.get("/")).text()
    named = re.findall(r'(?:src|href)="([^"#][^"]*)"', page)
    assert len(set(named)) >= 3
    for path in named:
        assert path.startswith("static/")  # relative: a proxy may serve the page below a path
        assert (await client.get(f"/{path}")).status == 200


async def test_the_page_has_no_inline_script_or_style_which_its_policy_would_block(client):
    answer = await client.get("/")
    page = await answer.text()
    assert not re.search(r"\sstyle=|\son[a-z]+=|<script(?![^>]*(src=|application/json))", page)
    (styles,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    allowed = f"'sha256-{b64encode(sha256(styles.encode()).digest()).decode()}'"
    assert f"style-src 'self' {allowed};" in answer.headers["Content-Security-Policy"]


async def test_the_page_comes_in_the_theme_that_was_chosen_in_it(client):
    dark = await client.get("/", headers={"Cookie": "theme=dark"})
    assert '<html data-theme="dark"' in await dark.text()
    other = await client.get("/", headers={"Cookie": "theme=nonsense", "If-None-Match": dark.headers["ETag"]})
    assert other.status == 200
    assert "data-theme=" not in (await other.text()).partition(">")[0]


STATIC = Path(live_vlm_webui.__file__).parent / "static"
TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}
NAMES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.*") if path.name != "index.html")
SCRIPTS = {name: (STATIC / name).read_text("utf-8") for name in NAMES if name.endswith(".js")}
LATER = SCRIPTS.keys() - set(needed(SCRIPTS))
"""Modules that are loaded when needed; they take what they import from the page's one script (http/joined)."""


@pytest.mark.parametrize("name", NAMES)
async def test_a_static_file_is_the_one_in_the_installed_package(client, name):
    answer = await client.get(f"/static/{name}")
    charset = "" if name.endswith(".png") else "; charset=utf-8"
    assert answer.headers["Content-Type"] == TYPES[name.rpartition(".")[2]] + charset
    if name not in LATER:
        assert await answer.read() == make_asset(name, (STATIC / name).read_bytes()).body


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".js")])
async def test_all_that_a_script_imports_is_served(client, name):
    for imported in re.findall(r'from "([^"]+)"', (STATIC / name).read_text("utf-8")):
        assert (await client.get(urljoin(f"/static/{name}", imported))).status == 200, imported


async def test_a_file_that_the_browser_holds_is_not_sent_again(client):
    first = await client.get("/static/app.js")
    again = await client.get("/static/app.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status, first.headers["Cache-Control"]) == (200, "no-cache")
    assert (again.status, await again.read()) == (304, b"")
    assert (await client.get("/static/app.js", headers={"If-None-Match": '"old"'})).status == 200


async def test_healthz_tells_the_version(client):
    answer = await client.get("/healthz")
    assert await answer.json() == {"status": "ok", "version": live_vlm_webui.__version__}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/healthz", "/nowhere"])
async def test_every_answer_carries_the_security_headers(client, path):
    headers = (await client.get(path)).headers
    policy = dict(directive.split(" ", 1) for directive in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": policy["style-src"] if path == "/" else "'self'",  # the page's has the hash of its own sheet
        "img-src": "'self' data: blob:",
        "manifest-src": "'self'",
        "connect-src": "'self'",
        "media-src": "'self' blob:",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'none'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Permissions-Policy"] == "camera=(self), microphone=(), geolocation=()"


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/healthz", "/nowhere"])
async def test_a_foreign_host_name_is_turned_away_wherever_it_points(client, path):
    answer = await client.get(path, headers={"Host": "evil.example:8090"})
    assert answer.status == 403
    assert "does not answer to the name 'evil.example:8090'" in await answer.text()
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8090"])
async def test_every_name_of_loopback_is_answered_at_any_port(client, host):
    assert (await client.get("/", headers={"Host": host})).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/static",
        "/static/",
        "/static/nothing.js",
        "/static/%2e%2e%2fserver.py",
        "/static/..%2F..%2F..%2Fetc%2Fpasswd",
        "/server.py",
    ],
)
async def test_anything_else_is_a_404_that_says_what_there_is(client, path):
    answer = await client.get(path)
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Open the page at /; /healthz reports" in await answer.text()


async def test_a_404_is_json_to_who_accepts_json(client):
    answer = await client.get("/nowhere", headers={"Accept": "application/json"})
    assert answer.status == 404
    assert await answer.json() == {
        "status": 404,
        "error": {
            "message": "There is nothing at /nowhere",
            "remedy": "Open the page at /; /healthz reports the server's health, /api/openapi.json describes the API.",
        },
    }


async def test_a_wrong_method_is_told_the_right_ones(client):
    answer = await client.post("/healthz", data=b"x")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET,HEAD"
    assert await answer.text() == "/healthz does not accept POST\n-> Use GET, HEAD.\n"


async def test_files_are_compressed_for_browsers_that_take_that(client):
    whole = await client.get("/static/app.js", headers={"Accept-Encoding": "identity"})
    small = await client.get("/static/app.js", headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert (await small.read()) == (await whole.read())  # the client decompresses
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in whole.headers
    assert int(small.headers["Content-Length"]) < len(await whole.read()) / 2
    assert small.headers["ETag"] != whole.headers["ETag"]
    refused = await client.get("/static/app.js", headers={"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers
    page = await client.get("/", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Vary"].startswith("Accept-Encoding")
    assert page.headers["Content-Encoding"] == "gzip"


async def test_comments_of_scripts_are_not_sent_and_their_lines_keep_their_numbers(client):
    sent = (await (await client.get("/static/app.js")).text()).splitlines()
    written = (Path(live_vlm_webui.__file__).parent / "static/app.js").read_text("utf-8").splitlines()
    assert len(sent) == len(written)
    assert not [line for line in sent if line.lstrip().startswith("//")]
    assert all(whole.startswith(line) for line, whole in zip(sent, written, strict=True))
    left_out = [whole[len(line) :].strip() for line, whole in zip(sent, written, strict=True)]
    assert all(not one or one.startswith(("//", "/*", "*")) for one in left_out)
