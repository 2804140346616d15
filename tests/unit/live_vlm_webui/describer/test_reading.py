from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from typing import Any

import numpy as np
import pytest

from live_vlm_webui.describer.reading import Reader, Reading


class Hiding:
    """A finder of modules that does not find the text reader."""

    def __init__(self, finder: Any) -> None:
        self._finder = finder

    def find_spec(self, name: str, *arguments: Any) -> ModuleSpec | None:
        return None if name.split(".")[0] == "rapidocr" else self._finder.find_spec(name, *arguments)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [Hiding(finder) for finder in sys.meta_path])
    monkeypatch.delitem(sys.modules, "rapidocr", raising=False)
    reading = Reader().read(np.zeros((50, 100, 3), np.uint8))
    assert reading.lines is None
    assert "pip install 'live-vlm-webui[ocr]'" in reading.sentences()[0]


def test_no_text_is_not_the_same_as_not_being_able_to_read() -> None:
    assert Reading(()).sentences() == ["I see no readable text in this picture."]


def test_lines_stay_lines() -> None:
    [said] = Reading(("EXIT", "Mind the step")).sentences()
    assert said.splitlines()[1:] == ["EXIT", "Mind the step"]
