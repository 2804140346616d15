"""Follow the workflows of a release; a stop here stops none of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from releaser import engine
from releaser.commands.opening import opened_release
from releaser.core.step import Done, said
from releaser.errors import InterruptedRunError, UsageError
from releaser.plan import watch_plan
from releaser.release import Release
from releaser.steps.ci.taking_part import is_carried_out, published_by


def watch(start: Path, version: str | None) -> None:
    """Run `invoke watch`.

    Raises:
        UsageError: No workflow takes part in releases of this project.
        ConflictError: No run was started.
        StepError: A run failed.
        WaitTimeoutError: Nothing about a run changed for as long as a release waits for anything.
        ServiceError: The forge refused, or did not respond.
    """
    opened = opened_release(start, version)
    carried_out = is_carried_out(opened)
    started_by = opened.config.release_workflow if carried_out else ""
    plan = watch_plan(started_by, published_by(opened, carried_out=carried_out))
    if not plan:
        raise UsageError(
            "No workflow takes part in a release of this project",
            'Set run = "ci" in [tool.releaser], or via = "ci" for an index or the images.',
        )
    with leaving_it_running(opened, watching=True):
        results = engine.watch(opened, plan)
    redact = opened.redactor()
    for result in results:
        if isinstance(result.outcome, Done):
            print(redact(said(result.outcome)))


@contextmanager
def leaving_it_running(opened: Release, *, watching: bool = False) -> Iterator[None]:
    """Say after a stop which run goes on, and how to follow it again.

    Args:
        opened: The release.
        watching: Whether the block only watches.

    Raises:
        InterruptedRunError: The block was stopped.
    """
    try:
        yield
    except InterruptedRunError as stop:
        started = opened.store.chain.newest("dispatched") if opened.config.run == "ci" else None
        if not watching and started is None:
            raise
        where = f": {started['url']}" if started else ""
        raise stop.reworded(
            f"{stop.message}; the workflow goes on{where}",
            f"Run `invoke watch --version {opened.version}` to follow it again"
            + ("." if watching else ", or rerun the command, which attaches to it."),
        ) from None
