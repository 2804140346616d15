from __future__ import annotations

import os
import select
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

START_SECONDS = 120
STOP_SECONDS = 10


@dataclass
class Server:
    """A ``live-vlm-webui`` process that said it is ready."""

    process: subprocess.Popen[str]
    ready_line: str
    data_dir: Path

    @property
    def url(self) -> str:
        return self.ready_line.split(" is ready: ")[1].split(" ")[0]

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    def trusting(self) -> ssl.SSLContext:
        """What a client that was given the certificate checks it with, as strictly as the newest Python does."""
        context = ssl.create_default_context(cafile=self.data_dir / "tls" / "certificate.pem")
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> HTTPResponse:
        """Ask for ``path``, with the certificate checked."""
        context = self.trusting() if self.url.startswith("https:") else None
        request = Request(f"{self.url}{path}", headers=dict(headers or {}))
        answer: HTTPResponse = urlopen(request, timeout=60, context=context)
        return answer

    def stop(self) -> tuple[str, str]:
        """End it as a service manager does; what it still said."""
        self.process.terminate()
        return self.process.communicate(timeout=STOP_SECONDS)


@pytest.fixture(scope="session")
def command() -> list[str]:
    """The installed command beside this interpreter, or the module where the package is only on the path."""
    script = Path(sys.executable).with_name("live-vlm-webui")
    return [str(script)] if script.exists() else [sys.executable, "-m", "live_vlm_webui"]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Where the servers of one test keep what they keep."""
    return tmp_path / "data"


@pytest.fixture
def environment(data_dir: Path) -> dict[str, str]:
    """The environment of servers, without what the user has set for their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIVE_VLM_")}
    return {**kept, "LIVE_VLM_DATA": str(data_dir), "PYTHONWARNINGS": "default"}


@pytest.fixture
def start_server(command, environment, data_dir) -> Iterator[Callable[..., Server]]:
    """Start servers with the given arguments; those that still run at the end are ended."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **variables: str) -> Server:
        process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**environment, **variables},
        )
        processes.append(process)
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline() if readable else ""
        if " is ready: " not in line:
            process.kill()
            pytest.fail(f"the server did not become ready: {line!r} {process.communicate()[1]}")
        return Server(process, line, data_dir)

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=STOP_SECONDS)
