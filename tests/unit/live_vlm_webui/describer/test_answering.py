from __future__ import annotations

import pytest

from live_vlm_webui.describer.answering import shortened

SENTENCES = ["I see a cat on the left.", "The picture is dark.", "Since my last answer: it moved."]


@pytest.mark.parametrize(
    ("max_tokens", "said"),
    [
        (100, "I see a cat on the left. The picture is dark. Since my last answer: it moved."),
        (17, "I see a cat on the left. The picture is dark. Since my last answer: it moved."),
        (16, "I see a cat on the left. The picture is dark."),
        (11, "I see a cat on the left. The picture is dark."),
        (10, "I see a cat on the left."),
        (6, "I see a cat on the…"),
        (1, "I…"),
    ],
)
def test_an_answer_ends_with_a_sentence_that_fits(max_tokens: int, said: str) -> None:
    assert shortened(SENTENCES, max_tokens) == said
    assert len(said.split()) <= max_tokens


def test_lines_stay_lines() -> None:
    assert shortened(["- a cat\n- a dog\n", "There may be more."], 100) == "- a cat\n- a dog\nThere may be more."
