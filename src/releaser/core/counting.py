"""Write a number with its noun."""

from __future__ import annotations


def count_of(number: int, one: str, many: str | None = None) -> str:
    """Return "1 file" or "3 files".

    Args:
        number: How many there are.
        one: The noun for one.
        many: The noun for more; by default, with an s.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
