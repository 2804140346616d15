"""Text in real photographs, with the extra ``ocr``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import pytest

Photograph = Callable[[str], np.ndarray]
Ask = Callable[..., str]
READ = "Read all text in the picture, exactly as it is written, line by line. If there is none, say so."

needs_reader = pytest.mark.skipif(
    find_spec("rapidocr") is None, reason="the text reader is not installed: pip install 'live-vlm-webui[ocr]'"
)


@needs_reader
def test_printed_text_is_read_line_by_line(photograph: Photograph, ask: Ask) -> None:
    lines = ask(photograph("page.png"), prompt=READ).splitlines()
    assert lines[0] == "Text in the picture, possibly with errors:"
    assert lines[1] == "Region-based segmentation"
    assert "histogram of grey values:" in lines


@needs_reader
@pytest.mark.parametrize("name", ["brick.png", "gravel.png", "chelsea.png", "coffee.png"])
def test_no_text_is_read_where_there_is_none(photograph: Photograph, ask: Ask, name: str) -> None:
    assert ask(photograph(name), prompt=READ) == "I see no readable text in this picture."


@needs_reader
def test_json_has_the_text_where_it_is_asked_for(photograph: Photograph, ask: Ask) -> None:
    result = json.loads(ask(photograph("page.png"), prompt='Answer in JSON: {"text": ""}'))
    assert result["text"].startswith("Region-based segmentation\nLet us first")


@needs_reader
def test_the_reader_needs_no_network_and_says_nothing_on_the_side() -> None:
    program = (
        "import socket, numpy as np\n"
        "def refuse(*a, **k): raise AssertionError('network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from live_vlm_webui.describer.reading import Reader\n"
        "assert Reader().read(np.full((80, 200, 3), 255, np.uint8)).lines == ()\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
