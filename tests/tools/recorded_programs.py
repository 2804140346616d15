"""Programs that write down what they were given, and what this process starts: command lines and environments."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = "RECORDED_PROGRAMS"
"""The variable that tells a recording program where to write."""

_PYTHON = f"""
import json, os, sys
with open(os.path.join(os.environ["{FOLDER}"], f"{{NAME}}-{{os.getpid()}}.json"), "w") as file:
    json.dump({{"name": NAME, "command": sys.argv, "environment": dict(os.environ)}}, file)
"""


@dataclass(frozen=True)
class Started:
    """One start of a program.

    Attributes:
        name: What starts it, or a recording program's own name.
        command: The program and its arguments.
        environment: Its environment.
    """

    name: str
    command: list[str]
    environment: dict[str, str]


def recording_code(name: str) -> str:
    """Return Python code that records the program it stands in."""
    return _PYTHON.replace("NAME", repr(name))


def write_recording_program(path: Path, then: str = "exit 0") -> None:
    """Write an executable that records itself and then does what the shell commands in ``then`` say."""
    path.parent.mkdir(parents=True, exist_ok=True)
    script = f'{sys.executable} -SE - "$0" "$@" <<\'END\'\n{recording_code(path.name)}END\n'
    path.write_text(f"#!/bin/sh\n{script}{then}\n", "utf-8")
    path.chmod(0o755)


class Recorder:
    """Records into a folder: what recording programs write, and each start of a program by this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        self._active = False
        folder.mkdir(parents=True, exist_ok=True)
        sys.addaudithook(self._hear)  # it stays for the life of the process, and listens only while it is active

    @contextmanager
    def active(self) -> Iterator[None]:
        """Record what is started in the block."""
        self._active = True
        try:
            yield
        finally:
            self._active = False

    def started(self) -> list[Started]:
        """Return what was recorded."""
        return self.read(self.folder)

    @staticmethod
    def read(folder: Path) -> list[Started]:
        """Return what was recorded into a folder."""
        return [Started(**json.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.json"))]

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._active:
            return
        if event == "subprocess.Popen":
            _, command, _, environment = arguments
            self._keep(command if isinstance(command, str) else [os.fspath(word) for word in command], environment)
        elif event in ("os.exec", "os.posix_spawn", "os.spawn"):
            command, environment = arguments[-2:]
            self._keep([os.fspath(word) for word in command], environment)
        elif event == "os.system":
            self._keep(str(arguments[0]), None)

    def _keep(self, command: list[str] | str, environment: dict[str, str] | None) -> None:
        self._count += 1
        words = [command] if isinstance(command, str) else command
        one = Started("this process", words, dict(os.environ if environment is None else environment))
        (self.folder / f"started-{self._count}.json").write_text(json.dumps(asdict(one)), "utf-8")
