"""The built-in describer as a ``VisionModel``."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from live_vlm_webui.errors import ModelError
from live_vlm_webui.models.model import DESCRIBER, Delta, ModelLabel

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from concurrent.futures import Executor

    from live_vlm_webui.describer.answering import Answering
    from live_vlm_webui.describer.scene import Scene
    from live_vlm_webui.models.model import Question

PACE_SECONDS = 1.0
KEPT_SECONDS = 120.0
"""How long networks that were loaded in advance are kept for the first question."""
WORDS_PER_DELTA = 3
WORD = re.compile(r"\S+\s*")


class Describer:
    """The describer's networks and rules, shared by all sessions.

    They are loaded at the first question, or before it by ``warm_up``, and freed when the last model that used them is
    closed.

    Args:
        executor: The threads that analyse pictures; not shut down here.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._askers: set[DescriberModel] = set()
        self._answering: Answering | None = None
        self._warming: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        """Whether the networks are in memory."""
        return self._answering is not None and self._answering.loaded

    def model(self) -> DescriberModel:
        """Return a model for one session, with its own memory of the last scene."""
        return DescriberModel(self)

    async def look(self, asker: DescriberModel, question: Question, before: Scene | None) -> tuple[str, Scene]:
        """Answer in a thread of the executor; see ``Answering.answer``.

        Raises:
            ModelError: A picture cannot be decoded, or the networks cannot be loaded.
        """
        self._askers.add(asker)
        loop = asyncio.get_running_loop()
        if self._warming is not None and not self._warming.done():
            await asyncio.wait({self._warming})
        if self._answering is None:
            make = await loop.run_in_executor(self._executor, _import_answering)
            self._answering = self._answering or make()
        return await loop.run_in_executor(self._executor, self._answering.answer, question, before)

    def warm_up(self, wanted: Callable[[], Awaitable[bool]]) -> None:
        """Start loading the networks for a question that will probably come; if none comes, they are freed again.

        Args:
            wanted: Awaited first; nothing is loaded if it returns False.
        """
        if self._answering is None and (self._warming is None or self._warming.done()):
            self._warming = asyncio.ensure_future(self._warm_up(wanted))

    async def _warm_up(self, wanted: Callable[[], Awaitable[bool]]) -> None:
        if not await wanted() or self._answering is not None:
            return
        loop = asyncio.get_running_loop()
        make = await loop.run_in_executor(self._executor, _import_answering)
        answering = make()
        try:
            await loop.run_in_executor(self._executor, answering.load)
        except ModelError:
            return  # the first question raises it again
        self._answering = answering
        loop.call_later(KEPT_SECONDS, self._free_unless_asked)

    async def close(self) -> None:
        """Stop loading in advance; the executor may be shut down then."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait({self._warming})

    def _free_unless_asked(self) -> None:
        if not self._askers:
            self._answering = None

    def left(self, asker: DescriberModel) -> None:
        """Remove ``asker``; free the networks if it was the last one."""
        self._askers.discard(asker)
        self._free_unless_asked()


def _import_answering() -> type[Answering]:
    """Import numpy and what else answering needs, in a thread of the executor."""
    from live_vlm_webui.describer.answering import Answering

    return Answering


class DescriberModel:
    """The describer as the model of one session, which remembers the scene of its last answer.

    Args:
        describer: The shared describer.
    """

    def __init__(self, describer: Describer) -> None:
        self._describer = describer
        self._before: Scene | None = None

    @property
    def label(self) -> ModelLabel:
        """The model's label."""
        return DESCRIBER

    @property
    def pace(self) -> float:
        """The least seconds between questions: it uses the CPU that camera and page need too."""
        return PACE_SECONDS

    async def answer(self, question: Question) -> AsyncGenerator[Delta, None]:
        """Analyse the pictures, then yield the answer a few words at a time; there are no tokens to count.

        Raises:
            ModelError: A picture cannot be decoded, or the networks cannot be loaded.
        """
        text, self._before = await self._describer.look(self, question, self._before)
        words = WORD.findall(text)
        for start in range(0, len(words), WORDS_PER_DELTA):
            yield Delta("".join(words[start : start + WORDS_PER_DELTA]))
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Forget the last scene, and free the networks if no other session uses them."""
        self._before = None
        self._describer.left(self)
