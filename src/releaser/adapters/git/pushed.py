"""What a push that failed has come to: the remote may have stored it, and only the answer be lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from releaser.adapters.git.calls import Calls
from releaser.errors import CommandError, ServiceError

NOTHING = "nothing of it arrived"
UNKNOWN = "whether it arrived is unknown"
# How `git push --porcelain` begins the line of a ref that was refused, here or by the remote.
_REFUSED = re.compile(r"^!\t", re.MULTILINE)


def left_undone(git: Calls, refspecs: Iterable[str], error: CommandError, ask: Callable[[], Mapping[str, str]]) -> str:
    """Return, in words, what did not arrive; empty if the remote holds all that was pushed.

    Args:
        git: The repository that was pushed from.
        refspecs: What was pushed, all of it or nothing: `OBJECT:REF`, `:REF`, or `REF` with its full name.
        error: How that failed.
        ask: Asks the remote for its refs, by full name.
    """
    if _REFUSED.search(error.message):
        return NOTHING
    try:
        held = ask()
    except ServiceError:
        return UNKNOWN
    for spec in refspecs:
        source, colon, ref = spec.partition(":")
        wanted = git.line("rev-parse", "--verify", source, missing="") if source else ""
        if held.get(ref if colon else source, "") != wanted:
            return NOTHING
    return ""
