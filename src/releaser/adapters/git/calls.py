"""Calling git in one repository: which environment it gets, and how long a remote may take.

Calls to a remote have time limits. Others have none: a hook or a signature may wait for the user.
"""

from __future__ import annotations

from dataclasses import dataclass
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
class Calls:
    """One repository, at the top of one of its working trees (or bare), and how long its remotes may take."""

    root: Path
    limits: GitLimits = DEFAULT_LIMITS

    def _git(self, *words: str, check: bool = True, env: Changes | None = None, **options: Any) -> process.Output:
        return process.run(
            self._command(words),
            cwd=self.root,
            env={**_QUIET, **(env or {})},
            check=check,
            purpose=f"git {words[0]}",
            **options,
        )

    def _ask(self, *words: str, env: Changes | None = None, **options: Any) -> process.Answer:
        return process.ask(
            self._command(words), cwd=self.root, env={**_QUIET, **(env or {})}, purpose=f"git {words[0]}", **options
        )

    def _command(self, words: tuple[str, ...]) -> list[str]:
        # With safe.bareRepository=explicit git uses no bare repository that it is not told of.
        bare = (self.root / "objects").is_dir() and (self.root / "HEAD").is_file()
        return ["git", *(["--git-dir=."] if bare else []), *words]

    def _network(self) -> Changes:
        return network_settings(self._line("config", "--get-regexp", SETTINGS, missing=""))

    def _lines(self, *words: str) -> list[str]:
        return self._ask(*words).text.splitlines()

    def _line(self, *words: str, missing: str | None = None) -> str:
        answer = self._ask(*words, check=missing is None)
        return answer.text.strip() if answer.status == 0 else str(missing)


def last(error: CommandError, lines: int = 4) -> str:
    """Return what git wrote last before it failed."""
    said = [line for line in error.message.splitlines()[1:] if line.strip()]
    return " | ".join(said[-lines:])
