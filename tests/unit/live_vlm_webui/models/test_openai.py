from __future__ import annotations

import base64
import json

import pytest

from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.dialect import Dialect
from live_vlm_webui.models.model import Question
from live_vlm_webui.models.openai import body_of

QUESTION = Question('What is "this"? 猫', (Picture(b"\xff\xd8one", 2, 1), Picture(b"\xff\xd8two", 2, 1)), 200)


def test_a_question_holds_its_pictures_in_order_and_the_prompt():
    body = json.loads(body_of(QUESTION, "some-vlm", Dialect()))
    (message,) = body["messages"]
    *pictures, text = message["content"]
    urls = [picture["image_url"]["url"] for picture in pictures]
    assert [base64.b64decode(url.removeprefix("data:image/jpeg;base64,")) for url in urls] == [
        b"\xff\xd8one",
        b"\xff\xd8two",
    ]
    assert text == {"type": "text", "text": QUESTION.prompt}
    assert (body["model"], message["role"], body["stream"]) == ("some-vlm", "user", True)


@pytest.mark.parametrize(
    ("dialect", "holds"),
    [
        (Dialect(), {"max_tokens": 200, "stream_options": {"include_usage": True}}),
        (Dialect(usage=False), {"max_tokens": 200}),
        (Dialect("max_completion_tokens"), {"max_completion_tokens": 200, "stream_options": {"include_usage": True}}),
        (Dialect(None, usage=False), {}),
    ],
)
def test_the_dialect_decides_on_the_rest(dialect, holds):
    body = json.loads(body_of(QUESTION, "some-vlm", dialect))
    assert {name: body[name] for name in body.keys() - {"model", "messages", "stream"}} == holds
