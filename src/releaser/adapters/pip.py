"""What the user's pip is told to install from."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

from releaser.adapters import process
from releaser.secret import Redactor


def index_url() -> str | None:
    """The simple API that the environment or pip's configuration names; None where pip is left to its default.

    What the configuration names comes without the credentials that may stand in it: it becomes a program's argument.
    """
    return os.environ.get("PIP_INDEX_URL") or _configured() or None


@cache  # pip takes half a second to say it, and is set up before a run
def _configured() -> str:
    words = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    found = process.ask(words, cwd=Path.home(), check=False)
    return Redactor()(found.text.strip()) if found.status == 0 else ""
