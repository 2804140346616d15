"""Calling git in one repository: which environment it gets, and how long a remote may take.

Calls to a remote have time limits. Others have none: a hook or a signature may wait for the user.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from releaser.adapters import process
from releaser.adapters.environment import Changes
from releaser.adapters.remotes import DEFAULT_LIMITS, SETTINGS, GitLimits, network_settings
from releaser.errors import CommandError

_QUIET: Changes = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    # Replaced objects (`git replace`) exist in one clone only; nothing that is pushed or built may show them.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
    "GIT_DIR": None,
    "GIT_WORK_TREE": None,
    "GIT_INDEX_FILE": None,
    "GIT_COMMON_DIR": None,
    "GIT_OBJECT_DIRECTORY": None,
    "GIT_NAMESPACE": None,
}


@dataclass(frozen=True)
class GitTag:
    """A tag: the object the ref holds, and the commit it leads to. Annotated tags are objects of their own."""

    object: str
    commit: str

    @property
    def annotated(self) -> bool:
        """Whether the ref holds a tag object and not the commit itself."""
        return self.object != self.commit


@dataclass(frozen=True)
class Calls:
    """One repository, at the top of one of its working trees (or bare), and how long its remotes may take.

    Attributes:
        root: Where it is.
        limits: How long its remotes may take.
        own: What every call has in its environment.
        login: What calls to a remote have in it too.
    """

    root: Path
    limits: GitLimits = DEFAULT_LIMITS
    own: Changes = field(default_factory=dict, repr=False, compare=False)
    login: Changes = field(default_factory=dict, repr=False, compare=False)

    def run(self, *words: str, check: bool = True, env: Changes | None = None, **options: Any) -> process.Output:
        """Run git for what it does."""
        return process.run(
            self._command(words, env),
            cwd=self.root,
            env={**_QUIET, **self.own, **(env or {})},
            check=check,
            purpose=_purpose(words),
            **options,
        )

    def ask(self, *words: str, env: Changes | None = None, **options: Any) -> process.Answer:
        """Run git for what it answers on stdout."""
        return process.ask(
            self._command(words, env),
            cwd=self.root,
            env={**_QUIET, **self.own, **(env or {})},
            purpose=_purpose(words),
            **options,
        )

    def _command(self, words: tuple[str, ...], env: Changes | None) -> list[str]:
        # With safe.bareRepository=explicit git uses no bare repository that it is not told of.
        bare = (self.root / "objects").is_dir() and (self.root / "HEAD").is_file()
        return ["git", *(["--git-dir=."] if bare and "GIT_DIR" not in (env or {}) else []), *words]

    def network(self) -> Changes:
        """Return what git's calls to a remote need in the environment."""
        return {**network_settings(self.line("config", "--get-regexp", SETTINGS, missing="")), **self.login}

    def lines(self, *words: str) -> list[str]:
        """Return the lines that git answers."""
        return self.ask(*words).text.splitlines()

    def line(self, *words: str, missing: str | None = None) -> str:
        """Return the one line that git answers; `missing`, if given, where it fails."""
        answer = self.ask(*words, check=missing is None)
        return answer.text.strip() if answer.status == 0 else str(missing)


def _purpose(words: tuple[str, ...]) -> str:
    while words[0] == "-c":
        words = words[2:]
    return f"git {words[0]}"


def last(error: CommandError, lines: int = 4) -> str:
    """Return what git wrote last before it failed."""
    said = [line for line in error.message.splitlines()[1:] if line.strip()]
    return " | ".join(said[-lines:])
