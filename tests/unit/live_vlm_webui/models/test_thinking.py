from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_vlm_webui.models.thinking import ThoughtFilter


def filtered(pieces):
    thoughts = ThoughtFilter()
    return "".join([thoughts.feed(piece) for piece in pieces] + [thoughts.close()])


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("A cat.", "A cat."),
        ("<think>a dog? no</think>\n\nA cat.", "A cat."),
        ("\n <think></think> A cat.", "A cat."),
        ("<think>never ends", ""),
        ("<thin", "<thin"),
        ("<thing> is a tag.", "<thing> is a tag."),
        ("Is <think> a tag?</think>", "Is <think> a tag?</think>"),
        ("<think>a < b </thinker></think>b", "b"),
        ("<think>x</think>A</think>", "A</think>"),
        ("", ""),
        ("  two spaces", "  two spaces"),
    ],
)
@given(data=st.data())
def test_thoughts_are_left_out_however_they_are_cut(said, answer, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(said)))))
    edges = [0, *cuts, len(said)]
    assert filtered([said[a:b] for a, b in pairwise(edges)]) == answer


def test_an_answer_is_not_held_back():
    assert ThoughtFilter().feed("A") == "A"


def test_endless_thoughts_are_not_kept():
    thoughts = ThoughtFilter()
    thoughts.feed("<think>")
    for _ in range(1000):
        assert thoughts.feed("hmm " * 100) == ""
    assert thoughts.is_thinking
    assert thoughts.feed("</think>A cat.") == "A cat."
    assert not thoughts.is_thinking
