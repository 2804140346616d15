from __future__ import annotations

import ast
from pathlib import Path

import pytest

import live_vlm_webui
from live_vlm_webui import errors
from live_vlm_webui.errors import ListenError, PortTakenError, SettingsError, WebUIError, WrongValueError


def test_an_error_tells_what_happened_and_then_what_to_do():
    assert str(WebUIError("The lens cap is on", "Take it off.")) == "The lens cap is on\n-> Take it off."


def test_settings_exit_with_2_and_the_rest_with_1():
    assert {kind: kind.exit_code for kind in (SettingsError, WrongValueError, ListenError, PortTakenError)} == {
        SettingsError: 2,
        WrongValueError: 2,
        ListenError: 1,
        PortTakenError: 1,
    }


SOURCES = sorted(Path(live_vlm_webui.__file__).parent.rglob("*.py"))
KINDS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, WebUIError)}
WITH_A_NAME_FIRST = {"CameraError", "ModelError", "WrongValueError"}


def texts_of(call):
    """Message and remedy of a call that makes an error, as far as they are literal."""
    arguments = call.args[1:] if call.func.id in WITH_A_NAME_FIRST else call.args
    return [ending(argument) for argument in arguments[:2]]


def ending(node):
    """The literal text at the end of an expression; None if it ends with a value."""
    if isinstance(node, ast.JoinedStr):
        return ending(node.values[-1])
    if isinstance(node, ast.Constant):
        return node.value
    return None


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SOURCES[0].parent)))
def test_a_message_has_no_full_stop_and_a_remedy_has_one(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS and node.args:
            message, remedy = [*texts_of(node), None][:2]
            assert message is None or not message.rstrip().endswith("."), f"line {node.lineno}: {message}"
            assert remedy is None or remedy.endswith("."), f"line {node.lineno}: {remedy}"
