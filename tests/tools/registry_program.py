"""A real registry on a free port, over the rehearsal's own watchdog."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from releaser.rehearsal.registry.program import PROGRAM


class RegistryProgram:
    """The program, as long as it is not stopped.

    Attributes:
        world: What it keeps its images in; it may be replaced while nobody asks.
        url: Where it listens.
    """

    def __init__(self, world: Path, *options: str) -> None:
        world.mkdir(parents=True, exist_ok=True)
        self.world = world
        command = [sys.executable, "-m", "releaser.rehearsal.registry", f"--world={world}"]
        self.process = subprocess.Popen(
            [*command, f"--command={json.dumps([PROGRAM])}", "--stop-with-stdin", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.url = str(json.loads(self.process.stdout.readline())["url"])

    def stop(self) -> None:
        """Stop it."""
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.wait(10)
