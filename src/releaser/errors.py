"""What can go wrong, drawn as one tree.

::

    ReleaserError                 every error that has a remedy; anything else that escapes is a bug of ours
    ├── UsageError         exit 2  the command line or the project's configuration is wrong; nothing was changed
    │   ├── ConfigError            pyproject.toml's [tool.releaser]
    │   ├── VersionError           a version that cannot be released, or version files that cannot be read
    │   └── ChangelogError         a changelog that cannot be read, rotated or published
    ├── ConflictError      exit 3  what was found differs from what this release needs; nothing was changed
    ├── StepError          exit 1  a step could not make its fact true
    │   ├── CommandError           a program that a step called failed
    │   ├── ServiceError           the index, the forge or the remote answered with an error, or not at all
    │   ├── ToleratedError         a step could not be done, which ends as a warning: the run is complete without it
    │   └── WaitTimeoutError  exit 5  what was published did not become visible in the configured time
    ├── StaysError       exit 7  a rollback took back what can be taken back, and something stays
    ├── PublishedError     exit 6  the release is published, and a check of what users get failed
    ├── NotConfirmedError  exit 4  the question before publishing was answered no, or could not be asked
    └── InterruptedRunError  exit 130 (Ctrl-C) or 143 (SIGTERM)

Each message says what happened and to what; ``remedy`` says what to do next.
"""

from __future__ import annotations

import copy
from typing import TypeVar

_Error = TypeVar("_Error", bound="ReleaserError")

RERUN = "Fix the problem above and rerun the command. Completed steps are not repeated."
"""The remedy where the message says all that can be said about the cause."""


class ReleaserError(Exception):
    """An error with a remedy.

    Args:
        message: What happened, and to what: a sentence without a final full stop.
        remedy: What to do next: an instruction that starts with a verb.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def reworded(self: _Error, message: str, remedy: str) -> _Error:
        """Return the same error with another text."""
        other = copy.copy(self)
        other.args, other.message, other.remedy = (message,), message, remedy
        return other

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class UsageError(ReleaserError):
    """The command line or the project's configuration is wrong; nothing was changed."""

    exit_code = 2


class ConfigError(UsageError):
    """[tool.releaser] in pyproject.toml is wrong."""


class VersionError(UsageError):
    """A version that cannot be released, or a version file that cannot be read or changed."""


class ChangelogError(UsageError):
    """A changelog that cannot be read, rotated or published."""


class ConflictError(ReleaserError):
    """What was found differs from what this release needs; nothing was changed."""

    exit_code = 3


class StepError(ReleaserError):
    """A step could not make its fact true."""


class CommandError(StepError):
    """A program that a step called failed; the message ends with its last lines."""


class ServiceError(StepError):
    """The index, the forge, the registry or the git remote refused, failed or did not respond."""


class ToleratedError(StepError):
    """A step could not be done, and the run is complete without it: it ends as a warning."""


class PublishedError(ReleaserError):
    """What a run is for is achieved, and a check of it failed."""

    exit_code = 6


class StaysError(ReleaserError):
    """A rollback took back what can be taken back, and something of the version stays."""

    exit_code = 7


class WaitTimeoutError(StepError):
    """What was published did not become visible in the configured time; running again continues to wait."""

    exit_code = 5


class NotConfirmedError(ReleaserError):
    """The question before publishing was answered no, or could not be asked."""

    exit_code = 4


class InterruptedRunError(ReleaserError):
    """Ctrl-C or SIGTERM stopped the run; the same command continues it.

    Args:
        message: See `ReleaserError`.
        remedy: See `ReleaserError`.
        exit_code: 128 and the signal's number.
    """

    exit_code = 130

    def __init__(self, message: str, remedy: str = "", exit_code: int = 130) -> None:
        super().__init__(message, remedy)
        self.exit_code = exit_code
