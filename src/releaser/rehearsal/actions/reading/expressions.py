"""GitHub's expressions, `${{ ... }}`: the operators and functions that our workflows use, and no others.

Comparison is GitHub's: text without regard to case, and values of two kinds as numbers. `&&` and `||` yield one of
their operands. A property that is not there is null.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = Any
"""Text, a number, a boolean, None, or a mapping of values."""

STATUS = ("success", "failure", "cancelled", "always")
_ROOTS = ("github", "inputs", "needs", "matrix", "env", "steps", "runner")
_FUNCTIONS = ("format", "contains", "startsWith", *STATUS)
_EMBEDDED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>==|!=|&&|\|\||[!().,])"
    r"|(?P<other>\S))"
)
_PLACE = re.compile(r"\{(\d+)\}|(\{\{)|(\}\})")


class ExpressionError(Exception):
    """An expression that is wrong, or uses what is not carried out here."""


@dataclass(frozen=True)
class State:
    """What an expression is evaluated with.

    Attributes:
        contexts: `github`, `inputs` and the others, by name.
        success: What `success()` yields.
        failure: What `failure()` yields.
        cancelled: What `cancelled()` yields.
    """

    contexts: Mapping[str, Value]
    success: bool = True
    failure: bool = False
    cancelled: bool = False


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    Attributes:
        evaluate: Yields its value.
        names: The properties that it reads, such as `("needs", "build", "outputs", "manifest")`.
        functions: The functions that it calls.
    """

    evaluate: Callable[[State], Value]
    names: frozenset[tuple[str, ...]]
    functions: frozenset[str]


def parse(text: str) -> Expression:
    """Parse what is between `${{` and `}}`.

    Raises:
        ExpressionError: It is wrong, or uses what is not carried out here.
    """
    parser = _Parser(text)
    evaluate = parser.alternative()
    parser.end()
    return Expression(evaluate, frozenset(parser.names), frozenset(parser.functions))


def embedded(text: str) -> list[Expression]:
    """Return the expressions in a text.

    Raises:
        ExpressionError: One is wrong, or is not closed.
    """
    if "${{" in _EMBEDDED.sub("", text):
        raise ExpressionError("`${{` is not closed")
    return [parse(one) for one in _EMBEDDED.findall(text)]


def filled(text: Value, state: State) -> Value:
    """Return a text with its expressions evaluated; one that is the whole text keeps its kind."""
    if not isinstance(text, str):
        return text
    if whole := re.fullmatch(r"\s*\$\{\{((?:(?!\}\}).)*)\}\}\s*", text, re.DOTALL):
        return parse(whole[1]).evaluate(state)
    return _EMBEDDED.sub(lambda found: as_text(parse(found[1]).evaluate(state)), text)


def condition(text: Value) -> Expression:
    """Parse an `if`, which needs no `${{ }}`; without a function of status it is about success alone.

    Raises:
        ExpressionError: It is wrong, or uses what is not carried out here.
    """
    if isinstance(text, bool):
        text = "true" if text else "false"
    whole = _EMBEDDED.fullmatch(str(text).strip())
    parsed = parse(whole[1] if whole else str(text))
    if parsed.functions & set(STATUS):
        return parsed
    return Expression(lambda state: state.success and is_true(parsed.evaluate(state)), parsed.names, parsed.functions)


def is_true(value: Value) -> bool:
    """Return whether GitHub takes a value for true."""
    return not (value is None or value is False or value == "" or value == 0 or value != value)


def as_text(value: Value) -> str:
    """Return a value as GitHub writes it into text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


class _Parser:
    def __init__(self, text: str) -> None:
        self.names: set[tuple[str, ...]] = set()
        self.functions: set[str] = set()
        self._text = text.strip()
        self._tokens: list[tuple[str, str]] = []
        for match in _TOKEN.finditer(self._text):
            kind = str(match.lastgroup)
            if kind == "other":
                raise ExpressionError(f"`{match[kind]}` in `{self._text}` is not carried out")
            self._tokens.append((kind, match[kind]))

    def end(self) -> None:
        if self._tokens:
            raise ExpressionError(f"`{self._tokens[0][1]}` in `{self._text}` is out of place")

    def alternative(self) -> Callable[[State], Value]:
        first = self._conjunction()
        while self._takes("||"):
            first = _either(first, self._conjunction())
        return first

    def _conjunction(self) -> Callable[[State], Value]:
        first = self._equality()
        while self._takes("&&"):
            first = _both(first, self._equality())
        return first

    def _equality(self) -> Callable[[State], Value]:
        first = self._negation()
        while True:
            if self._takes("=="):
                first = _compared(first, self._negation(), same=True)
            elif self._takes("!="):
                first = _compared(first, self._negation(), same=False)
            else:
                return first

    def _negation(self) -> Callable[[State], Value]:
        if self._takes("!"):
            inner = self._negation()
            return lambda state: not is_true(inner(state))
        return self._operand()

    def _operand(self) -> Callable[[State], Value]:
        if self._takes("("):
            inner = self.alternative()
            self._expect(")")
            return inner
        if not self._tokens:
            raise ExpressionError(f"`{self._text}` ends too early")
        kind, text = self._tokens.pop(0)
        if kind == "text":
            return _constant(text[1:-1].replace("''", "'"))
        if kind == "number":
            return _constant(float(text))
        if kind != "name":
            raise ExpressionError(f"`{text}` in `{self._text}` is out of place")
        if text in ("true", "false", "null"):
            return _constant({"true": True, "false": False, "null": None}[text])
        return self._call(text) if self._takes("(") else self._property(text)

    def _call(self, name: str) -> Callable[[State], Value]:
        known = next((one for one in _FUNCTIONS if one.lower() == name.lower()), None)
        if known is None:
            raise ExpressionError(f"the function `{name}` is not carried out")
        self.functions.add(known)
        template = self._tokens[0][1] if self._tokens and self._tokens[0][0] == "text" else ""
        arguments: list[Callable[[State], Value]] = []
        while not self._takes(")"):
            if arguments:
                self._expect(",")
            arguments.append(self.alternative())
        expected = {"format": None, "contains": 2, "startsWith": 2}.get(known, 0)
        if (expected is None and not arguments) or (expected is not None and len(arguments) != expected):
            raise ExpressionError(f"`{known}` in `{self._text}` has a wrong number of arguments")
        places = [int(place[1]) for place in _PLACE.finditer(template) if place[1]]
        if known == "format" and max(places, default=-1) > len(arguments) - 2:
            raise ExpressionError(f"`{known}` in `{self._text}` names an argument that it does not have")
        return _called(known, arguments)

    def _property(self, root: str) -> Callable[[State], Value]:
        if root == "secrets":
            raise ExpressionError("`secrets` are none of a rehearsal's, and a release needs none")
        if root not in _ROOTS:
            raise ExpressionError(f"`{root}` is not carried out")
        path = [root]
        while self._takes("."):
            if not self._tokens or self._tokens[0][0] != "name":
                raise ExpressionError(f"`{'.'.join(path)}.` in `{self._text}` lacks a name")
            path.append(self._tokens.pop(0)[1])
        if len(path) == 1:
            raise ExpressionError(f"`{root}` as a whole is not carried out")
        self.names.add(tuple(path))
        return lambda state: _found(state.contexts, path)

    def _takes(self, sign: str) -> bool:
        if self._tokens and self._tokens[0] == ("sign", sign):
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise ExpressionError(f"`{self._text}` lacks a `{sign}`")


def _constant(value: Value) -> Callable[[State], Value]:
    return lambda _: value


def _either(first: Callable[[State], Value], second: Callable[[State], Value]) -> Callable[[State], Value]:
    def evaluate(state: State) -> Value:
        return value if is_true(value := first(state)) else second(state)

    return evaluate


def _both(first: Callable[[State], Value], second: Callable[[State], Value]) -> Callable[[State], Value]:
    def evaluate(state: State) -> Value:
        return second(state) if is_true(value := first(state)) else value

    return evaluate


def _compared(
    first: Callable[[State], Value], second: Callable[[State], Value], *, same: bool
) -> Callable[[State], Value]:
    return lambda state: _equal(first(state), second(state)) == same


def _equal(one: Value, other: Value) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    return _number(one) == _number(other)


def _number(value: Value) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _called(name: str, arguments: Sequence[Callable[[State], Value]]) -> Callable[[State], Value]:
    def evaluate(state: State) -> Value:
        if name in STATUS:
            return name == "always" or getattr(state, name)
        values = [as_text(one(state)) for one in arguments]
        if name == "format":
            return _PLACE.sub(
                lambda found: values[int(found[1]) + 1] if found[1] else "{" if found[2] else "}", values[0]
            )
        whole, part = (one.casefold() for one in values)
        return part in whole if name == "contains" else whole.startswith(part)

    return evaluate


def _found(contexts: Mapping[str, Value], path: Sequence[str]) -> Value:
    value: Value = contexts
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = next((each for key, each in value.items() if key.casefold() == name.casefold()), None)
    return value
