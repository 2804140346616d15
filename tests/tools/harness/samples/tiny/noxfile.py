"""Sessions; they are part of a release where a test puts them into pyproject.toml."""

from __future__ import annotations

import os
import time
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"


@nox.session
def trial(session: nox.Session) -> None:
    """Fail if $TRIAL is `refuse`; if it is a path, make the file and last until somebody removes it; else pass."""
    how = os.environ.get("TRIAL", "")
    if how == "refuse":
        session.error("this project is not good enough")
    if how:
        Path(how).touch()
        while Path(how).exists():
            time.sleep(0.05)


@nox.session
def steady(session: nox.Session) -> None:
    """Pass."""


@nox.session(venv_backend="uv|virtualenv")
def smoke(session: nox.Session) -> None:
    """Install the wheel in an environment of the session's own, and import it."""
    session.install(os.environ["RELEASER_WHEEL"])
    session.run("python", "-c", "import tiny_thing")
