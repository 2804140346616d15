"""The user's git, called as a program."""

from __future__ import annotations

from releaser.adapters.git.calls import GitTag
from releaser.adapters.git.repository import Git
from releaser.adapters.git.settings import Settings

__all__ = ["Git", "GitTag", "Settings"]
