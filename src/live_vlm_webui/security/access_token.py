"""The token that is generated when sign-in is first needed, and kept in the data directory."""

from __future__ import annotations

import secrets
from pathlib import Path

from live_vlm_webui.config import data_dir
from live_vlm_webui.config.settings import SHORTEST_TOKEN
from live_vlm_webui.errors import SettingsError
from live_vlm_webui.secret import Secret, can_be_sent

FILE = "token"
CHARACTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""No two look alike: people type tokens."""
GROUPS = 6
GROUP = 4
"""24 characters out of 31: 118 bits."""


def token_path(directory: Path) -> Path:
    """Return the path of the token in a data directory."""
    return directory / FILE


def kept_token(directory: Path) -> Secret:
    """Return the token kept in ``directory``; generate one if there is none.

    Raises:
        SettingsError: It can be neither read nor created, or the file does not contain a token.
    """
    path = token_path(directory)
    with data_dir.locked(directory):
        content = data_dir.read_private(path)
        if content is not None:
            return _read(path, content)
        token = "-".join("".join(secrets.choice(CHARACTERS) for _ in range(GROUP)) for _ in range(GROUPS))
        data_dir.write(path, f"{token}\n".encode())
    return Secret(token)


def _read(path: Path, content: bytes) -> Secret:
    try:
        value = content.decode("ascii").strip()
    except UnicodeDecodeError:
        value = ""
    if len(value) < SHORTEST_TOKEN or not can_be_sent(value):
        raise SettingsError(
            f"{path} does not contain a token",
            f"Delete it to have one generated, or write one of at least {SHORTEST_TOKEN} ASCII characters to it.",
        )
    return Secret(value)
