"""The interface of vision models: asked about pictures, they answer in pieces."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass
from typing import Protocol

from live_vlm_webui.media.picture import Picture

BUILT_IN = "built-in"
"""Stands for the built-in describer in place of an API address."""


@dataclass(frozen=True)
class ModelLabel:
    """Identifies a model.

    Attributes:
        api_base: The API's address, such as ``http://127.0.0.1:11434/v1``; ``BUILT_IN`` for the describer.
        name: Its name on its server.
        server: The kind of server: ``Ollama``, ``vLLM``, ``built-in describer`` ...; empty if unknown.
    """

    api_base: str
    name: str
    server: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the label as sent to browsers."""
        return asdict(self)


DESCRIBER = ModelLabel(BUILT_IN, "describer", "built-in describer")


@dataclass(frozen=True)
class Question:
    """A question to a model.

    Attributes:
        prompt: The prompt.
        pictures: At least one picture, oldest first.
        max_tokens: The longest answer, in tokens.
        reasoning: Whether the model may reason before it answers.
    """

    prompt: str
    pictures: tuple[Picture, ...]
    max_tokens: int
    reasoning: bool = False


@dataclass(frozen=True)
class Delta:
    """A piece of an answer.

    Attributes:
        text: The text to append; may be empty.
        completion_tokens: The length of the answer so far in tokens, if the server reports it (often with the last
            piece).
        thought: What the model has thought, if it reasons; to append as well.
    """

    text: str
    completion_tokens: int | None = None
    thought: str = ""


class VisionModel(Protocol):
    """A model that answers the questions of one session, one at a time and in order."""

    @property
    def label(self) -> ModelLabel:
        """The model's label."""
        ...

    @property
    def pace(self) -> float:
        """The least seconds between two questions, however fast it answers."""
        ...

    def answer(self, question: Question) -> AsyncGenerator[Delta, None]:
        """Ask, and yield the answer as it arrives. Closing the generator cancels the request.

        Raises:
            ModelError: The model cannot answer.
        """
        ...

    async def close(self) -> None:
        """Free the resources of this session."""
        ...
