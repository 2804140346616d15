"""English grammar for answers: plurals, numbers in words, lists."""

from __future__ import annotations

from collections.abc import Sequence

PLURALS = {
    "person": "people",
    "sheep": "sheep",
    "knife": "knives",
    "computer mouse": "computer mice",
    "fish": "fish",
    "cup of coffee": "cups of coffee",
}
WITHOUT_PLURAL = ("skis", "scissors", "broccoli", "bread", "ice cream", "fruit", "vegetables", "corn", "mountains")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def plural(name: str) -> str:
    """Return the plural of ``name``."""
    if name in PLURALS:
        return PLURALS[name]
    if name in WITHOUT_PLURAL:
        return name
    if name.endswith(("s", "x", "ch", "sh")):
        return name + "es"
    if name.endswith("y") and name[-2] not in "aeiou":
        return name[:-1] + "ies"
    return name + "s"


def number(count: int) -> str:
    """Return ``count`` in words up to ten, else in digits."""
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Return ``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def sentence(text: str) -> str:
    """Return ``text`` with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?", ":")) else ".")
