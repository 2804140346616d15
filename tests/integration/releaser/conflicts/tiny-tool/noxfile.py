"""Sessions of two kinds; which of them a release must pass, the tests write into pyproject.toml."""

from __future__ import annotations

import sys

import nox

nox.options.default_venv_backend = "none"


@nox.session
def linger(session: nox.Session) -> None:
    """Takes as long as somebody lets it: for tests that interrupt a release."""
    session.run(sys.executable, "linger.py", external=True)


@nox.session
def refuse(session: nox.Session) -> None:
    """Never passes."""
    session.error("this project is not good enough")
