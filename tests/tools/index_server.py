"""The package index of a rehearsal, files to upload, and uploads by `twine` and without it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from harness.served import Served

from releaser.rehearsal.index import app

TOKEN = "pypi-rehearsal"
OIDC_SECRET = "a secret that is long enough for HS256"


def _metadata(
    name: str, version: str, requires_python: str = ">=3.8", more: str = "", description: str = "What it *is*.\n"
) -> str:
    lines = {
        "Metadata-Version": "2.4",
        "Name": name,
        "Version": version,
        "Summary": "A <demo>",
        "Requires-Python": requires_python,
        "Project-URL": "Home, https://example.invalid",
        "Classifier": "Typing :: Typed",
        "Description-Content-Type": "text/markdown",
    }
    lines |= dict(line.split(": ", 1) for line in more.splitlines())
    return "".join(f"{field}: {value}\n" for field, value in lines.items()) + f"\n{description}"


@dataclass(frozen=True)
class Files:
    """Makes distributions, the same bytes for the same arguments, below ``root``."""

    root: Path

    def wheel(self, name: str, version: str, body: str = "", requires_python: str = ">=3.8", **metadata: str) -> Path:
        stem = f"{name.replace('-', '_')}-{version}"
        members = {
            f"{name.replace('-', '_')}.py": f"VERSION = {version!r}\n{body}",
            f"{stem}.dist-info/METADATA": _metadata(name, version, requires_python, **metadata),
            f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{path},sha256={_record_hash(text)},{len(text)}\n" for path, text in members.items())
        members[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n"
        path = self._path(f"{stem}-py3-none-any.whl", body)
        with zipfile.ZipFile(path, "w") as wheel:
            for member, text in members.items():
                wheel.writestr(zipfile.ZipInfo(member), text)
        return path

    def sdist(self, name: str, version: str, body: str = "") -> Path:
        stem = f"{name.replace('-', '_')}-{version}"
        path = self._path(f"{stem}.tar.gz", body)
        with gzip.GzipFile(path, "wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as sdist:
            for member, text in (("PKG-INFO", _metadata(name, version)), ("module.py", body)):
                info = tarfile.TarInfo(f"{stem}/{member}")
                info.size = len(text)
                sdist.addfile(info, io.BytesIO(text.encode()))
        return path

    @staticmethod
    def form(path: Path, **changes: str | None) -> dict[str, str]:
        """The upload form that twine would send for a file, with changes to it; None leaves a field out."""
        name, version = path.name.removesuffix(".tar.gz").split("-")[:2]
        form: dict[str, str | None] = {
            ":action": "file_upload",
            "name": name,
            "version": version,
            "filetype": "bdist_wheel" if path.suffix == ".whl" else "sdist",
            "sha256_digest": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        return {field: value for field, value in {**form, **changes}.items() if value is not None}

    def _path(self, filename: str, body: str) -> Path:
        folder = self.root / (body or "plain")
        folder.mkdir(parents=True, exist_ok=True)
        return folder / filename


def _record_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def post(
    url: str, path: Path, *, auth: tuple[str, str] | None, filename: str = "", **changes: str | None
) -> requests.Response:
    """Upload a file without twine, which takes a second to start."""
    form, content = Files.form(path, **changes), (filename or path.name, path.read_bytes())
    return requests.post(url, data=form, files={"content": content}, auth=auth, timeout=30)


def twine_upload(
    url: str, *paths: Path, token: str = TOKEN, user: str = "__token__"
) -> subprocess.CompletedProcess[str]:
    """Upload files with twine."""
    command = [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"]
    return subprocess.run(
        [*command, "--repository-url", url, *map(str, paths)],
        env={**os.environ, "TWINE_USERNAME": user, "TWINE_PASSWORD": token, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class Index:
    """A running index, served by a thread."""

    def __init__(self, world: Path, *options: str) -> None:
        self.world = world
        self.url = self.begin(f"--world={world}", *options)

    def begin(self, *arguments: str) -> str:
        """Start it; return its address."""
        self._served = Served(app, *arguments)
        return self._served.url

    def stop(self) -> object:
        """End it; return what a process said at its end."""
        return self._served.stop()

    def post(
        self,
        path: Path,
        *,
        auth: tuple[str, str] | None = ("__token__", TOKEN),
        filename: str = "",
        **changes: str | None,
    ) -> requests.Response:
        """Upload a file without twine."""
        return post(f"{self.url}/legacy/", path, auth=auth, filename=filename, **changes)

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=60, **options)

    def simple(self, name: str) -> Any:
        """The project's page in JSON."""
        answer = self.get(f"/simple/{name}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
        answer.raise_for_status()
        return answer.json()

    def manage(self, name: str, version: str, **fields: str) -> requests.Response:
        """Send one of the forms of the release's manage page."""
        url = f"{self.url}/manage/project/{name}/release/{version}/"
        return requests.post(url, data=fields, auth=("__token__", TOKEN), allow_redirects=False, timeout=60)

    def log(self) -> list[str]:
        return (self.world / "uploads.log").read_text().splitlines()


class IndexProcess(Index):
    """A running index as a process of its own."""

    def begin(self, *arguments: str) -> str:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "releaser.rehearsal.index", "--stop-with-stdin", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.ready = self.process.stdout.readline()
        return str(json.loads(self.ready)["url"])

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Its exit status, the rest of its stdout, and its stderr."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@contextmanager
def index_server(root: Path) -> Iterator[Callable[..., Any]]:
    """Yield a function that starts the index on the one world below ``root``; stop at the end what it started.

    ``start("--lag=2")`` starts one in a thread; ``start(kind=IndexProcess)`` starts a process.
    """
    (root / "token").write_text(f"{TOKEN}\n")
    (root / "secret").write_text(OIDC_SECRET)
    started: list[Index] = []

    def start(*options: str, kind: type[Index] = Index) -> Index:
        started.append(kind(root / "world", f"--token-file={root / 'token'}", *options))
        return started[-1]

    yield start
    for index in started:
        if not (isinstance(index, IndexProcess) and index.process.returncode is not None):
            index.stop()
