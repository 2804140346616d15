from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from moved_time import MovedTime
from session_parts import CountingExecutor, Shelf

from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.model import ModelLabel
from live_vlm_webui.sessions.history import Answer
from live_vlm_webui.sessions.numbers import Numbers

NUMBERS = Numbers(
    capture_age=4.0,
    queue=0.2,
    encode=1.5,
    overhead=2.0,
    first_token=120.0,
    total=300.0,
    tokens=30,
    tokens_per_second=161.1,
    frames_skipped=8,
)


@pytest.fixture
def encoders() -> Iterator[CountingExecutor]:
    """The threads that scale and compress."""
    with CountingExecutor() as executor:
        yield executor


@pytest.fixture
async def shelf() -> Shelf:
    """The models that sessions open."""
    return Shelf()


@pytest.fixture
def make_answer() -> Callable[..., Answer]:
    """Answers with small pictures."""

    def make(answer_id: int, text: str = "A cat.", prompt: str = "What is there?", pictures: int = 1, size: int = 100):
        return Answer(
            id=answer_id,
            at="2026-01-02T03:04:05.678+00:00",
            model=ModelLabel("http://127.0.0.1:8000/v1", "llava", "vLLM"),
            prompt=prompt,
            text=text,
            pictures=tuple(Picture(bytes([number]) * size, 64, 48) for number in range(pictures)),
            numbers=NUMBERS,
        )

    return make


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MovedTime:
    """`await clock.advance(10)`: ten seconds pass."""
    return MovedTime(monkeypatch)
