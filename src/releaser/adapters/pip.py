"""What the user's pip installs from, and waiting until it finds a version."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

from releaser.adapters import process
from releaser.adapters.waiting import WaitLimits, wait_for
from releaser.errors import CommandError
from releaser.secret import Redactor

_Result = TypeVar("_Result")


def index_url() -> str | None:
    """Return the simple API that the environment or pip's configuration names; None where pip is left to its default.

    It comes without credentials: it becomes a program's argument, which every user of this machine can read.
    """
    return Redactor()(os.environ.get("PIP_INDEX_URL", "")) or _configured() or None


@cache  # pip takes half a second to say it, and is set up before a run
def _configured() -> str:
    words = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    found = process.ask(words, cwd=Path.home(), check=False)
    return Redactor()(found.text.strip()) if found.status == 0 else ""


def until_pip_finds(index: str, attempt: Callable[[], _Result], limits: WaitLimits) -> _Result:
    """Try until pip sees the version: the pages that pip reads may lag behind those that were asked before.

    Args:
        index: Which index pip reads, for messages.
        attempt: Run pip.
        limits: How long and how often to try.

    Raises:
        CommandError: pip failed for another reason.
        WaitTimeoutError: pip did not find it in time.
    """
    results: list[_Result] = []

    def succeeds() -> bool:
        try:
            results.append(attempt())
        except CommandError as error:
            if "No matching distribution" in error.message:
                return False
            raise
        return True

    wait_for(index, "the version to pip", succeeds, limits)
    return results[0]
