"""Which Pythons a wheel is tried on, and what uv's failures say."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from harness.wheels import other_wheel

from releaser.adapters.installers import uv
from releaser.errors import CommandError

WHEEL = Path("demo-1.0-py3-none-any.whl")


@pytest.fixture
def own_pythons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with Pythons 3.7 (too old) and 3.9 on PATH, shims of pyenv, a 3.13 in pyenv, and a 3.12 by uv."""
    (tmp_path / "bin").mkdir()
    for name in ("python3", "python3.7", "python3.9", "python3.9-config"):
        (tmp_path / "bin" / name).touch()
    for home, version in ((".pyenv/versions/3.13.0", "3.13"), (".local/share/uv/python/cpython-3.12.1-linux", "3.12")):
        folder = tmp_path / home / "bin"
        folder.mkdir(parents=True)
        (folder / f"python{version}").touch()
    (tmp_path / ".pyenv" / "shims").mkdir()
    (tmp_path / ".pyenv" / "shims" / "python3.8").touch()
    for name in ("PYENV_ROOT", "UV_PYTHON_INSTALL_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / ".pyenv" / "shims"), str(tmp_path / "bin")]))
    return tmp_path


@pytest.mark.parametrize(
    ("wheel", "requires", "names"),
    [
        (WHEEL, "", ["python3.9", "python3.12", "python3.13"]),
        (WHEEL, ">=3.10", ["python3.12", "python3.13"]),
        (WHEEL, ">=3.9.2,<3.13", ["python3.9", "python3.12"]),
        (WHEEL, ">=3.14", []),
        (Path("demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"), ">=3.9", ["python3.12"]),
        (Path("demo-1.0-cp39-abi3-manylinux_2_28_x86_64.whl"), ">=3.10", ["python3.12", "python3.13"]),
    ],
)
def test_the_pythons_here_that_a_wheel_is_for_the_oldest_first(
    own_pythons: Path, wheel: Path, requires: str, names: list[str]
) -> None:
    assert [path.name for path in uv.pythons(wheel, requires)] == names


def test_uv_installs_from_the_one_index_whatever_the_user_has_told_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UV_NO_INDEX", "UV_OFFLINE", "UV_NO_DEPS", "UV_REQUIRE_HASHES"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    index = tmp_path / "index"
    (index / "only-elsewhere").mkdir(parents=True)
    (index / "only-elsewhere" / "index.html").touch()
    wheel = other_wheel(tmp_path / "wheels")
    needing = other_wheel(tmp_path / "needing", fields="Requires-Dist: only-elsewhere\n")

    made = uv.install(wheel, Path(sys.executable), tmp_path / "venv", index.as_uri())

    assert made is not None
    venv, version = made
    assert version == ".".join(map(str, sys.version_info[:3]))
    assert venv.run("python", "-c", "import importlib.metadata as m; print(m.version('tiny-thing'))") == "0.2.0"
    with pytest.raises(CommandError, match=f"uv with Python {version} failed(?s:.*)only-elsewhere") as caught:
        uv.install(needing, Path(sys.executable), tmp_path / "other", index.as_uri())
    assert caught.value.remedy.startswith("Publish what is missing")


@pytest.mark.parametrize("says", ["echo 3.15.0 alpha", "echo no such version >&2; exit 127"])
def test_a_python_that_is_no_release_or_does_not_run_is_passed_over(tmp_path: Path, says: str) -> None:
    python = tmp_path / "python3.15"
    python.write_text(f"#!/bin/sh\n{says}\n")
    python.chmod(0o755)

    assert uv.install(WHEEL, python, tmp_path / "venv", "http://127.0.0.1:1/simple/") is None
