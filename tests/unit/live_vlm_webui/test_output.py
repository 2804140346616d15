from __future__ import annotations

import io
import os
import sys

import pytest

from live_vlm_webui.errors import OutputError
from live_vlm_webui.output import complain, escape_unencodable, show


class Full(io.StringIO):
    """A file on a full disk."""

    def flush(self) -> None:
        raise OSError(28, os.strerror(28))


class Unread(io.StringIO):
    """A pipe that its reader has closed."""

    def flush(self) -> None:
        raise BrokenPipeError(32, os.strerror(32))


def test_what_the_terminal_cannot_encode_is_escaped(monkeypatch):
    file = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, "ascii"))
    escape_unencodable()
    show("/home/j\u00fcrgen/\udcff\n")
    assert file.getvalue() == b"/home/j\\xfcrgen/\\udcff\n"


@pytest.mark.parametrize(("stream", "why"), [(Full(), "No space left on device"), (None, "Bad file descriptor")])
def test_what_cannot_be_printed_is_told(monkeypatch, stream, why):
    monkeypatch.setattr(sys, "stdout", stream)
    with pytest.raises(OutputError, match=f"Standard output cannot be written: {why}"):
        show("text")


def test_a_reader_that_has_read_enough_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Unread())
    show("text")


@pytest.mark.parametrize("stream", [Full(), Unread(), None])
def test_an_error_that_cannot_be_printed_causes_no_other(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    complain("text")
