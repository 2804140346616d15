"""Installing a wheel by uv, on one of the Pythons of this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename

from releaser.adapters import process
from releaser.adapters.connections import is_loopback
from releaser.adapters.installers.pip import ALONE
from releaser.adapters.installers.venv import Venv
from releaser.errors import CommandError

_NAME = re.compile(r"python(3\.\d+)(\.exe)?")
_LATEST_PATCH = 99
"""Stands for the patch version, which a program's name does not tell."""
_ASK = "import sys; print('.'.join(map(str, sys.version_info[:3])), sys.version_info.releaselevel)"

_OLDEST = 8
"""The minor version of the oldest Python that can be asked which version is installed: by importlib.metadata."""


def available() -> bool:
    """Return whether uv is installed here."""
    return _command() is not None


def pythons(wheel: Path, requires: str) -> list[Path]:
    """Return the Pythons of this machine that may install a wheel, one for each minor version, the oldest first.

    Those on PATH, those that pyenv keeps (its shims fail unless a version is chosen), and those that uv brought.

    Args:
        wheel: The wheel; one with compiled code is for some Pythons only.
        requires: Its `Requires-Python`; empty where it has none.
    """
    found: dict[int, Path] = {}
    for folder in _folders():
        for path in sorted(folder.glob("python3.*")) if folder.is_dir() else ():
            name = _NAME.fullmatch(path.name)
            if name and SpecifierSet(requires).contains(f"{name[1]}.{_LATEST_PATCH}") and _fits(wheel, name[1]):
                found.setdefault(int(name[1].partition(".")[2]), path)
    return [found[minor] for minor in sorted(found) if minor >= _OLDEST]


def install(wheel: Path | str, python: Path, path: Path, index: str) -> tuple[Venv, str] | None:
    """Install a wheel with uv in a new environment; return that and the Python's version.

    None if that Python is a pre-release, or does not run: some are wrappers for a version that is not there.

    Args:
        wheel: What to install: a file, or a requirement.
        python: The Python.
        path: Where to make the environment.
        index: The simple API that dependencies come from, and nothing else.

    Raises:
        CommandError: uv failed.
    """
    uv, venv = _command() or ["uv"], Venv(path, index)
    told = process.ask([python, "-I", "-c", _ASK], cwd=path.parent, env=venv.settings(), check=False)
    version, _, level = told.text.strip().partition(" ")
    if told.status != 0 or level != "final":
        return None
    process.run([*uv, "venv", "--python", python, path], cwd=path.parent, env=venv.settings(), purpose="uv")
    words = [*uv, "pip", "install", "--python", venv.bin / "python", wheel, *_cache(index, path.parent)]
    try:
        process.run(words, cwd=path.parent, env=venv.settings(), purpose=f"uv with Python {version}")
    except CommandError as error:
        raise CommandError(f"Users could not install this: {error.message}", ALONE) from None
    return venv, version


def _cache(index: str, folder: Path) -> list[str | Path]:
    """Keep a rehearsal's index out of the user's cache: uv caches by address, and the port is never the same again."""
    return ["--cache-dir", folder / "cache"] if is_loopback(urlsplit(index).netloc) else []


def _command() -> list[str | Path] | None:
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv"]
    return ["uv"] if shutil.which("uv") else None


def _folders() -> Iterator[Path]:
    on_path = [Path(one) for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if one]
    yield from (one for one in on_path if one.name != "shims")
    home = os.environ.get("HOME") or os.devnull
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path(home, ".pyenv"))
    brought = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path(home, ".local", "share", "uv", "python"))
    yield from sorted(pyenv.glob("versions/3.*/bin"))
    yield from sorted(brought.glob("cpython-3.*/bin"))


def _fits(wheel: Path, version: str) -> bool:
    tags = parse_wheel_filename(wheel.name)[3]
    own = f"cp{version.replace('.', '')}"
    return any(tag.interpreter.startswith("py3") or tag.interpreter == own or tag.abi == "abi3" for tag in tags)
