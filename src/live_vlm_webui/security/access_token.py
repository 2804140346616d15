"""The token that is made at first start where others can reach the server, and kept."""

from __future__ import annotations

import secrets
from pathlib import Path

from live_vlm_webui.config import data_dir
from live_vlm_webui.config.settings import SHORTEST_TOKEN
from live_vlm_webui.errors import SettingsError
from live_vlm_webui.secret import Secret, can_be_sent

FILE = "token"
SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
"""None of them looks like another: people type tokens."""
GROUPS = 6
GROUP = 4
"""24 signs of 31: 118 bits."""


def token_path(directory: Path) -> Path:
    """Where the token is kept in a data directory."""
    return directory / FILE


def kept_token(directory: Path) -> Secret:
    """The token kept in ``directory``; made if there is none.

    Raises:
        SettingsError: It can be neither read nor made, or what is there is no token.
    """
    path = token_path(directory)
    with data_dir.locked(directory):
        content = data_dir.read_private(path)
        if content is not None:
            return _read(path, content)
        token = "-".join("".join(secrets.choice(SIGNS) for _ in range(GROUP)) for _ in range(GROUPS))
        data_dir.write(path, f"{token}\n".encode())
    return Secret(token)


def _read(path: Path, content: bytes) -> Secret:
    try:
        value = content.decode("ascii").strip()
    except UnicodeDecodeError:
        value = ""
    if len(value) < SHORTEST_TOKEN or not can_be_sent(value):
        raise SettingsError(
            f"{path} does not hold a token.",
            f"Delete it to have one made, or put one of at least {SHORTEST_TOKEN} ASCII characters there.",
        )
    return Secret(value)
