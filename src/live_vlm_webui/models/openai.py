"""The client of OpenAI's chat completions API, which Ollama, vLLM, SGLang, llama.cpp, NIM and others provide.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import io
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

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
from live_vlm_webui.models.failure_text import read_failure, said_in
from live_vlm_webui.models.model import Delta, ModelLabel, Question
from live_vlm_webui.models.request import body_of, left_out, record_of

STALE_SECONDS = 2.0
"""A reused connection that its server had closed fails within this time; a later failure is the request's own."""
DRAIN_SECONDS = 0.05
LARGE_BODY = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Limits on the time and size of an answer.

    Attributes:
        connect: For the connection, in seconds.
        first_token: From the question to the first data of the answer, in seconds; a server may load its model first.
        next_token: From one piece to the next, in seconds.
        total: From the question to the end, in seconds.
        text: The length of the answer, in characters.
        event: The size of an event, or of an answer that is not streamed, in bytes.
        stream: The size of the whole stream, in bytes.
    """

    connect: float = 5.0
    first_token: float = 120.0
    next_token: float = 30.0
    total: float = 300.0
    text: int = 64 * 1024
    event: int = 1 << 20
    stream: int = 16 << 20


class OpenAIModel:
    """A ``VisionModel`` on a server.

    Args:
        label: The model; its ``api_base`` is the endpoint's.
        endpoint: The server's address and key.
        http: A shared client from ``connections.open_client``, closed by the caller.
        limits: The limits of each answer.
        dialects: The learned dialects, shared by all models.
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
        """The model's label."""
        return self._label

    @property
    def pace(self) -> float:
        """Ask as fast as it answers."""
        return 0.0

    async def close(self) -> None:
        """Do nothing: the connections belong to the shared client."""

    async def answer(self, question: Question) -> AsyncGenerator[Delta, None]:
        """Ask, and yield the answer as it arrives. Closing the generator closes the connection at once.

        A model that begins to reason is asked again, and from then on, to answer without.

        Raises:
            ModelError: The model cannot answer.
        """
        asked = time.monotonic()
        try:
            async with aclosing(self._answer(question, asked)) as deltas:
                async for delta in deltas:
                    yield delta
        except _ReasonsError:
            async with aclosing(self._answer(question, asked)) as deltas:
                async for delta in deltas:
                    yield delta

    async def _answer(self, question: Question, asked: float) -> AsyncGenerator[Delta, None]:
        """Ask once.

        Raises:
            ModelError: The model cannot answer.
            _ReasonsError: It reasons, and was not asked not to; nothing was yielded.
        """
        response, dialect = await self._ask(question, asked)
        answer = Answer(self._endpoint, self._label.name, len(question.pictures), self._limits.text)
        try:
            if response.content_type == "application/json":
                delta = answer.take([await self._read_whole(response, asked)])
                self._notice_reasoning(answer, dialect, question)
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
                        raise bad_answer(self._endpoint, "sent a stream that is not a chat completion") from None
                    delta = answer.take(events)
                    self._notice_reasoning(answer, dialect, question)
                    if delta:
                        yield delta
                    if not piece:
                        break
            last = answer.end()
            if last:
                yield last
            await self._drain(response)
        finally:
            question.exchange.finish_reason, question.exchange.usage = answer.finish_reason, answer.usage
            response.close()

    def _notice_reasoning(self, answer: Answer, dialect: Dialect, question: Question) -> None:
        """Remember that the model reasons; ask again if it was not asked not to, and has not begun to answer."""
        if not answer.reasoned or dialect.stubborn or question.reasoning:
            return
        if self._dialects.of(self._label) == dialect:  # else another session has noticed it in the meantime
            self._dialects.keep(self._label, dialect.seen_to_reason())
        if dialect.quiet is None and not answer.has_words:
            raise _ReasonsError

    async def _ask(self, question: Question, asked: float) -> tuple[ClientResponse, Dialect]:
        """Send the question; again if a reused connection was closed, or in another dialect if it was rejected."""
        known = dialect = self._dialects.of(self._label)
        exchange, url = question.exchange, self._endpoint.url("/chat/completions")
        exchange.url, exchange.with_key = str(url), self._endpoint.key is not None
        may_be_stale = True
        while True:
            body = body_of(question, self._label.name, dialect)
            exchange.body = record_of(question, self._label.name, dialect)
            exchange.left_out = left_out(question, dialect)
            sent = time.monotonic()
            try:
                with Deadline(asked + self._limits.first_token - sent):
                    response = await self._http.post(
                        url,
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
            exchange.status = response.status
            if response.status < 300:
                if dialect != known:
                    self._dialects.keep(self._label, dialect)
                return self._checked(response), dialect
            failure = await read_failure(response)
            said = said_in(failure, self._endpoint)
            another = dialect.learn(response.status, said)
            if another is None:
                exchange.message = said
                raise cause_of_status(
                    response.status,
                    response.headers,
                    failure,
                    endpoint=self._endpoint,
                    model=self._label.name,
                    pictures=len(question.pictures),
                )
            exchange.refused.append({"status": response.status, "message": said})
            exchange.status = None
            dialect = another

    def _checked(self, response: ClientResponse) -> ClientResponse:
        kind = response.content_type
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        if kind != "text/html" and encoding == "identity":
            return response
        response.close()
        what = "sent a web page" if kind == "text/html" else "sent a compressed answer, although asked not to"
        raise bad_answer(self._endpoint, what)

    async def _read(self, response: ClientResponse, asked: float, *, begun: bool) -> bytes:
        """Return the next piece; empty at the end."""
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
        """Read the end of the stream, so that the connection can be reused; it arrives with the last piece or never."""
        try:
            with Deadline(DRAIN_SECONDS):
                while await response.content.readany():
                    pass
        except (ClientError, TimeoutError, OSError):
            return

    def _cause(self, error: Exception, asked: float, *, begun: bool, answering: bool) -> ModelError:
        if not isinstance(error, DeadlineError):
            return cause_of_exception(error, self._endpoint, answering=answering)
        what, seconds = ("did not start to answer within", self._limits.first_token)
        if begun:
            what, seconds = ("stopped in the middle of its answer for", self._limits.next_token)
        if time.monotonic() - asked >= self._limits.total:
            what, seconds = ("did not finish its answer within", self._limits.total)
        return ModelError(
            "timeout",
            f"{self._label.name} at {self._endpoint.api_base} {what} {seconds:g} s",
            "Wait if the model is being loaded; otherwise check the log of its server, or choose a smaller model,"
            " smaller pictures or shorter answers.",
        )


class _ReasonsError(Exception):
    """The model reasons, and is to be asked again."""


def _broke(error: Exception) -> bool:
    """Return whether an established connection broke, in contrast to a failed connect."""
    return isinstance(error, (ServerDisconnectedError, ClientOSError, ConnectionError)) and not isinstance(
        error, ClientConnectorError
    )
