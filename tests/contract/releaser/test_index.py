"""What the index of a rehearsal has in common with a real one: the same tests against it and against devpi."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pypi_simple
import pytest
import requests
from index_server import TOKEN, Files, index_server, post, twine_upload

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
PASSWORD = "rehearsal"


@dataclass(frozen=True)
class Target:
    """Where an index takes uploads and shows them, and with which login."""

    upload: str
    simple: str
    user: str
    token: str


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    with index_server(tmp_path_factory.mktemp("index")) as start:
        index = start()
        yield Target(f"{index.url}/legacy/", f"{index.url}/simple/", "__token__", TOKEN)


@pytest.fixture(scope="session")
def devpi(tmp_path_factory):
    folder = tmp_path_factory.mktemp("devpi")
    options = ["--serverdir", str(folder / "server")]
    with ExitStack() as stack:
        output = stack.enter_context((folder / "output").open("w"))
        init = [program("devpi-init"), *options, "--no-root-pypi", "--root-passwd", PASSWORD]
        subprocess.run(init, stdout=output, stderr=output, check=True, timeout=120)
        port = free_port()
        server = stack.enter_context(
            subprocess.Popen(
                [program("devpi-server"), *options, "--host", "127.0.0.1", "--port", str(port), "--threads", "4"],
                stdout=output,
                stderr=output,
            )
        )
        stack.callback(server.terminate)
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}/+api", server, folder / "output")
        settings = {"type": "stage", "bases": [], "volatile": False}
        created = requests.put(f"{base}/root/contract", json=settings, auth=("root", PASSWORD), timeout=30)
        created.raise_for_status()
        yield Target(f"{base}/root/contract/", f"{base}/root/contract/+simple/", "root", PASSWORD)


@pytest.fixture(params=["ours", "devpi"])
def index(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path / "dist")


@pytest.fixture
def upload(index):
    """Upload one file that the test is not about."""

    def upload_one(path):
        answer = post(index.upload, path, auth=(index.user, index.token))
        assert answer.ok, answer.text

    return upload_one


@pytest.fixture
def twine(index):
    return lambda *paths, token=index.token: twine_upload(index.upload, *paths, user=index.user, token=token)


def program(name):
    """A console script of the environment that runs the tests."""
    return str(Path(sys.executable).with_name(name))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, server, output):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(requests.ConnectionError):
            return requests.get(url, timeout=60).raise_for_status()
        time.sleep(0.2)
    pytest.fail(f"devpi-server does not answer:\n{output.read_text()}")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def page(index, name):
    with pypi_simple.PyPISimple(index.simple) as client:
        return client.get_project_page(name)


def test_twine_uploads_a_wheel_and_an_sdist(index, twine, files):
    wheel, sdist = files.wheel("both", "1.0"), files.sdist("both", "1.0")
    uploaded = twine(wheel, sdist)
    assert uploaded.returncode == 0, uploaded.stdout
    assert {package.filename: package.digests["sha256"] for package in page(index, "both").packages} == {
        wheel.name: sha256(wheel),
        sdist.name: sha256(sdist),
    }


def test_html_links_end_in_the_hash_and_say_which_python(index, twine, files):
    wheel = files.wheel("hashed", "1.0")
    twine(wheel)  # which says in the form what the metadata says
    html = requests.get(f"{index.simple}hashed/", headers={"Accept": "text/html"}, timeout=30).text
    assert f"{wheel.name}#sha256={sha256(wheel)}" in html
    assert 'data-requires-python="&gt;=3.8"' in html


def test_json_is_given_to_who_asks_for_it(index, upload, files):
    wheel = files.wheel("structured", "1.0")
    upload(wheel)
    answer = requests.get(f"{index.simple}structured/", headers={"Accept": SIMPLE_JSON}, timeout=30)
    assert answer.headers["Content-Type"].startswith(SIMPLE_JSON)
    [file] = answer.json()["files"]
    assert (answer.json()["name"], file["filename"]) == ("structured", wheel.name)
    assert file["hashes"]["sha256"] == sha256(wheel)


@pytest.mark.parametrize("spelling", ["oddly-named-thing", "Oddly.Named_Thing", "oddly__named--thing"])
def test_a_name_is_found_however_it_is_spelt(index, upload, files, spelling):
    wheel = files.wheel("oddly-named-thing", "1.0")
    upload(wheel)  # the same bytes again are fine
    answer = requests.get(f"{index.simple}{spelling}/", headers={"Accept": "text/html"}, timeout=30)
    assert answer.url == f"{index.simple}oddly-named-thing/"
    assert wheel.name in answer.text


def test_what_pip_downloads_is_what_was_uploaded(index, upload, files, tmp_path):
    wheel = files.wheel("fetched", "1.0")
    upload(wheel)
    (tmp_path / "requirements.txt").write_text(f"fetched==1.0 --hash=sha256:{sha256(wheel)}\n")
    command = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--no-cache-dir", "download"]
    run = subprocess.run(
        [*command, "--no-deps", "--require-hashes", "-r", "requirements.txt", "-d", "got", "--index-url", index.simple],
        cwd=tmp_path,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "got" / wheel.name).read_bytes() == wheel.read_bytes()


def test_other_bytes_under_the_same_name_are_refused(index, upload, twine, files):
    first = files.wheel("fixed", "1.0")
    upload(first)
    assert twine(files.wheel("fixed", "1.0", body="changed")).returncode != 0
    assert [package.digests["sha256"] for package in page(index, "fixed").packages] == [sha256(first)]


def test_a_wrong_login_stores_nothing(index, twine, files):
    refused = twine(files.wheel("closed", "1.0"), token="wrong")
    assert refused.returncode != 0
    assert requests.get(f"{index.simple}closed/", timeout=30).status_code == 404


def test_an_unknown_project_is_not_found(index):
    with pytest.raises(pypi_simple.NoSuchProjectError):
        page(index, "unheard-of")
