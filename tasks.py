"""The project's tasks: `invoke --list`. All of them are the release engine's, configured in pyproject.toml."""

from releaser.tasks import namespace

__all__ = ["namespace"]
