"""The user's git, called as a program."""

from __future__ import annotations

from releaser.adapters.git.repository import Git, GitTag

__all__ = ["Git", "GitTag"]
