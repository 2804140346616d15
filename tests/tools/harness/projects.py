"""Sample projects: made once, each with a bare remote, and copied."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SAMPLES = Path(__file__).with_name("samples")


def git(where: Path, *words: str | Path, given: str | None = None) -> str:
    """Return what git prints in a repository, whatever the configuration of the machine; ``given`` is what it reads."""
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    who = ("-c", "user.name=Sample", "-c", "user.email=sample@localhost")
    command = ["git", *who, *words]
    done = subprocess.run(command, cwd=where, input=given, capture_output=True, text=True, env={**clean, **own})
    if done.returncode != 0:
        raise AssertionError(f"git {' '.join(map(str, words))}: {done.stderr}")
    return done.stdout.rstrip("\n")


def digests(folder: Path, *, skip: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the sha256 of each file by its path; files and folders named in ``skip`` are left out."""
    found = {}
    for directory, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in skip]
        for name in files:
            if name not in skip:
                path = Path(directory, name)
                found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@dataclass(frozen=True)
class Project:
    """A sample project in a git checkout, with a bare remote next to it."""

    path: Path
    distribution: str
    branch: str
    remote: str

    @classmethod
    def create(cls, sample: str, path: Path, distribution: str, branch: str, remote: str, more: str = "") -> Project:
        """Commit a sample, with ``more`` at the end of its pyproject.toml, and a remote that is level with it."""
        project = cls(path, distribution, branch, remote)
        shutil.copytree(SAMPLES / sample, path, ignore=shutil.ignore_patterns("__pycache__"))
        pyproject = path / "pyproject.toml"
        pyproject.write_text(pyproject.read_text("utf-8") + more, "utf-8")
        # Without git's template: a repository without sample hooks is copied and compared in half the time.
        git(path, "init", "--quiet", "--template=", f"--initial-branch={branch}")
        git(path, "init", "--quiet", "--template=", "--bare", f"--initial-branch={branch}", project.origin)
        git(path, "remote", "add", remote, project.origin)
        project.commit("A project")
        return project

    @property
    def origin(self) -> Path:
        """The bare remote."""
        return self.path.with_name(f"{self.path.name}.git")

    def copied(self, path: Path) -> Project:
        """Copy the checkout and its remote to another place."""
        copy = Project(path, self.distribution, self.branch, self.remote)
        shutil.copytree(self.path, copy.path, symlinks=True)
        shutil.copytree(self.origin, copy.origin, symlinks=True)
        config = copy.path / ".git" / "config"
        config.write_text(config.read_text("utf-8").replace(str(self.origin), str(copy.origin)), "utf-8")
        return copy

    def write(self, name: str, text: str) -> None:
        """Write one file."""
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text, "utf-8", newline="")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace a text that is in a file exactly once."""
        text = (self.path / name).read_text("utf-8")
        if text.count(old) != 1:
            raise AssertionError(f"{name} has {old!r} {text.count(old)} times")
        self.write(name, text.replace(old, new))

    def commit(self, message: str = "A change") -> None:
        """Commit everything and push it."""
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--message", message)
        git(self.path, "push", "--quiet", self.remote, self.branch)

    def configure(self, old: str, new: str) -> None:
        """Change pyproject.toml, committed and pushed."""
        self.replace("pyproject.toml", old, new)
        self.commit("Another configuration")

    def git(self, *words: str | Path, given: str | None = None) -> str:
        """Return what git prints in the checkout; ``given`` is what it reads."""
        return git(self.path, *words, given=given)

    def head(self) -> str:
        """Return the commit that is checked out."""
        return git(self.path, "rev-parse", "HEAD")

    def snapshot(self) -> dict[str, str]:
        """Return every file by its hash, those of .git too: HEAD, index, refs, configuration, objects."""
        # Python leaves its cache next to tasks.py; the project ignores it.
        return digests(self.path, skip=("__pycache__",))
