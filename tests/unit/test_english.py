"""The English of src/: the form of error messages and their remedies, and words that are not used."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_BANNED = re.compile(r"\b(mend|mends|mended|anew|whoever|nobody|besides|the world)\b", re.IGNORECASE)
_WITH_REMEDY = ("Error", "Conflict")
_WORDS_OF_OTHERS = ("RefusedError",)  # raised by the stand-ins, with the words of PyPI and GitHub


def faults(source: str, name: str) -> list[str]:
    """Return what is wrong with the texts of a module, each with its file and line."""
    tree = ast.parse(source)
    found = [f"{name}:{line}: `{word}` is not used" for line, word in _banned_words(tree)]
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        kind = ast.unparse(call.func).rpartition(".")[2]
        if not kind.endswith(_WITH_REMEDY) or hasattr(builtins, kind) or kind in _WORDS_OF_OTHERS:
            continue
        message, remedy = ([_text(one) for one in call.args] + [None, None])[:2]
        if message is not None and message.endswith(".") and not message.endswith(".."):
            found.append(f"{name}:{call.lineno}: the message of {kind} ends with a full stop")
        if remedy is not None and not re.match(r"[A-Z\0]", remedy):
            found.append(f"{name}:{call.lineno}: the remedy of {kind} does not begin with a capital letter")
    return found


def _banned_words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for match in _BANNED.finditer(node.value):
                yield node.lineno + node.value[: match.start()].count("\n"), match[0]


def _text(node: ast.expr) -> str | None:
    """Return a literal text, with NUL for each inserted value; None for any other expression."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return f"{_text(node.left) or chr(0)}{_text(node.right) or chr(0)}"
    return None


def test_messages_and_remedies_have_one_form_and_no_banned_words():
    modules = sorted((ROOT / "src").rglob("*.py"))
    assert len(modules) > 100
    found = [one for path in modules for one in faults(path.read_text("utf-8"), str(path.relative_to(ROOT)))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('raise StepError("It broke.", "Fix it.")', "m.py:1: the message of StepError ends with a full stop"),
        ('raise StepError(f"{it} broke.", "Fix it.")', "m.py:1: the message of StepError ends with a full stop"),
        ('raise e.UsageError("It " + "broke.", "Fix it.")', "m.py:1: the message of UsageError ends with a full stop"),
        ('Conflict("it broke.", "Fix it.")', "m.py:1: the message of Conflict ends with a full stop"),
        ('Conflict("it broke", "")', "m.py:1: the remedy of Conflict does not begin with a capital letter"),
        ('Conflict("it broke", "`fix it`.")', "m.py:1: the remedy of Conflict does not begin with a capital letter"),
        ('"""One.\n\nIt is made anew.\n"""', "m.py:3: `anew` is not used"),
        ('print(f"\\n{it}, whoever asks")', "m.py:1: `whoever` is not used"),
    ],
)
def test_a_text_of_another_form_is_named_with_its_line(source, fault):
    assert fault in faults(source, "m.py")


def test_texts_of_the_right_form_pass():
    source = 'raise StepError(f"{name} failed: {why}", f"Fix {name}. {MORE}")\nraise ValueError("a bug of ours.")'
    assert faults(source, "m.py") == []
