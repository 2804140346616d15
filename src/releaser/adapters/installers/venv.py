"""A clean virtual environment, and installing into it as users do: with pip, from one index and nothing else."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from releaser.adapters import process
from releaser.adapters.environment import Changes
from releaser.adapters.installers import settings
from releaser.adapters.installers.pip import explained
from releaser.errors import CommandError, StepError

_KEPT = {"PYTHONUTF8", "PYTHONIOENCODING", "PYTHONDONTWRITEBYTECODE"}
"""Python's variables that say how to write, and not what to import or how to run."""


@dataclass(frozen=True)
class Venv:
    """An environment with nothing but pip, and none of this process's Python settings.

    Attributes:
        path: Its directory.
        index: The simple API that pip installs from; None is the user's own index.
    """

    path: Path
    index: str | None = None

    @classmethod
    def create(cls, path: Path, index: str | None = None) -> Venv:
        """Make a new one."""
        found = cls(path, index)
        process.run(
            [sys.executable, "-m", "virtualenv", "--quiet", "--no-periodic-update", path],
            cwd=path.parent,
            env=found.settings(),
            purpose="virtualenv",
        )
        return found

    @property
    def bin(self) -> Path:
        """Where its programs are."""
        return self.path / ("Scripts" if os.name == "nt" else "bin")

    def install(self, *what: str | Path, distribution: str = "") -> str | None:
        """Install with pip; return the sha256 of the file that `distribution` was installed from, if pip reports it.

        Raises:
            CommandError: pip failed.
        """
        report = self.path / "report.json"
        # Compiling byte code takes pip half of its time and checks nothing: what is run here compiles itself.
        self._pip("install", "--no-compile", "--report", report, *what)
        for one in json.loads(report.read_text("utf-8"))["install"]:
            if canonicalize_name(one["metadata"]["name"]) == canonicalize_name(distribution):
                hashes: dict[str, str] = one["download_info"].get("archive_info", {}).get("hashes", {})
                return hashes.get("sha256")
        return None

    def download(self, requirement: str, index_url: str, target: Path) -> Path:
        """Fetch one file, without dependencies, from one index and no other."""
        target.mkdir(parents=True, exist_ok=True)
        options = ("--no-deps", "--no-cache-dir", "--only-binary=:all:", "--index-url", index_url, "--dest", target)
        self._pip("download", *options, requirement)
        found = list(target.iterdir())
        if len(found) != 1:
            raise StepError(f"pip fetched {len(found)} files for {requirement}", "Rerun the command.")
        return found[0]

    def resolve(self, wheel: Path) -> list[dict[str, Any]]:
        """Return what pip would install for this wheel: its installation report's entries, the wheel's own first."""
        report = self.path / "resolved.json"
        self._pip("install", "--dry-run", "--ignore-installed", "--report", report, wheel)
        entries: list[dict[str, Any]] = json.loads(report.read_text("utf-8"))["install"]
        return sorted(entries, key=lambda one: one.get("is_direct") is not True)

    def run(self, program: str, *words: str) -> str:
        """Return what one of its programs prints, started outside any checkout.

        Raises:
            CommandError: It failed.
        """
        command: list[str | Path] = [self.bin / program, *words]
        purpose = f"The installed {program}"
        return process.ask(command, cwd=self.path, env=_without_python(), purpose=purpose).text.strip()

    def _pip(self, *words: str | Path) -> None:
        command = [self.bin / "python", "-m", "pip", "--disable-pip-version-check", "--no-input", *words]
        try:
            process.run(command, cwd=self.path, env=self.settings(), purpose="pip")
        except CommandError as error:
            raise explained(error) from None

    def settings(self) -> Changes:
        """Return changes to the environment for pip, uv and virtualenv, when they make or fill this one."""
        own = settings.to_reach_an_index(self.path.with_name(f"{self.path.name}-settings"), self.index)
        return {**_without_python(), **own, "NO_COLOR": "1"}


def _without_python() -> Changes:
    found = {name: None for name in os.environ if name.startswith("PYTHON") and name not in _KEPT}
    return {**found, "PYTHONPATH": None, "PYTHONHOME": None, "VIRTUAL_ENV": None}
