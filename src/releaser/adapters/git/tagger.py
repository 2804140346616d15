"""Who made a tag, where and when: of two releases at once, the one that lost names the other by it."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from releaser.adapters.git.calls import GitTag
from releaser.adapters.git.repository import Git
from releaser.errors import CommandError


def tagged_by(git: Git, remote: str, tag: GitTag) -> str:
    """Return who made an annotated tag of the remote, where and when, as it follows the tag; empty if not told."""
    try:
        if git.ask("cat-file", "-e", tag.object, check=False).status != 0:
            git.fetch_objects(remote, tag.object)
        content = git.ask("cat-file", "-p", tag.object).text
    except CommandError:
        return ""
    found = re.search(r"^tagger (.*>) (\d+) [+-]\d{4}$", content, re.MULTILINE)
    if not found:
        return ""
    when = datetime.fromtimestamp(int(found[2]), timezone.utc)
    where = re.search(r"^Released-on: (.+)$", content, re.MULTILINE)
    return f", made by {found[1]}{f' on {where[1]}' if where else ''} at {when:%Y-%m-%d %H:%M} UTC"
