"""What a session needs around it: a camera that a test puts frames into, and models that answer as a test says."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, ClassVar

import av
import numpy as np

from live_vlm_webui.errors import ModelError
from live_vlm_webui.media.camera import Camera, Kind
from live_vlm_webui.models.endpoint import Endpoint, Keyring
from live_vlm_webui.models.model import BUILT_IN, Delta, ModelLabel, Question
from live_vlm_webui.models.offer import Offer
from live_vlm_webui.sessions.events import Subscription

PATIENCE_SECONDS = 60
LABEL = ModelLabel("http://127.0.0.1:9/v1", "first", "test")


def image(level: int = 100, width: int = 64, height: int = 48) -> av.VideoFrame:
    """A frame with a bright square on a ground of ``level``."""
    luma = np.full((height * 3 // 2, width), 128, np.uint8)
    luma[:height] = level
    luma[: height // 4, : width // 4] = 230
    return av.VideoFrame.from_ndarray(luma, "yuv420p")


class HandCamera(Camera):
    """Frames are put into it by hand."""

    kind: ClassVar[Kind] = "stream"

    def __init__(self, source: str = "") -> None:
        super().__init__(source)
        self.closed = 0

    def put(self, frame: av.VideoFrame | None = None) -> None:
        """Show a frame."""
        self.slot.put(frame or image())

    def become(self, **changes: Any) -> None:
        """Change the status."""
        self._become(replace(self.status, **changes))

    async def close(self) -> None:
        self.closed += 1


class PictureCamera(HandCamera):
    """As one that holds a picture that was dropped."""

    kind: ClassVar[Kind] = "picture"


class ScriptedModel:
    """Answers ``reply(question)``; waits before it while ``gate`` is not set."""

    def __init__(self, label: ModelLabel) -> None:
        self.label = label
        self.pace = 0.0
        self.questions: list[Question] = []
        self.asked_at: list[float] = []
        self.reply: Callable[[Question], list[Delta] | Exception] = lambda _question: [Delta("A "), Delta("cat.", 3)]
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.given_up = 0
        self.closed = 0

    async def answer(self, question: Question) -> AsyncGenerator[Delta, None]:
        self.questions.append(question)
        self.asked_at.append(time.monotonic())
        self.asked.set()
        try:
            await self.gate.wait()
            reply = self.reply(question)
            if isinstance(reply, Exception):
                raise reply
            for delta in reply:
                yield delta
        except (asyncio.CancelledError, GeneratorExit):
            self.given_up += 1
            raise

    async def close(self) -> None:
        self.closed += 1

    async def until_asked(self, times: int) -> list[Question]:
        """Wait until it was asked so often."""
        while len(self.questions) < times:
            self.asked.clear()
            await asyncio.wait_for(self.asked.wait(), PATIENCE_SECONDS)
        return self.questions


class Shelf:
    """Stands where the catalog stands; each model is made when it is first opened, and kept for the test."""

    def __init__(self, *names: str) -> None:
        self.keyring = Keyring()
        self.offers = tuple(Offer(replace(LABEL, name=name), vision=True) for name in names or ("first", "second"))
        self.by_name: dict[str, ScriptedModel] = {}
        self.opened: list[tuple[ModelLabel, str | None]] = []
        self.trouble: Exception | None = None
        self.looked = asyncio.Event()
        self.looked.set()

    async def ready(self, seconds: float) -> None:
        await asyncio.wait_for(self.looked.wait(), seconds)

    def default(self) -> ModelLabel:
        return self.offers[0].label

    async def models(self, endpoint: Endpoint) -> tuple[Offer, ...]:
        if self.trouble:
            raise self.trouble
        return tuple(replace(offer, label=replace(offer.label, api_base=endpoint.api_base)) for offer in self.offers)

    def open(self, label: ModelLabel, keyring: Keyring) -> ScriptedModel:
        if self.trouble:
            raise self.trouble
        key = None if label.api_base == BUILT_IN else keyring.endpoint(label.api_base).key
        self.opened.append((label, key.reveal() if key else None))
        return self.model(label.name, label)

    def model(self, name: str = "first", label: ModelLabel = LABEL) -> ScriptedModel:
        """The model that was, or is to be, opened under that name."""
        model = self.by_name.setdefault(name, ScriptedModel(label))
        model.label = replace(label, name=name)
        return model


class CountingExecutor(ThreadPoolExecutor):
    """Counts what it is given to do, by the name of the function."""

    def __init__(self) -> None:
        super().__init__(2, "encoder")
        self.counts: dict[str, int] = {}

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.counts[function.__name__] = self.counts.get(function.__name__, 0) + 1
        return super().submit(function, *args, **kwargs)


class Browser:
    """Reads a subscription and keeps what it heard."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.heard: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._task = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        async for text in self.subscription:
            self.heard.append(json.loads(text))
            self._news.set()
        self._news.set()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one type, in their order."""
        return [event for event in self.heard if event["type"] == kind]

    async def until(self, kind: str, times: int = 1) -> list[dict[str, Any]]:
        """Wait until so many events of a type were heard."""
        while len(self.of(kind)) < times:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), PATIENCE_SECONDS)
        return self.of(kind)

    async def leave(self) -> None:
        """Close the page."""
        self.subscription.close()
        await self._task


def model_error(code: str = "unreachable", message: str = "Nobody answers at the address.") -> ModelError:
    return ModelError(code, message, "Start it.")  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    """Wait until ``condition`` holds."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it never came to that"
        await asyncio.sleep(0.002)
