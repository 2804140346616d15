"""The Pythons that jobs ask for: an environment for each job, made from what this machine has.

Packages that a job's first `pip install` line put into its environment are there from the start in the next job's that
has the same lines, as on a machine that keeps its tools; a job with others must do with what these install. Each job's
own lines run all the same.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from releaser.adapters import process
from releaser.errors import CommandError

Run = Callable[[Sequence[str | Path]], int]
_ASK = "import sys; print('%d.%d' % sys.version_info[:2])"
_ASK_S = 20.0
_OLDEST = 8
"""The minor version of the oldest Python that is tried instead of a missing one."""
_OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"


@dataclass(frozen=True)
class Interpreter:
    """A Python of this machine.

    Attributes:
        path: The program.
        version: Its version, such as "3.12".
        asked: The version that a job asks for.
        why: Why it is another.
    """

    path: Path
    version: str
    asked: str
    why: str = "this machine has none"

    @property
    def unproven(self) -> str | None:
        """What the rehearsal does not show for want of the version that was asked for."""
        if self.version == self.asked:
            return None
        return f"Python {self.asked}: {self.why}, so {self.version} ran in its place"


def installs(script: str) -> bool:
    """Return whether a `run` line puts packages into the job's environment."""
    return script.lstrip().startswith("python -m pip install")


def tools_of(scripts: Iterable[str]) -> str:
    """Return a name for what a job's lines install."""
    return hashlib.sha256("\n".join(filter(installs, scripts)).encode()).hexdigest()[:12]


class Pythons:
    """The environments of a stand-in.

    Args:
        root: Where what they start from is kept.
        of_images: The version that runs instead of one that a job asks for, because the images' base has it.
    """

    def __init__(self, root: Path, of_images: Mapping[str, str] | None = None) -> None:
        self._root = root
        self._of_images = of_images or {}
        self._found: dict[str, Interpreter] = {}

    def interpreter(self, asked: str) -> Interpreter:
        """Return the Python of a version, such as "3.12"; where there is none, the newest before it, or this one."""
        if asked not in self._found:
            version = self._of_images.get(asked)
            if version and (path := find(version)):
                found = Interpreter(path, version, asked, f"the images' base here has {version}")
            elif path := find(asked):
                found = Interpreter(path, asked, asked)
            else:
                found = Interpreter(*_before(asked), asked)
            self._found[asked] = found
        return self._found[asked]

    def create(self, interpreter: Interpreter, tools: str, target: Path, run: Run) -> bool:
        """Make an environment of an interpreter at `target`, for those tools; return whether that worked."""
        kept = self._kept(interpreter, tools)
        if kept.exists():
            shutil.copytree(kept, target, symlinks=True)
            _move((kept / "made-at").read_text("utf-8"), target)
            return True
        made = [sys.executable, "-m", "virtualenv", "--quiet", "--no-periodic-update", "--python"]
        return run([*made, interpreter.path, target]) == 0

    def keep(self, interpreter: Interpreter, tools: str, environment: Path) -> None:
        """Have the next environment for the same tools start as this one, unless another was kept already."""
        kept = self._kept(interpreter, tools)
        if kept.exists():
            return
        partial = kept.with_name(f"{kept.name}.{environment.parent.name}")
        shutil.copytree(environment, partial, symlinks=True)
        (partial / "made-at").write_text(str(environment), "utf-8")
        try:
            partial.rename(kept)
        except OSError:  # another job was first
            shutil.rmtree(partial, ignore_errors=True)

    def _kept(self, interpreter: Interpreter, tools: str) -> Path:
        self._root.mkdir(parents=True, exist_ok=True)
        return self._root / f"python-{interpreter.version}-{tools}"


def find(asked: str) -> Path | None:
    """Return this machine's Python of a version, such as "3.12"; None where it has none."""
    if asked == _OWN:
        return Path(sys.executable)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    on_path = shutil.which(f"python{asked}")
    candidates = [Path(on_path)] if on_path else []
    candidates += sorted(pyenv.glob(f"{asked}.*/bin/python")) if pyenv.is_dir() else []
    for one in candidates:
        try:
            said = process.ask([one, "-c", _ASK], cwd=Path(sys.prefix), check=False, within=_ASK_S)
        except CommandError:
            continue
        if said.status == 0 and said.text.strip() == asked:
            return one
    return None


def _before(asked: str) -> tuple[Path, str]:
    """Return this machine's newest Python that is older than a version, and its own version; else the one of this."""
    minor = asked.removeprefix("3.")
    for one in range(int(minor) - 1, _OLDEST - 1, -1) if minor.isdecimal() else ():
        if path := find(f"3.{one}"):
            return path, f"3.{one}"
    return Path(sys.executable), _OWN


def _move(before: str, target: Path) -> None:
    """Have the programs of a copied environment start its own Python, and not that of the environment it is of."""
    for path in (target / "bin").iterdir():
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if before.encode() in content:
            path.write_bytes(content.replace(before.encode(), str(target).encode()))
