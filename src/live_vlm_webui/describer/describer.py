"""The built-in describer as a model that sessions ask."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from live_vlm_webui.models.model import DESCRIBER, Delta, ModelLabel

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from concurrent.futures import Executor

    from live_vlm_webui.describer.answering import Answering
    from live_vlm_webui.describer.scene import Scene
    from live_vlm_webui.models.model import Question

PACE_SECONDS = 1.0
WORDS_PER_DELTA = 3
WORD = re.compile(r"\S+\s*")


class Describer:
    """Two networks and the rules around them, shared by all sessions.

    They are loaded at the first question, and freed when the last model that asked one is closed.

    Args:
        executor: Of threads, in which pictures are looked at; not shut down by this.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._askers: set[DescriberModel] = set()
        self._answering: Answering | None = None

    @property
    def loaded(self) -> bool:
        """Whether the networks are in memory."""
        return self._answering is not None and self._answering.loaded

    def model(self) -> DescriberModel:
        """The describer for one session, with a memory of its own."""
        return DescriberModel(self)

    async def look(self, asker: DescriberModel, question: Question, before: Scene | None) -> tuple[str, Scene]:
        """Answer in a thread of the executor; see ``Answering.answer``.

        Raises:
            ModelError: A picture cannot be decoded, or the networks cannot be loaded.
        """
        from live_vlm_webui.describer.answering import Answering

        self._askers.add(asker)
        if self._answering is None:
            self._answering = Answering()
        return await asyncio.get_running_loop().run_in_executor(
            self._executor, self._answering.answer, question, before
        )

    def left(self, asker: DescriberModel) -> None:
        """No more questions come from ``asker``."""
        self._askers.discard(asker)
        if not self._askers:
            self._answering = None


class DescriberModel:
    """The describer as one session's model: it remembers what it saw at its last answer.

    Args:
        describer: That looks.
    """

    def __init__(self, describer: Describer) -> None:
        self._describer = describer
        self._before: Scene | None = None

    @property
    def label(self) -> ModelLabel:
        """Which model this is."""
        return DESCRIBER

    @property
    def pace(self) -> float:
        """Slower than it could: it computes on the processor that the camera and the page need too."""
        return PACE_SECONDS

    async def answer(self, question: Question) -> AsyncGenerator[Delta, None]:
        """Look at the pictures, then yield the answer a few words at a time; its tokens are words.

        Raises:
            ModelError: A picture cannot be decoded, or the networks cannot be loaded.
        """
        text, self._before = await self._describer.look(self, question, self._before)
        words = WORD.findall(text)
        for start in range(0, len(words), WORDS_PER_DELTA):
            group = words[start : start + WORDS_PER_DELTA]
            yield Delta("".join(group), start + len(group))
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Forget what was seen; of the last session that used it, free the networks."""
        self._before = None
        self._describer.left(self)
