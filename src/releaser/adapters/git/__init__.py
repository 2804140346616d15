"""The user's git, called as a program."""

from __future__ import annotations

from releaser.adapters.git.repository import Git, GitTag
from releaser.adapters.git.settings import Settings

__all__ = ["Git", "GitTag", "Settings"]
