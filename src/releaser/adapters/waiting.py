"""Waiting for what was published to become visible: look, pause, look again, up to a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from releaser.core.activity import current
from releaser.errors import ServiceError, WaitTimeoutError

_ERRORS_IN_A_ROW = 3


@dataclass(frozen=True)
class WaitLimits:
    """How long to wait in all, and the first and the longest pause between two looks; in seconds."""

    timeout: float
    first_delay: float
    longest_delay: float


def wait_for(service: str, what: str, holds: Callable[[], bool], limits: WaitLimits) -> None:
    """Look again and again, with growing pauses, until `holds` is true.

    Args:
        service: Which service is asked, for messages.
        what: What it is to show, for messages.
        holds: Ask the service.
        limits: How long and how often.

    Raises:
        WaitTimeoutError: It did not become true in time.
        ServiceError: The service failed three times in a row.
        InterruptedRunError: The run was stopped.
    """
    activity = current()
    begun, delay, errors = activity.clock.now(), limits.first_delay, 0
    while True:
        try:
            if holds():
                return
            errors = 0
        except ServiceError:
            errors += 1
            if errors == _ERRORS_IN_A_ROW:
                raise
        waited = activity.clock.now() - begun
        if waited >= limits.timeout:
            raise WaitTimeoutError(
                f"{service} does not show {what} after {limits.timeout:.0f} s",
                "Rerun the command to continue waiting. Completed steps are not repeated.",
            )
        activity.tell(f"waiting for {service} to show {what}: {waited:.0f} s of at most {limits.timeout:.0f} s")
        activity.sleep(min(delay, limits.timeout - waited))
        delay = min(delay * 2, limits.longest_delay)
