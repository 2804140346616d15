"""Values that must not be shown."""

from __future__ import annotations

LONGEST_KEY = 4096
"""The longest key or token, in characters."""


def can_be_sent(value: str) -> bool:
    """Return whether ``value`` can be a key or token: sendable in a header, and neither empty nor too long."""
    return 0 < len(value) <= LONGEST_KEY and value.isascii() and value.isprintable() and " " not in value


class Secret:
    """A key or token that prints, logs and formats as asterisks.

    Args:
        value: The secret.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the code that sends or compares it."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"
