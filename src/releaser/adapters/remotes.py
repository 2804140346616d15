"""What is particular to git's remotes: their addresses, time limits, and settings for the programs that reach them."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

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


_SCP = re.compile(r"(?:[^@:/]+@)?([^@:/]+):(?!//)(.+)")
# Hosts under which a forge is also reached, by ssh on the port of https.
_OTHER_DOORS = re.compile(r"^(?:alt)?ssh\.(?=.*\.)")


def where_of(address: str, root: Path) -> tuple[str, str]:
    """Return host and path that an address leads to, however it is written; a local one has no host.

    Args:
        address: https, ssh, user@host:path, file, or a path.
        root: What a relative path is relative to.
    """
    match = re.fullmatch(r"(\w[\w+.-]*)://(?:[^/@]*@)?([^/]*?)(?::\d+)?(/.*)", address)
    if match and match[1] != "file":
        host, path = match[2], match[3]
    elif match is None and (scp := _SCP.fullmatch(address)):
        host, path = scp[1], scp[2]
    else:
        local = root / (match[3] if match else address)
        return "", str(local.resolve()).removesuffix("/.git")
    return _OTHER_DOORS.sub("", host.lower()), path.strip("/").removesuffix(".git").lower()


def ssh_host(settings: str) -> str | None:
    """Return the host name in what `ssh -G` prints; None if there is none."""
    found = next((line for line in settings.splitlines() if line.startswith("hostname ")), "")
    return _OTHER_DOORS.sub("", found.removeprefix("hostname ").strip().lower()) or None


def repository_of(url: str) -> str | None:
    """Return OWNER/NAME from a remote's address: https, ssh or user@host:OWNER/NAME; None for other forms."""
    match = re.fullmatch(r"(?:https?://[^/]+/|ssh://[^/]+/|[^@:/]+@[^:/]+:)([^/]+/[^/]+?)(?:\.git)?/?", url)
    return match[1] if match else None
