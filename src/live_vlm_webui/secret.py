"""A value that must not be shown."""

from __future__ import annotations

LONGEST_KEY = 4096
"""Of keys and tokens, in characters."""


def can_be_sent(value: str) -> bool:
    """Whether ``value`` can be a key or token: all that goes into a header unchanged, and is not empty or too long."""
    return 0 < len(value) <= LONGEST_KEY and value.isascii() and value.isprintable() and " " not in value


class Secret:
    """Holds a key or token; shows itself as asterisks wherever it is printed, logged or formatted.

    Args:
        value: What to hide.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends or compares it."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"
