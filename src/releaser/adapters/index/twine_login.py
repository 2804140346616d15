"""Where an index is, and what twine finds by itself when it is given no token: repositories, users and passwords."""

from __future__ import annotations

import json
import os
import sys
from configparser import Error
from dataclasses import dataclass
from pathlib import Path

from releaser.adapters import process
from releaser.errors import ServiceError, UsageError
from releaser.secret import Secret

KEYRING_S = 20.0
"""How long the keyring may take: it may start a daemon, or wait for an answer that no one gives."""


@dataclass(frozen=True)
class IndexAddress:
    """Where an index is.

    Attributes:
        repository: twine's name for it.
        upload_url: Where uploads go; None leaves it to twine, which knows `repository`.
        simple_url: The base of the simple API; None is PyPI's or TestPyPI's.
        web_url: The base of the pages for people; None is the host of the simple API.
    """

    repository: str = "pypi"
    upload_url: str | None = None
    simple_url: str | None = None
    web_url: str | None = None


def credentials_from_twine(address: IndexAddress, token_env: str, within: float = KEYRING_S) -> bool:
    """Return whether twine would find a password by itself: in its environment, in .pypirc or in the keyring.

    The keyring is asked in a process of its own: some of its backends start programs, which then get no credentials,
    and some wait for an answer on a screen that is not here.

    Args:
        address: The index.
        token_env: The variable to set instead, for messages.
        within: Seconds that the keyring may take.

    Raises:
        ServiceError: The keyring did not answer in time.
        UsageError: .pypirc cannot be read.
    """
    if os.environ.get("TWINE_PASSWORD"):
        return True
    repository = twine_repository(address)
    if repository is None:
        return False
    if repository.get("password"):
        return True
    command = [sys.executable, "-m", __name__, json.dumps(repository)]
    try:
        return process.ask(command, cwd=Path(sys.prefix), check=False, within=within).status == 0
    except process.NoAnswerError:
        raise ServiceError(
            f"The keyring did not say within {within:.0f} s whether it has a password for {address.repository}",
            f"Unlock it, or do without it: set {token_env}, or PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring; "
            "then rerun the command.",
        ) from None


def twine_settings() -> dict[str, str | Secret]:
    """Return twine's own variables, for the one program that gets them: twine, when it uploads."""
    return {
        name: Secret(value) if name == "TWINE_PASSWORD" else value
        for name, value in os.environ.items()
        if name.startswith("TWINE_")
    }


def twine_repository(address: IndexAddress) -> dict[str, str | None] | None:
    """Return what twine knows of the repository: its address, and from .pypirc perhaps a user and a password.

    Raises:
        UsageError: .pypirc cannot be read.
    """
    from twine import exceptions, utils

    if address.upload_url:
        return {"repository": address.upload_url}
    try:
        return utils.get_config("~/.pypirc").get(address.repository)
    except (exceptions.TwineException, Error, ValueError) as error:
        # Its text may quote the line with the password.
        raise UsageError(f"twine cannot read ~/.pypirc: {type(error).__name__}", "Fix the file.") from None


def _keyring_has_password(repository: dict[str, str | None]) -> bool:
    from twine.auth import CredentialInput, Private
    from twine.exceptions import NonInteractive

    resolver = Private(repository, CredentialInput())
    try:
        return bool(resolver.username and resolver.get_password_from_keyring())
    except NonInteractive:
        return False


if __name__ == "__main__":
    sys.exit(0 if _keyring_has_password(json.loads(sys.argv[1])) else 1)
