"""The decorator that makes a function a task of the menu."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from invoke.context import Context
from invoke.tasks import Task

from releaser.tasks.exits import reporting_errors

VERSION = {"version": "the version in SemVer form, such as 0.2.0 or 0.2.0-rc.1"}
"""The help of the option that most tasks have."""

_CONTEXT = inspect.Parameter("c", inspect.Parameter.POSITIONAL_OR_KEYWORD)


def task(
    *,
    name: str | None = None,
    help: Mapping[str, str] | None = None,  # noqa: A002  invoke's own name for it
    iterable: Iterable[str] = (),
    positional: Iterable[str] | None = None,
) -> Callable[[Callable[..., None]], Task[Callable[..., None]]]:
    """Return a decorator that makes a function a task, whose errors end it with a message and an exit code.

    Invoke gives every task its context. A function that needs it names its first parameter `c`; others leave it out.

    Args:
        name: What the task is called; by default the function's name.
        help: A sentence for each parameter.
        iterable: Parameters whose options may be repeated.
        positional: Parameters that are given without an option; None for those without a default.
    """

    def decorate(function: Callable[..., None]) -> Task[Callable[..., None]]:
        parameters = inspect.signature(function).parameters
        reported = reporting_errors(function)

        @functools.wraps(function)
        def body(c: Context, *args: Any, **options: Any) -> None:
            if "c" in parameters:
                reported(c, *args, **options)
            else:
                reported(*args, **options)

        options = [parameter for parameter in parameters.values() if parameter.name != _CONTEXT.name]
        vars(body)["__signature__"] = inspect.Signature([_CONTEXT, *options])  # which invoke makes options of
        return Task(body, name=name, help=dict(help or {}), iterable=list(iterable), positional=positional)

    return decorate


def is_dry(context: Context) -> bool:
    """Return whether invoke's own `--dry` was given: a task's dry run follows it."""
    return bool(context.config.run.dry)
