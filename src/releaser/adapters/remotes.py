"""What is particular to git's remotes: their addresses, time limits, and settings for the programs that reach them."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass

# Less than a byte a second for a minute: a server sends more than that even while its hooks run.
_LOW_SPEED = {"GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "60"}
_SSH_SETTINGS = {"GIT_SSH", "GIT_SSH_COMMAND", "SSH_ASKPASS"}
SETTINGS = r"^(core\.sshcommand|http\..*lowspeed.*)$"
"""A pattern of the names of git's settings that `network_settings` wants to know."""


@dataclass(frozen=True)
class GitLimits:
    """Seconds that a call to a remote may take.

    Attributes:
        ask: To list its refs.
        transfer: To fetch or push, with the hooks that run meanwhile.
    """

    ask: float = 60.0
    transfer: float = 1800.0


DEFAULT_LIMITS = GitLimits()


def network_settings(configured: str) -> dict[str, str]:
    """Return variables for git's calls to a remote; what the user has set for this is left alone.

    An HTTP server that has gone silent is given up before the time limit. Without a terminal, ssh asks for no password.

    Args:
        configured: What git has configured of `SETTINGS`.
    """
    configured, found = configured.lower(), {}
    if "lowspeed" not in configured and not _LOW_SPEED.keys() & os.environ.keys():
        found.update(_LOW_SPEED)
    terminal = sys.stdin is not None and sys.stdin.isatty()
    if not terminal and "sshcommand" not in configured and not _SSH_SETTINGS & os.environ.keys():
        found["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    return found


def repository_of(url: str) -> str | None:
    """Return OWNER/NAME from a remote's address: https, ssh or user@host:OWNER/NAME; None for other forms."""
    match = re.fullmatch(r"(?:https?://[^/]+/|ssh://[^/]+/|[^@:/]+@[^:/]+:)([^/]+/[^/]+?)(?:\.git)?/?", url)
    return match[1] if match else None
