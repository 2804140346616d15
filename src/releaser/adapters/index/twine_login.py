"""What twine finds by itself when it is given no token: repositories, users and passwords."""

from __future__ import annotations

import os

from releaser.config.project import IndexConfig
from releaser.errors import UsageError


def credentials_from_twine(config: IndexConfig) -> bool:
    """Whether twine would find a password by itself: in its environment, in .pypirc or in the keyring.

    Raises:
        UsageError: .pypirc cannot be read.
    """
    from twine.auth import CredentialInput, Private
    from twine.exceptions import NonInteractive

    if os.environ.get("TWINE_PASSWORD"):
        return True
    repository = twine_repository(config)
    if repository is None:
        return False
    if repository.get("password"):
        return True
    resolver = Private(repository, CredentialInput())
    try:
        return bool(resolver.username and resolver.get_password_from_keyring())
    except NonInteractive:
        return False


def twine_repository(config: IndexConfig) -> dict[str, str | None] | None:
    """What twine knows of the repository: its address, and from .pypirc perhaps a user and a password.

    Raises:
        UsageError: .pypirc cannot be read.
    """
    from configparser import Error

    from twine import exceptions, utils

    if config.upload_url:
        return {"repository": config.upload_url}
    try:
        return utils.get_config("~/.pypirc").get(config.repository)
    except (exceptions.TwineException, Error, ValueError) as error:
        # Its text may quote the line with the password.
        raise UsageError(f"twine cannot read ~/.pypirc: {type(error).__name__}.", "Mend the file.") from None
