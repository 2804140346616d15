"""The index adapter against the stand-in over HTTP, by real twine; what the stand-in never does, a bare server does."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from harness.served import Served
from unhurried_clock import UnhurriedClock

from releaser.adapters.index.client import Index
from releaser.adapters.index.files import IndexFile, version_of
from releaser.adapters.index.twine_login import IndexAddress
from releaser.adapters.waiting import WaitLimits, wait_for
from releaser.core.activity import Activity, bound
from releaser.errors import CommandError, ServiceError, WaitTimeoutError
from releaser.rehearsal.index import app
from releaser.secret import Secret
from releaser.versions.version import Version

TOKEN = "a-token-for-tests"
ONE = Version(1, 0, 0)
PATIENT = WaitLimits(timeout=30, first_delay=0.01, longest_delay=0.1)


@pytest.fixture(autouse=True)
def nobodys_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the tester's .pypirc nor a CI job's identity nor a proxy has a part in this."""
    for name in ("TWINE_USERNAME", "TWINE_PASSWORD", "TWINE_REPOSITORY", "TWINE_REPOSITORY_URL", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@dataclass(frozen=True)
class Files:
    """Makes a wheel and an sdist of a project."""

    root: Path

    def wheel(self, version: str = "1.0.0", body: str = "") -> Path:
        info = f"demo-{version}.dist-info"
        path = self._path(f"demo-{version}-py3-none-any.whl", body)
        members = {
            "demo.py": body,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: demo\nVersion: {version}\n\nWhat it is.\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in members.items():
                archive.writestr(zipfile.ZipInfo(name), text)
            archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"), "".join(f"{name},,\n" for name in members))
        return path

    def sdist(self, version: str = "1.0.0", body: str = "") -> Path:
        path = self._path(f"demo-{version}.tar.gz", body)
        text = f"Metadata-Version: 2.1\nName: demo\nVersion: {version}\n{body}".encode()
        with gzip.GzipFile(path, "wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
            for name in ("PKG-INFO", "pyproject.toml"):
                info = tarfile.TarInfo(f"demo-{version}/{name}")
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text))
        return path

    def _path(self, name: str, body: str) -> Path:
        folder = self.root / (body or "plain")
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "dist")


@contextmanager
def standing_in(root: Path, *options: str) -> Iterator[str]:
    """The rehearsal's index; yields its address."""
    root.mkdir(exist_ok=True)
    (root / "token").write_text(TOKEN)
    service = Served(app, "--world", root / "world", "--token-file", root / "token", *options)
    try:
        yield service.url
    finally:
        service.stop()


def adapter(url: str, token: str | None = TOKEN) -> Index:
    address = IndexAddress(upload_url=f"{url}/legacy/", simple_url=f"{url}/simple", web_url=url)
    return Index("PyPI", address, Secret(token) if token else None)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with standing_in(tmp_path / "index") as url:
        yield adapter(url)


def manage(index: Index, version: str, **fields: str) -> None:
    """What a person does on the release's page."""
    answer = requests.post(
        f"{index.address.web_url}/manage/project/demo/release/{version}/",
        data=fields,
        auth=("__token__", TOKEN),
        allow_redirects=False,
        timeout=60,
    )
    assert answer.status_code == 303


# --- a bare server ----------------------------------------------------------------------------------------------------


@dataclass
class Page:
    """One answer; `cut` bytes of the promised length are not sent."""

    content: bytes = b""
    status: int = 200
    kind: str = "application/vnd.pypi.simple.v1+json"
    location: str = ""
    cut: int = 0


@dataclass
class Bare:
    """A server that answers each path with a page, and remembers what it was asked."""

    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def lists(self, *files: dict[str, object]) -> None:
        """Serves a project page with these files."""
        self.pages["/simple/demo/"] = Page(json.dumps({"meta": {"api-version": "1.0"}, "files": files}).encode())

    @property
    def index(self) -> Index:
        return adapter(self.url)


@pytest.fixture
def bare() -> Iterator[Bare]:
    served = Bare()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            page = served.pages.get(self.path, Page(b"not here", 404))
            self.send_response(page.status)
            self.send_header("Content-Type", page.kind)
            self.send_header("Content-Length", str(len(page.content)))
            if page.location:
                self.send_header("Location", page.location)
            self.end_headers()
            self.wfile.write(page.content[: len(page.content) - page.cut])

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield served
        server.shutdown()
        thread.join()


# --- uploading and asking ---------------------------------------------------------------------------------------------


def test_what_twine_uploaded_is_listed_downloaded_and_described(index: Index, files: Files, tmp_path: Path) -> None:
    assert (index.all_files("demo"), index.files("demo", ONE), index.versions("demo")) == ([], {}, [])
    assert index.release_page("demo", ONE) is None
    wheel, sdist = files.wheel(), files.sdist()

    index.upload([sdist, wheel])

    found = index.files("Demo", ONE)
    assert {name: file.sha256 for name, file in found.items()} == {wheel.name: sha256(wheel), sdist.name: sha256(sdist)}
    assert index.download(found[wheel.name], tmp_path / "new" / "it.whl") == sha256(wheel)
    assert (tmp_path / "new" / "it.whl").read_bytes() == wheel.read_bytes()
    page = index.release_page("demo", ONE)
    assert page is not None
    assert page.version == "1.0.0"
    assert requests.get(index.manage_page("demo", ONE), auth=("__token__", TOKEN), timeout=60).ok


def test_the_same_bytes_may_come_again_and_other_bytes_may_not(index: Index, files: Files) -> None:
    wheel = files.wheel()
    index.upload([wheel])

    index.upload([wheel])
    with pytest.raises(CommandError, match=r"Uploading to PyPI failed(?s:.*)File already exists"):
        index.upload([files.wheel(body="other")])

    assert {file.sha256 for file in index.all_files("demo")} == {sha256(wheel)}


def test_a_token_that_is_refused_is_not_shown_and_the_remedy_names_its_variable(tmp_path: Path, files: Files) -> None:
    with standing_in(tmp_path / "index") as url, pytest.raises(CommandError) as caught:
        adapter(url, "hunter2hunter2").upload([files.wheel()])

    assert "403" in caught.value.message
    assert "PYPI_TOKEN" in caught.value.remedy
    assert "hunter2" not in str(caught.value)


def test_without_any_login_an_upload_says_which_one_it_lacks(index: Index, files: Files) -> None:
    with pytest.raises(CommandError) as caught:
        adapter(str(index.address.web_url), None).upload([files.wheel()])

    assert "PYPI_TOKEN" in caught.value.remedy


def test_nothing_to_upload_is_no_upload(bare: Bare) -> None:
    bare.index.upload([])

    assert bare.asked == []


def test_an_upload_whose_connection_breaks_is_an_error_and_the_same_again_arrives(tmp_path: Path, files: Files) -> None:
    wheel = files.wheel()
    with standing_in(tmp_path / "index", "--fault", "upload-drop-once") as url:
        with pytest.raises(ServiceError, match="The upload to PyPI broke off"):
            adapter(url).upload([wheel])
        adapter(url).upload([wheel])

        assert [file.sha256 for file in adapter(url).all_files("demo")] == [sha256(wheel)]


@pytest.mark.parametrize("status", [429, 403])
def test_an_upload_that_is_refused_once_arrives_all_the_same(tmp_path: Path, files: Files, status: int) -> None:
    clock, wheel = UnhurriedClock(), files.wheel()
    with standing_in(tmp_path / "index", "--fault", f"upload-status-once={status}") as url:
        with bound(Activity(clock=clock)):
            adapter(url).upload([wheel])

        assert [file.sha256 for file in adapter(url).all_files("demo")] == [sha256(wheel)]
    assert clock.waits == [2 if status == 429 else 0.5]


def test_an_upload_that_gets_no_response_may_have_arrived(files: Files) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        index = replace(adapter(f"http://127.0.0.1:{silent.getsockname()[1]}"), upload_limit=3)
        with pytest.raises(ServiceError, match=r"to PyPI did not end in 3 s; whether it arrived is unknown") as caught:
            index.upload([files.wheel()])

    assert "Files that have arrived are not uploaded again" in caught.value.remedy


def test_versions_are_told_apart_as_the_index_writes_them(index: Index, files: Files) -> None:
    index.upload([files.wheel("1.0.0rc1"), files.wheel("1.0.0"), files.sdist("1.0.0"), files.wheel("0.9.0")])

    assert index.versions("demo") == [Version(0, 9, 0), Version.parse("1.0.0-rc.1"), ONE]
    assert list(index.files("demo", Version.parse("1.0.0-rc.1"))) == ["demo-1.0.0rc1-py3-none-any.whl"]
    assert len(index.files("demo", ONE)) == 2


def test_a_yank_is_seen_with_its_reason_and_so_is_its_end(index: Index, files: Files) -> None:
    wheel = files.wheel()
    index.upload([wheel])
    assert index.files("demo", ONE)[wheel.name].yanked is None

    manage(index, "1.0.0", action="yank", reason="It <breaks>, use 1.0.1")
    assert index.files("demo", ONE)[wheel.name].yanked == "It <breaks>, use 1.0.1"
    assert index.versions("demo") == []
    manage(index, "1.0.0", action="unyank")
    manage(index, "1.0.0", action="yank")
    assert index.files("demo", ONE)[wheel.name].yanked == ""
    manage(index, "1.0.0", action="unyank")
    assert index.files("demo", ONE)[wheel.name].yanked is None
    assert index.versions("demo") == [ONE]


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_what_shows_late_is_waited_for(tmp_path: Path, files: Files) -> None:
    told: list[str] = []
    with standing_in(tmp_path / "index", "--lag", "6") as url:
        index = adapter(url)
        index.upload([files.wheel()])
        assert index.files("demo", ONE) == {}
        with pytest.raises(WaitTimeoutError, match=r"PyPI does not show demo 1\.0\.0 after 0 s") as caught:
            wait_for("PyPI", "demo 1.0.0", lambda: bool(index.files("demo", ONE)), WaitLimits(0.1, 0.01, 0.1))
        with bound(Activity(told.append)):
            wait_for("PyPI", "demo 1.0.0", lambda: bool(index.files("demo", ONE)), PATIENT)

        assert index.files("demo", ONE)
    assert "Rerun the command" in caught.value.remedy
    assert caught.value.exit_code == 5
    assert told[0] == "waiting for PyPI to show demo 1.0.0: 0 s of at most 30 s"


def test_an_index_that_is_down_for_a_moment_is_waited_for(tmp_path: Path, files: Files) -> None:
    with standing_in(tmp_path / "index", "--fault", "simple-status-once=503") as url:
        index = adapter(url)
        wait_for("PyPI", "nothing", lambda: index.all_files("demo") == [], PATIENT)


# --- what indexes may answer ------------------------------------------------------------------------------------------


def test_an_error_is_told_with_its_status_and_address(tmp_path: Path) -> None:
    with standing_in(tmp_path / "index", "--fault", "simple-status-once=401") as url:
        said = rf"PyPI at {url}/simple/ refused to list the files of demo \(HTTP 401\): "
        with pytest.raises(ServiceError, match=said):
            adapter(url).all_files("demo")
        assert adapter(url).all_files("demo") == []


def test_a_failure_that_passes_is_survived(tmp_path: Path) -> None:
    with (
        standing_in(tmp_path / "index", "--fault", "simple-status-once=503") as url,
        bound(Activity(clock=UnhurriedClock())),
    ):
        assert adapter(url).all_files("demo") == []


def test_an_index_that_does_not_listen_is_an_error_with_a_remedy(bare: Bare) -> None:
    url = bare.url
    taken = adapter(url.replace(url.rpartition(":")[2], "1"))

    with (
        bound(Activity(clock=UnhurriedClock())),
        pytest.raises(ServiceError, match="refused the connection when asked to list") as caught,
    ):
        taken.all_files("demo")

    assert "rerun the command" in caught.value.remedy


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><a href=x>demo</a>",
        b"",
        b"[]",
        b'"files"',
        b'{"versions": []}',
        b'{"files": [{"url": "x"}]}',
        b"\xff",
    ],
)
def test_an_answer_in_another_form_is_an_error_and_no_traceback(bare: Bare, content: bytes) -> None:
    bare.pages["/simple/demo/"] = Page(content)

    with pytest.raises(ServiceError, match=r"sent .*JSON.* when asked to list the files of demo") as caught:
        bare.index.all_files("demo")
    assert "Check simple-url in [tool.releaser.PyPI]" in caught.value.remedy


@pytest.mark.parametrize("content", [b"<!DOCTYPE html>", b"[1]", b"null", b""])
def test_a_page_in_another_form_is_an_error_and_no_traceback(bare: Bare, content: bytes) -> None:
    bare.pages["/pypi/demo/1.0.0/json"] = Page(content)

    with pytest.raises(ServiceError, match=r"sent .*JSON.* when asked to show the page of demo 1\.0\.0"):
        bare.index.release_page("demo", ONE)


def test_files_are_found_through_a_redirect(bare: Bare) -> None:
    bare.pages["/simple/demo/"] = Page(status=301, location="/moved/deep/demo/")
    listing = {"files": [{"filename": "demo-1.0.0.tar.gz", "url": "../files/x", "hashes": {}}]}
    bare.pages["/moved/deep/demo/"] = Page(json.dumps(listing).encode())

    assert bare.index.all_files("demo") == [IndexFile("demo-1.0.0.tar.gz", "", f"{bare.url}/moved/deep/files/x", None)]


@pytest.mark.parametrize("name", ["../../demo-1.0.0.tar.gz", "/demo-1.0.0.tar.gz", "..\\demo-1.0.0.tar.gz", ".."])
def test_a_file_whose_name_is_a_path_is_refused(bare: Bare, name: str) -> None:
    bare.lists({"filename": name, "url": "x", "hashes": {}})
    with pytest.raises(ServiceError, match=r"files\.0\.filename"):
        bare.index.files("demo", ONE)


def test_no_cache_may_answer(bare: Bare) -> None:
    bare.lists()

    bare.index.all_files("demo")

    ((path, headers),) = bare.asked
    assert path == "/simple/demo/"
    assert headers["cache-control"] == headers["pragma"] == "no-cache"
    assert headers["accept"] == "application/vnd.pypi.simple.v1+json"


def test_a_name_is_asked_for_in_its_normal_form(bare: Bare) -> None:
    bare.index.all_files("My.Demo__Tool")

    assert bare.asked[0][0] == "/simple/my-demo-tool/"


def test_odd_file_names_belong_to_their_version_or_to_none(bare: Bare) -> None:
    ours = [
        "demo-1.0.0-py3-none-any.whl",
        "demo-1.0.0-1-py3-none-any.whl",
        "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "Demo-1.0.0.tar.gz",
        "demo-1.0.0.zip",
    ]
    others = [
        "demo-1.0.0.post1.tar.gz",
        "demo-1.0.0.dev1-py3-none-any.whl",
        "demo-1.0.0+local-py3-none-any.whl",
        "demo-1!1.0.0.tar.gz",
        "demo-1.0.0rc1.tar.gz",
        "demo-1.0.0.1.tar.gz",
        "demo-1.0.0-py2.7.egg",
        "demo-1.0.0.exe",
        "demo-1.0.0.whl",
        "demo-huge.tar.gz",
        "demo.tar.gz",
        "",
    ]
    bare.lists(*({"filename": name, "url": name, "hashes": {}} for name in [*ours, *others]))

    assert list(bare.index.files("demo", ONE)) == ours
    assert bare.index.versions("demo") == [Version.parse("1.0.0-rc.1"), ONE]
    assert [version_of(name) for name in others if "rc1" not in name] == [None] * 11


def test_yanked_may_be_absent_a_mark_or_a_reason(bare: Bare) -> None:
    given = [{}, {"yanked": False}, {"yanked": None}, {"yanked": True}, {"yanked": ""}, {"yanked": "broken"}]
    bare.lists(*({"filename": "x", "url": "x", "hashes": {}, **one} for one in given))

    assert [file.yanked for file in bare.index.all_files("demo")] == [None, None, None, "", "", "broken"]


def test_a_file_that_is_listed_and_not_served_is_an_error(bare: Bare, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"PyPI lists x\.whl but does not serve it"):
        bare.index.download(IndexFile("x.whl", "", f"{bare.url}/x.whl", None), tmp_path / "x.whl")

    assert not (tmp_path / "x.whl").exists()


def test_half_a_file_is_an_error_and_not_a_file(bare: Bare, tmp_path: Path) -> None:
    bare.pages["/x.whl"] = Page(b"x" * 1000, cut=300)

    with bound(Activity(clock=UnhurriedClock())), pytest.raises(ServiceError, match="broke off its response") as caught:
        bare.index.download(IndexFile("x.whl", "", f"{bare.url}/x.whl", None), tmp_path / "x.whl")

    assert "rerun the command" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []
    assert len(bare.asked) == 6


def test_a_file_that_arrives_short_without_a_sign_is_no_reason_for_another_version(bare: Bare, tmp_path: Path) -> None:
    bare.pages["/x.whl"] = Page(b"x" * 700)
    whole = hashlib.sha256(b"x" * 1000).hexdigest()

    with pytest.raises(ServiceError, match="arrived as 700 bytes") as caught:
        bare.index.download(IndexFile("x.whl", whole, f"{bare.url}/x.whl", None), tmp_path / "x.whl")

    assert caught.value.remedy == "Rerun the command. Completed steps are not repeated."
    assert list(tmp_path.iterdir()) == []


# --- addresses --------------------------------------------------------------------------------------------------------


def test_addresses_come_from_the_libraries_that_own_them() -> None:
    from pypi_simple import PYPI_SIMPLE_ENDPOINT
    from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

    pypi, testpypi = Index("PyPI", IndexAddress()), Index("TestPyPI", IndexAddress(repository="testpypi"))

    assert (pypi.simple_url, pypi.upload_url) == (PYPI_SIMPLE_ENDPOINT, DEFAULT_REPOSITORY)
    assert testpypi.upload_url == TEST_REPOSITORY
    assert testpypi.simple_url.partition("/simple/")[0] == TEST_REPOSITORY.partition("/legacy/")[0]


def test_pages_for_people_lie_beside_the_simple_api(bare: Bare) -> None:
    plain = Index("PyPI", IndexAddress(simple_url=f"{bare.url}/simple/"))
    candidate = Version.parse("1.0.0-rc.1")

    assert plain.page("demo", candidate) == f"{bare.url}/project/demo/1.0.0rc1/"
    assert plain.manage_page("demo", candidate) == f"{bare.url}/manage/project/demo/release/1.0.0rc1/"
