from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_vlm_webui.models.event_stream import EventStream, EventTooLongError

STREAM = (
    b"\xef\xbb\xbf: comment\n\ndata: one\n\n"
    b"event: message\nid: 7\nretry: 10\ndata:two\n\n"
    b"data: three\ndata:  four\ndata\n\n"
    b'data: {"a": "b:c"}\n\n:\n\n\n'
    b"nonsense\n\ndata: [DONE]\n\n"
)
EVENTS = [b"one", b"two", b"three\n four\n", b'{"a": "b:c"}', b"[DONE]"]


def read(pieces, longest=1000):
    stream = EventStream(longest)
    return [event for piece in pieces for event in stream.feed(piece)] + stream.close()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_all_line_ends_give_the_same_events(end):
    assert read([STREAM.replace(b"\n", end)]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM) * 2)), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_events_are_the_same_however_the_stream_is_cut(cuts, end):
    stream = STREAM.replace(b"\n", end)
    edges = [0, *sorted(cut for cut in cuts if cut <= len(stream)), len(stream)]
    assert read([stream[a:b] for a, b in pairwise(edges)]) == EVENTS


@given(st.lists(st.binary(max_size=50), max_size=30))
def test_no_bytes_break_the_reader(pieces):
    for event in read(pieces, longest=10_000):
        assert isinstance(event, bytes)


def test_an_event_comes_when_its_empty_line_does():
    stream = EventStream(100)
    assert stream.feed(b"data: x\n") == []
    assert stream.feed(b"\n") == [b"x"]


def test_the_last_event_counts_without_its_empty_line():
    assert read([b"data: one\n\ndata: two"]) == [b"one", b"two"]
    assert read([b"data: one\n\n"]) == [b"one"]


@pytest.mark.parametrize("piece", [b"x" * 101, b"data: x\n" * 13, b": " + b"x" * 200])
def test_an_event_without_end_is_refused(piece):
    with pytest.raises(EventTooLongError):
        read([piece], longest=100)


def test_many_short_events_are_no_long_one():
    assert len(read([b"data: x\n\n" * 1000], longest=100)) == 1000


def test_a_long_line_in_small_pieces_costs_no_more_than_its_length():
    pieces = [b"xxxxxxxxxx"] * 100_000  # joined anew with each piece, this takes minutes
    began = time.thread_time()
    read(pieces, longest=2_000_000)
    assert time.thread_time() - began < 5
