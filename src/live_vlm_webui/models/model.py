"""The interface of vision models: asked about pictures, they answer in pieces."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

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


@dataclass
class Exchange:
    """What was sent for a question, and what came back apart from the text. Never contains a key.

    Attributes:
        url: The address of the request; empty if nothing was sent.
        with_key: Whether a key was sent along.
        body: The request's JSON, with the size of each picture in place of the picture.
        refused: The requests before it that were refused, each with ``status`` and ``message``.
        left_out: The settings that were not sent, because the model does not accept them.
        status: The HTTP status; None without an answer.
        message: What the server said of a failure.
        finish_reason: Why the answer ended, in the server's words.
        usage: The numbers of tokens, as the server counts them.
    """

    url: str = ""
    with_key: bool = False
    body: dict[str, Any] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)
    left_out: tuple[str, ...] = ()
    status: int | None = None
    message: str = ""
    finish_reason: str = ""
    usage: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """A question to a model.

    Attributes:
        prompt: The prompt.
        pictures: At least one picture, oldest first.
        max_tokens: The longest answer, in tokens.
        reasoning: Whether the model may reason before it answers.
        system_prompt: What the model is told before the question; may be empty.
        temperature: How much chance there is in the answer; None leaves it to the server.
        exchange: Filled in by the model.
    """

    prompt: str
    pictures: tuple[Picture, ...]
    max_tokens: int
    reasoning: bool = False
    system_prompt: str = ""
    temperature: float | None = None
    exchange: Exchange = field(default_factory=Exchange, compare=False, repr=False)


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
