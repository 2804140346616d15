"""How pip's failures read, and waiting until pip finds a version."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from releaser.adapters.environment import check_of_proxies
from releaser.adapters.waiting import WaitLimits, wait_for
from releaser.errors import RERUN, CommandError, ServiceError

_Result = TypeVar("_Result")

_MISSING = re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)")
# Only the last attempt counts: after an earlier one the index may have answered.
_BROKEN = re.compile(
    r"total=0\b.* after connection broken by '(.*?)':? /|repository located at (\S+ is not a trusted or secure host)"
)
_CONFLICT = "ResolutionImpossible"
ALONE = (
    "Publish what is missing where users can get it, or change the project's dependencies. Further indexes, links, "
    "constraints and cooldowns of your own pip settings are not used here: users do not have them."
)


def explained(error: CommandError) -> CommandError | ServiceError:
    """Return the error for a pip that failed to install from one index alone, with what to do about it."""
    broken = _BROKEN.search(error.message)
    if broken and _MISSING.search(error.message):
        # pip gives up the connection and then finds "no versions", as if the index had answered.
        return ServiceError(
            f"pip could not reach its index: {broken[1] or broken[2]}",
            f"{check_of_proxies('PIP_PROXY')}, then rerun the command.",
        )
    if _MISSING.search(error.message) or _CONFLICT in error.message:
        return CommandError(f"Users could not install this: {error.message}", ALONE)
    return CommandError(error.message, RERUN)


def until_pip_finds(index: str, requirement: str, attempt: Callable[[], _Result], limits: WaitLimits) -> _Result:
    """Try until pip sees a version: the pages that pip reads may lag behind those that were asked before.

    Args:
        index: Which index pip reads, for messages.
        requirement: What pip is to find; that a dependency of it is missing will not change by waiting.
        attempt: Run pip.
        limits: How long and how often to try.

    Raises:
        CommandError: pip failed for another reason.
        WaitTimeoutError: pip did not find it in time.
    """
    results: list[_Result] = []
    name = canonicalize_name(Requirement(requirement).name)

    def succeeds() -> bool:
        try:
            results.append(attempt())
        except CommandError as error:
            missing = {canonicalize_name(found) for found in _MISSING.findall(error.message)}
            if missing == {name}:
                return False
            raise
        return True

    wait_for(index, "the version to pip", succeeds, limits)
    return results[0]
