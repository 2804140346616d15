from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

START_SECONDS = 30
STOP_SECONDS = 10


@dataclass
class Server:
    """A ``live-vlm-webui`` process that said it is ready."""

    process: subprocess.Popen[str]
    ready_line: str

    @property
    def url(self) -> str:
        return self.ready_line.split(" is ready: ")[1].split(" ")[0]

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])


@pytest.fixture(scope="session")
def command() -> list[str]:
    """The installed command beside this interpreter, or the module where the package is only on the path."""
    script = Path(sys.executable).with_name("live-vlm-webui")
    return [str(script)] if script.exists() else [sys.executable, "-m", "live_vlm_webui"]


@pytest.fixture
def start_server(command) -> Iterator[Callable[..., Server]]:
    """Start servers with the given arguments; those that still run at the end are ended."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Server:
        process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONWARNINGS": "default"},
        )
        processes.append(process)
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline() if readable else ""
        if " is ready: " not in line:
            process.kill()
            pytest.fail(f"the server did not become ready: {line!r} {process.communicate()[1]}")
        return Server(process, line)

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=STOP_SECONDS)
