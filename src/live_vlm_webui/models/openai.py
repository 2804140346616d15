"""The client of OpenAI's chat completions, which Ollama, vLLM, SGLang, llama.cpp, NIM and others speak too.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ServerDisconnectedError,
)

from live_vlm_webui.errors import ModelError
from live_vlm_webui.models.answer import Answer
from live_vlm_webui.models.causes import bad_answer, cause_of_exception, cause_of_status
from live_vlm_webui.models.connections import HEADERS
from live_vlm_webui.models.deadline import Deadline, DeadlineError
from live_vlm_webui.models.dialect import Dialect, Dialects
from live_vlm_webui.models.endpoint import Endpoint
from live_vlm_webui.models.event_stream import EventStream, EventTooLongError
from live_vlm_webui.models.failure_text import said_in
from live_vlm_webui.models.model import Delta, ModelLabel, Question

LONGEST_FAILURE = 64 * 1024
FAILURE_SECONDS = 5.0
STALE_SECONDS = 2.0
"""A kept connection that its server has closed breaks at once; what breaks later was asked, and failed."""
DRAIN_SECONDS = 0.05
LARGE_BODY = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How long an answer may take, and how large it may be.

    Attributes:
        connect: Until the connection stands, in seconds.
        first_token: From the question to the first sign of an answer, in seconds; a server may load its model first.
        next_token: From one piece to the next, in seconds.
        total: From the question to the end, in seconds.
        text: Of the answer, in characters.
        event: Of one event of the stream, or of an answer that is not streamed, in bytes.
        stream: Of all that is sent, in bytes.
    """

    connect: float = 5.0
    first_token: float = 120.0
    next_token: float = 30.0
    total: float = 300.0
    text: int = 64 * 1024
    event: int = 1 << 20
    stream: int = 16 << 20


class OpenAIModel:
    """A ``VisionModel`` behind a server.

    Args:
        label: Which one; its ``api_base`` is the endpoint's.
        endpoint: Where it is, and the key for it.
        http: As ``connections.open_client`` makes it; shared, and closed by who made it.
        limits: Of each answer.
        dialects: What is known of how servers want to be asked; shared by all models.
    """

    def __init__(
        self,
        label: ModelLabel,
        endpoint: Endpoint,
        http: ClientSession,
        *,
        limits: Limits | None = None,
        dialects: Dialects | None = None,
    ) -> None:
        self._label = label
        self._endpoint = endpoint
        self._http = http
        self._limits = limits or Limits()
        self._dialects = dialects or Dialects()
        self._timeout = ClientTimeout(total=None, sock_connect=self._limits.connect)

    @property
    def label(self) -> ModelLabel:
        """Which model this is."""
        return self._label

    @property
    def pace(self) -> float:
        """As fast as it answers."""
        return 0.0

    async def close(self) -> None:
        """Nothing to free: connections belong to the client that all share."""

    async def answer(self, question: Question) -> AsyncGenerator[Delta, None]:
        """Ask, and yield the answer as it comes. Closing the generator closes the connection at once.

        Raises:
            ModelError: It cannot answer; the error says why and what to do.
        """
        asked = time.monotonic()
        response = await self._ask(question, asked)
        try:
            answer = Answer(self._endpoint, self._label.name, len(question.pictures), self._limits.text)
            if response.content_type == "application/json":
                delta = answer.take([await self._read_whole(response, asked)])
                if delta:
                    yield delta
            else:
                stream = EventStream(self._limits.event)
                received = 0
                while not answer.done:
                    piece = await self._read(response, asked, begun=answer.begun)
                    received += len(piece)
                    if received > self._limits.stream:
                        raise bad_answer(self._endpoint, f"sent more than {self._limits.stream} bytes for one answer")
                    try:
                        events = stream.feed(piece) if piece else stream.close()
                    except EventTooLongError:
                        raise bad_answer(self._endpoint, "sent a stream that is none of answers") from None
                    delta = answer.take(events)
                    if delta:
                        yield delta
                    if not piece:
                        break
            last = answer.end()
            if last:
                yield last
            await self._drain(response)
        finally:
            response.close()

    async def _ask(self, question: Question, asked: float) -> ClientResponse:
        """Send the question until it is taken: again if the connection had gone stale, or in another dialect."""
        known = dialect = self._dialects.of(self._label)
        may_be_stale = True
        while True:
            body = body_of(question, self._label.name, dialect)
            sent = time.monotonic()
            try:
                with Deadline(asked + self._limits.first_token - sent):
                    response = await self._http.post(
                        self._endpoint.url("/chat/completions"),
                        data=body if len(body) < LARGE_BODY else io.BytesIO(body),
                        headers={**HEADERS, **self._endpoint.headers, "Content-Type": "application/json"},
                        allow_redirects=False,
                        timeout=self._timeout,
                    )
            except (ClientError, OSError, ValueError) as error:
                if may_be_stale and _broke(error) and time.monotonic() - sent < STALE_SECONDS:
                    may_be_stale = False
                    continue
                raise self._cause(error, asked, begun=False, answering=False) from None
            if response.status < 300:
                if dialect != known:
                    self._dialects.keep(self._label, dialect)
                return self._checked(response)
            failure = await read_failure(response)
            another = dialect.learn(response.status, said_in(failure, self._endpoint))
            if another is None:
                raise cause_of_status(
                    response.status,
                    response.headers,
                    failure,
                    endpoint=self._endpoint,
                    model=self._label.name,
                    pictures=len(question.pictures),
                )
            dialect = another

    def _checked(self, response: ClientResponse) -> ClientResponse:
        kind = response.content_type
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        if kind != "text/html" and encoding == "identity":
            return response
        response.close()
        what = "answers with a web page" if kind == "text/html" else "compresses its answers although asked not to"
        raise bad_answer(self._endpoint, what)

    async def _read(self, response: ClientResponse, asked: float, *, begun: bool) -> bytes:
        """The next piece; empty at the end."""
        now = time.monotonic()
        patience = self._limits.next_token if begun else asked + self._limits.first_token - now
        try:
            with Deadline(min(patience, asked + self._limits.total - now)):
                return await response.content.readany()
        except (ClientError, OSError, ValueError) as error:
            raise self._cause(error, asked, begun=begun, answering=True) from None

    async def _read_whole(self, response: ClientResponse, asked: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while piece := await self._read(response, asked, begun=False):
            size += len(piece)
            if size > self._limits.event:
                raise bad_answer(self._endpoint, f"sent more than {self._limits.event} bytes for one answer")
            pieces.append(piece)
        return b"".join(pieces)

    async def _drain(self, response: ClientResponse) -> None:
        """Read the end of the stream, which comes with its last piece or never, so that the connection is kept."""
        try:
            with Deadline(DRAIN_SECONDS):
                while await response.content.readany():
                    pass
        except (ClientError, TimeoutError, OSError):
            return

    def _cause(self, error: Exception, asked: float, *, begun: bool, answering: bool) -> ModelError:
        if not isinstance(error, DeadlineError):
            return cause_of_exception(error, self._endpoint, answering=answering)
        what, seconds = ("did not begin to answer within", self._limits.first_token)
        if begun:
            what, seconds = ("fell silent in the middle of its answer, for", self._limits.next_token)
        if time.monotonic() - asked >= self._limits.total:
            what, seconds = ("was still not done with its answer after", self._limits.total)
        return ModelError(
            "timeout",
            f"{self._label.name} at {self._endpoint.api_base} {what} {seconds:g} s.",
            "It is asked again with the next frame. Wait if it is being loaded; else look at the log of its server, or"
            " choose a smaller model, smaller pictures or shorter answers.",
        )


def body_of(question: Question, model: str, dialect: Dialect) -> bytes:
    """The body of a request, JSON: the pictures as ``data:`` URLs, oldest first, then the prompt."""
    content: list[dict[str, Any]] = [
        {
            "type": "image_url",
            "image_url": {"url": f"data:image/jpeg;base64,{base64.b64encode(picture.jpeg).decode('ascii')}"},
        }
        for picture in question.pictures
    ]
    content.append({"type": "text", "text": question.prompt})
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": content}], "stream": True}
    if dialect.usage:
        body["stream_options"] = {"include_usage": True}
    if dialect.limit is not None:
        body[dialect.limit] = question.max_tokens
    return json.dumps(body, separators=(",", ":")).encode("ascii")


async def read_failure(response: ClientResponse) -> bytes:
    """The start of a failed answer; what of it cannot be read is left out. The connection is closed if more follows."""
    pieces: list[bytes] = []
    size = 0
    try:
        with Deadline(FAILURE_SECONDS):
            while size < LONGEST_FAILURE and (piece := await response.content.readany()):
                pieces.append(piece)
                size += len(piece)
    except (ClientError, TimeoutError, OSError):
        pass  # the status alone says enough
    finally:
        response.close()
    return b"".join(pieces)[:LONGEST_FAILURE]


def _broke(error: Exception) -> bool:
    """Whether a connection that stood has broken, rather than none came about."""
    return isinstance(error, (ServerDisconnectedError, ClientOSError, ConnectionError)) and not isinstance(
        error, ClientConnectorError
    )
