"""What a vision model is to a session: something that is asked about pictures and answers piece by piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass
from typing import Protocol

from live_vlm_webui.media.picture import Picture

BUILT_IN = "built-in"
"""In the place of an API's address: the describer of this package."""


@dataclass(frozen=True)
class ModelLabel:
    """Which model answers.

    Attributes:
        api_base: The API's address, such as ``http://127.0.0.1:11434/v1``; ``BUILT_IN`` for the describer.
        name: As its server calls it.
        server: What serves it, for people: ``Ollama``, ``vLLM``, ``built-in describer`` ...; empty if unknown.
    """

    api_base: str
    name: str
    server: str = ""

    def to_json(self) -> dict[str, object]:
        """As it is told to browsers."""
        return asdict(self)


DESCRIBER = ModelLabel(BUILT_IN, "describer", "built-in describer")


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        prompt: In words.
        pictures: At least one, oldest first.
        max_tokens: The longest answer, in tokens of the model.
    """

    prompt: str
    pictures: tuple[Picture, ...]
    max_tokens: int


@dataclass(frozen=True)
class Delta:
    """The next piece of an answer.

    Attributes:
        text: To be appended to what came before; may be empty.
        completion_tokens: The answer's length up to here in tokens, where the server says so (often with the last).
    """

    text: str
    completion_tokens: int | None = None


class VisionModel(Protocol):
    """Answers the questions of one session, one at a time, in their order."""

    @property
    def label(self) -> ModelLabel:
        """Which model this is."""
        ...

    @property
    def pace(self) -> float:
        """Seconds from one question to the next at least, however fast it answers."""
        ...

    def answer(self, question: Question) -> AsyncGenerator[Delta, None]:
        """Ask, and yield the answer as it comes. Closing the generator ends the request.

        Raises:
            ModelError: It cannot answer; the error says why and what to do.
        """
        ...

    async def close(self) -> None:
        """Free what this session's use of the model holds."""
        ...
