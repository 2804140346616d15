"""The machine that a job has to itself: a fresh home and workspace, its environment, and the files that steps write."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import unquote

from releaser.adapters import environment
from releaser.adapters.installers import settings
from releaser.secret import Redactor, Secret

_MASK = "::add-mask::"
_COMMANDS = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
_REACHING = re.compile(
    r"^((HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|LANG|LC_\w+|TZ|TMPDIR|(PIP|UV)_\w+)$",
    re.IGNORECASE,
)
"""What a job keeps of this machine's environment: how to reach an index, and language."""
_LINE = re.compile(r"(?P<name>[^=<]+?)(?:=(?P<value>.*)|<<(?P<end>.+))")


class CommandFileError(Exception):
    """A step wrote something else than names and values into one of its files."""


class Workspace:
    """A job's folders.

    Args:
        root: Where they are made.
        repository: ``OWNER/NAME``.
    """

    def __init__(self, root: Path, repository: str) -> None:
        self.root = root
        name = repository.partition("/")[2]
        self.work = root / "work" / name / name
        self.home = root / "home"
        self.temp = root / "work" / "_temp"
        self.commands = self.temp / "_runner_file_commands"
        self.env: dict[str, str] = {}
        self.path: list[str] = []
        for folder in (self.work, self.home, self.commands):
            folder.mkdir(parents=True)

    def environment(self, more: Mapping[str, str]) -> dict[str, str | Secret]:
        """Return all that a step's program has in its environment, but for its token."""
        here, reaching = environment.for_program(), settings.to_reach_an_index(self.temp)
        kept = {**{name: value for name, value in here.items() if _REACHING.match(name)}, **reaching}
        found: dict[str, str | Secret] = {name: value for name, value in kept.items() if value is not None}
        found["PIP_CACHE_DIR"] = here.get("PIP_CACHE_DIR") or str(_pip_cache())
        found.update(
            CI="true",
            GITHUB_ACTIONS="true",
            HOME=str(self.home),
            RUNNER_TEMP=str(self.temp),
            PIP_DISABLE_PIP_VERSION_CHECK="1",
            PIP_NO_INPUT="1",
        )
        found.update(self.env)
        found.update(more)
        found["PATH"] = os.pathsep.join([*reversed(self.path), here.get("PATH", os.defpath)])
        found["NO_PROXY"] = found["no_proxy"] = ",".join(
            filter(None, (here.get("NO_PROXY", here.get("no_proxy", "")), "127.0.0.1", "localhost"))
        )
        found.update({name: str(self.commands / name.lower()) for name in _COMMANDS})
        return found

    def begin_step(self) -> None:
        """Empty the files that a step writes."""
        for name in _COMMANDS:
            (self.commands / name.lower()).write_bytes(b"")

    def end_step(self) -> dict[str, str]:
        """Take over what a step wrote for those after it; return its outputs.

        Raises:
            CommandFileError: A line is neither a name with a value nor part of one.
        """
        self.env.update(self._named("GITHUB_ENV"))
        self.path += [line for line in self._lines("GITHUB_PATH") if line]
        return self._named("GITHUB_OUTPUT")

    def remove(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.root, ignore_errors=True)

    def _lines(self, name: str) -> list[str]:
        path = self.commands / name.lower()
        return path.read_text("utf-8", "replace").splitlines() if path.exists() else []

    def _named(self, name: str) -> dict[str, str]:
        found, lines = {}, iter(self._lines(name))
        for line in lines:
            if not line:
                continue
            match = _LINE.fullmatch(line)
            if match is None:
                raise CommandFileError(f"Invalid format '{line}' in {name}")
            if match["end"] is None:
                found[match["name"]] = match["value"]
                continue
            value: list[str] = []
            for inner in lines:
                if inner == match["end"]:
                    break
                value.append(inner)
            else:
                raise CommandFileError(f"Matching delimiter not found '{match['end']}' in {name}")
            found[match["name"]] = "\n".join(value)
        return found


class Log:
    """What a job says, line by line, without its secrets.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._redact = Redactor()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")
        self._turn = threading.Lock()

    def hide(self, *secrets: str | None) -> None:
        """Hide these from now on."""
        self._redact.learn(Secret(one) for one in secrets if one)

    def hides(self, text: str) -> bool:
        """Return whether there is something in a text that it hides."""
        return self._redact(text) != text

    def line(self, text: str) -> None:
        """Write a line, with the time as GitHub puts it first; `::add-mask::VALUE` hides a value from then on."""
        if text.startswith(_MASK):
            self.hide(unquote(text.removeprefix(_MASK)))
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
        with self._turn:
            if not self._file.closed:  # a program may outlive its step by a line
                self._file.write(f"{now}0Z {self._redact(text)}\n")
                self._file.flush()

    def close(self) -> None:
        """Write no more."""
        with self._turn:
            self._file.close()


def _pip_cache() -> Path:
    """Return where pip keeps what it downloaded on this machine, which another home does not tell."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pip"
