"""How large an installation is: all that pip puts into a new environment, byte code included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
MEGABYTE = 1_000_000


def size(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file() and not path.is_symlink())


def test_an_installation(figure, tmp_path):
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True, capture_output=True)
    empty = size(environment)
    package = os.environ.get("RELEASER_WHEEL") or str(ROOT)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    # Compiled afterwards, to the same byte code, by all processors; some templates are no Python and do not compile.
    install = [python, "-m", "pip", "install", "--quiet", "--no-compile", package]
    compile_all = [python, "-m", "compileall", "-q", "-j", "0", "-x", r"[/\\]pip[/\\]", environment / "lib"]
    for command in (install, compile_all):
        subprocess.run(command, check=command is install, capture_output=True)
    whole = size(environment)
    figure(
        "installed size in a clean environment",
        whole / MEGABYTE,
        budget=340,
        unit="MB",
        reference=f"pip itself is {empty / MEGABYTE:.0f} of them",
    )
