"""What the tasks do, one module for each subject.

A module is imported when a task first uses it, so that `invoke --list` and tab completion start fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from releaser.commands import (
        build,
        changelog,
        ci,
        docker_build,
        handed_images,
        images,
        inspect,
        rehearse,
        release,
        report,
        rollback,
        version,
        watch,
    )

__all__ = [
    "build",
    "changelog",
    "ci",
    "docker_build",
    "handed_images",
    "images",
    "inspect",
    "rehearse",
    "release",
    "report",
    "rollback",
    "version",
    "watch",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> ModuleType:
        """Import a module of this package."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module(f"{__name__}.{name}")
