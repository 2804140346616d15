"""A machine with the fake NVIDIA library: programs that are run on it find it as they find the real one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

LIBRARY = "libnvidia-ml.so.1"
SOURCE = Path(__file__).with_name("fake_nvml.c")
COMPILE_SECONDS = 60


def compiler() -> str | None:
    """The machine's C compiler."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build(folder: Path) -> Path:
    """Compile the library into ``folder`` and return that."""
    command = [compiler() or "cc", "-shared", "-fPIC", "-Wall", "-Werror", f"-Wl,-soname,{LIBRARY}"]
    subprocess.run([*command, "-o", folder / LIBRARY, SOURCE], check=True, timeout=COMPILE_SECONDS)
    return folder


class FakeNvml:
    """What the library answers.

    Args:
        library: The folder that holds it.
        folder: An empty one, for its answers and the calls that it got.
    """

    def __init__(self, library: Path, folder: Path) -> None:
        self._library = library
        self._answers = folder / "answers"
        self._calls = folder / "calls"
        self.answer({})

    def answer(self, answers: Mapping[str, object]) -> None:
        """Answer with these from the next call on."""
        lines = [f"{key}={value}" for key, value in {**answers, "calls": self._calls}.items()]
        new = self._answers.with_suffix(".new")
        new.write_text("\n".join(lines) + "\n")
        new.replace(self._answers)

    @property
    def calls(self) -> list[str]:
        """The calls that it got, oldest first."""
        return self._calls.read_text().split() if self._calls.exists() else []

    @property
    def environment(self) -> dict[str, str]:
        """For a process that is to find it."""
        return {**os.environ, "LD_LIBRARY_PATH": str(self._library), "FAKE_NVML": str(self._answers)}
