from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nvml.fake_nvml import FakeNvml, build, compiler

PROBE = Path(__file__).parents[3] / "tools/nvml/probe.py"
END_SECONDS = 10


class Probe:
    """A process that reads GPUs on a machine with the fake library."""

    def __init__(self, nvml: FakeNvml, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", PROBE, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=nvml.environment,
        )

    def ask(self, command="read"):
        """Gives it a command and returns what it tells."""
        print(command, file=self.process.stdin, flush=True)
        return self.tell()

    def tell(self):
        """Waits for the next line that it tells."""
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def end(self) -> str:
        """Lets it end, and returns what it complained of."""
        _, complaints = self.process.communicate(timeout=END_SECONDS)
        assert self.process.returncode == 0, complaints
        return complaints


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> Path:
    """The folder with the fake library."""
    if compiler() is None:
        pytest.skip("no C compiler on the path (apt-get install gcc) to build the fake NVIDIA library with")
    if not sys.platform.startswith("linux"):
        pytest.skip("the fake NVIDIA library is found by LD_LIBRARY_PATH, which is Linux's")
    return build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def nvml(library, tmp_path) -> FakeNvml:
    """A machine with NVIDIA's library and no GPU, until the test says more."""
    return FakeNvml(library, tmp_path)


@pytest.fixture
def probe(nvml) -> Iterator:
    """Starts processes that read the GPUs; those that still run at the end are ended."""
    probes: list[Probe] = []

    def start(*arguments):
        probes.append(Probe(nvml, *arguments))
        return probes[-1]

    yield start
    for one in probes:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate(timeout=END_SECONDS)
