"""What the rehearsal's index shows, to plain HTTP, pypi-simple, uv and people."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pypi_simple
import pytest
import requests

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
SIMPLE_HTML = "application/vnd.pypi.simple.v1+html"


@pytest.fixture
def index(shared_index, files):
    shared_index.post(files.wheel("my-demo", "1.0"))
    shared_index.post(files.sdist("my-demo", "1.0"))
    return shared_index


def test_json_holds_what_installers_ask_for(index, files):
    wheel = files.wheel("my-demo", "1.0")
    page = index.simple("my-demo")
    assert (page["name"], page["versions"], page["meta"]) == ("my-demo", ["1.0"], {"api-version": "1.3"})
    file = next(file for file in page["files"] if file["filename"] == wheel.name)
    assert file["size"] == wheel.stat().st_size
    assert (file["requires-python"], file["yanked"]) == (">=3.8", False)
    content = requests.get(file["url"], timeout=60).content
    assert content == wheel.read_bytes()
    assert file["hashes"]["sha256"] == hashlib.sha256(content).hexdigest()
    metadata = requests.get(f"{file['url']}.metadata", timeout=60).content
    assert metadata.startswith(b"Metadata-Version: 2.4\nName: my-demo\n")
    assert file["core-metadata"] == {"sha256": hashlib.sha256(metadata).hexdigest()}


def test_an_sdist_arrives_as_it_left(index, files):
    sdist = files.sdist("my-demo", "1.0")
    file = next(file for file in index.simple("my-demo")["files"] if file["filename"] == sdist.name)
    answer = requests.get(file["url"], timeout=60)
    assert answer.content == sdist.read_bytes()
    assert "Content-Encoding" not in answer.headers
    assert requests.get(f"{file['url']}.metadata", timeout=60).status_code == 404


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("application/pdf", "text/html; charset=utf-8"),
        (SIMPLE_JSON, SIMPLE_JSON),
        ("application/vnd.pypi.simple.latest+json", SIMPLE_JSON),
        (f"{SIMPLE_JSON}, {SIMPLE_HTML}; q=0.1, text/html; q=0.01", SIMPLE_JSON),
        (f"{SIMPLE_JSON};q=0.1, {SIMPLE_HTML};q=0.2", f"{SIMPLE_HTML}; charset=utf-8"),
        (f"{SIMPLE_JSON};q=0, text/html;q=0.5", "text/html; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("path", ["/simple/", "/simple/my-demo/"])
def test_the_client_chooses_the_format(index, path, accept, content_type):
    answer = index.get(path, headers={"Accept": accept})
    assert answer.headers["Content-Type"] == content_type
    assert "my-demo" in answer.text


def test_html_carries_hash_python_and_metadata(index, files):
    wheel = files.wheel("my-demo", "1.0")
    page = index.get("/simple/my-demo/").text
    anchor = next(line for line in page.splitlines() if f">{wheel.name}</a>" in line)
    assert f"#sha256={hashlib.sha256(wheel.read_bytes()).hexdigest()}" in anchor
    assert 'data-requires-python="&gt;=3.8"' in anchor
    assert 'data-core-metadata="sha256=' in anchor


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/simple", "/simple/"),
        ("/simple/my-demo", "/simple/my-demo/"),
        ("/simple/My._Demo/", "/simple/my-demo/"),
        ("/simple/MY-DEMO/", "/simple/my-demo/"),
    ],
)
def test_there_is_one_address_for_each_page(index, asked, location):
    answer = index.get(asked, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (301, location)


def test_a_client_that_has_the_page_is_told_so_until_it_changes(index, files):
    index.post(files.wheel("cached", "1.0"))
    url = f"{index.url}/simple/cached/"
    first = requests.get(url, timeout=60)
    assert "max-age=600" in first.headers["Cache-Control"]
    known = {"If-None-Match": first.headers["ETag"]}
    assert requests.get(url, headers=known, timeout=60).status_code == 304
    index.manage("cached", "1.0", action="yank")
    assert requests.get(url, headers=known, timeout=60).status_code == 200


def test_unknown_projects_are_not_found(index):
    for path in (
        "/simple/other/",
        "/pypi/other/json",
        "/pypi/my-demo/2.0/json",
        "/project/my-demo/2.0/",
        "/files/a/b",
    ):
        assert index.get(path).status_code == 404, path


def test_the_json_api_describes_release_and_project(index):
    page = index.get("/pypi/My_Demo/1.0/json").json()
    info = page["info"]
    assert (info["name"], info["version"], info["summary"]) == ("my-demo", "1.0", "A <demo>")
    assert info["description"].strip() == "What it *is*."
    assert info["description_content_type"] == "text/markdown"
    assert info["project_urls"] == {"Home": "https://example.invalid"}
    assert info["classifiers"] == ["Typing :: Typed"]
    assert {url["packagetype"] for url in page["urls"]} == {"bdist_wheel", "sdist"}
    assert all(set(url["digests"]) == {"md5", "sha256", "blake2b_256"} for url in page["urls"])
    assert index.get("/pypi/my-demo/json").json()["releases"] == {"1.0": page["urls"]}


def test_people_get_a_page_that_escapes_what_it_shows(index):
    page = index.get("/project/my-demo/1.0/").text
    assert "A &lt;demo&gt;" in page


def test_pypi_simple_reads_it(index):
    with pypi_simple.PyPISimple(f"{index.url}/simple/") as client:
        assert "my-demo" in client.get_index_page().projects
        packages = {package.package_type: package for package in client.get_project_page("my-demo").packages}
        wheel = packages["wheel"]
        assert (wheel.version, wheel.is_yanked, wheel.has_metadata) == ("1.0", False, True)
        assert "Name: my-demo" in client.get_package_metadata(wheel)
        with pytest.raises(pypi_simple.NoSuchProjectError):
            client.get_project_page("other")


def test_uv_installs_from_it(index, tmp_path):
    command = ["uv", "pip", "install", "--no-cache", "--no-config", "--target", str(tmp_path / "site")]
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            *command,
            "--python",
            sys.executable,
            "--index-url",
            f"{index.url}/simple/",
            "my-demo",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "site" / "my_demo.py").exists()


def test_what_it_does_not_hold_is_at_the_upstream(start_index, files):
    index = start_index("--upstream", "http://127.0.0.1:9/up/")
    index.post(files.wheel("my-demo", "1.0"))
    other = index.get("/simple/other/", allow_redirects=False)
    assert (other.status_code, other.headers["Location"]) == (302, "http://127.0.0.1:9/up/other/")
    assert index.simple("my-demo")["versions"] == ["1.0"]
