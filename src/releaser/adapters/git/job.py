"""Git in a job of a workflow: who commits and tags there, and how it logs in. Nothing of it is written to a file."""

from __future__ import annotations

import base64
import os
from dataclasses import replace

from releaser.adapters.environment import Changes
from releaser.adapters.git.repository import Git
from releaser.secret import Secret

_NAME, _EMAIL = "github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com"
BOT: Changes = {
    "GIT_AUTHOR_NAME": _NAME,
    "GIT_AUTHOR_EMAIL": _EMAIL,
    "GIT_COMMITTER_NAME": _NAME,
    "GIT_COMMITTER_EMAIL": _EMAIL,
}
# No hook, and no signature: a job has no key, and a commit that is made again must come out the same.
_SETTINGS = {
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "core.hooksPath": os.devnull,
    "i18n.commitEncoding": "utf-8",
}


def in_job(git: Git, server: str, token: Secret | None) -> Git:
    """Return the repository as a job uses it.

    Args:
        git: The checkout.
        server: The address that its remote is under; the login is sent there and nowhere else.
        token: What it logs in with, in calls to a remote alone.
    """
    settings: dict[str, str | Secret] = {**_SETTINGS}
    login: Changes = {}
    if token:
        basic = base64.b64encode(f"x-access-token:{token.reveal()}".encode()).decode()
        header = Secret(f"AUTHORIZATION: basic {basic}")
        login = _configured({**settings, f"http.{server.rstrip('/')}/.extraheader": header})
    return replace(git, own={**BOT, **_configured(settings)}, login=login)


def _configured(settings: dict[str, str | Secret]) -> Changes:
    """Return the variables that set git's settings for one call, after those that are set that way already."""
    first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    found: dict[str, str | Secret] = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings.items(), first):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found
