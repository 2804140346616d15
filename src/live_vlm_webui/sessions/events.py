"""What the browsers of one session are told, and the queues in which it waits for them.

Each event becomes JSON once, however many browsers there are. State is told when it is another than was told last. Text
that comes faster than anybody reads is told in pieces ``DELTA_SECONDS`` apart; pieces that wait for a slow browser are
joined. Who falls behind by more than ``LONGEST_QUEUE`` events is disconnected, and starts with the whole state again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType

DELTA_SECONDS = 0.03
LONGEST_QUEUE = 256
TOO_SLOW = "This browser reads more slowly than the session talks."

Fields = dict[str, object]
Observer = Callable[[str, Fields], None]

logger = logging.getLogger(__name__)


def to_json(kind: str, fields: Fields) -> str:
    """An event as browsers read it."""
    return json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class Event:
    """What is told once. ``json`` is made when somebody asks for it, and shared."""

    kind: str
    fields: Fields

    @cached_property
    def json(self) -> str:
        """As browsers read it."""
        return to_json(self.kind, self.fields)

    def continues(self, other: Event) -> bool:
        """Whether this and ``other`` before it are pieces of the same answer."""
        return self.kind == other.kind == "answer.delta" and self.fields["id"] == other.fields["id"]


class Subscription:
    """One browser's part: ``async for text in subscription`` yields JSON until the session ends, or patience does.

    To be closed by who reads it; ``with`` does that.

    Attributes:
        reason: Why it ended, in words; empty while it has not, or if its reader closed it.
    """

    def __init__(self, state: Callable[[], str], leave: Callable[[Subscription], None]) -> None:
        self._state: Callable[[], str] | None = state
        self._leave = leave
        self._waiting: deque[list[Event]] = deque()
        self._news = asyncio.Event()
        self._ended = False
        self.reason = ""

    def put(self, event: Event) -> None:
        """Queue an event, joined to the last if it continues that; end if there are too many."""
        if self._ended or self._state is not None:  # the state that is yet to be told includes it
            return
        if self._waiting and event.continues(self._waiting[-1][-1]):
            self._waiting[-1].append(event)
        elif len(self._waiting) >= LONGEST_QUEUE:
            self._waiting.clear()
            self.end(TOO_SLOW)
        else:
            self._waiting.append([event])
        self._news.set()

    def end(self, reason: str) -> None:
        """Say no more than what waits already."""
        if not self._ended:
            self._ended = True
            self.reason = reason
            self._news.set()
            self._leave(self)

    def close(self) -> None:
        """Stop reading. Closing twice does nothing."""
        self._waiting.clear()
        self._state = None
        self.end("")

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> str:
        if self._state is not None:
            state = self._state()
            self._state = None
            return state
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return _joined(self._waiting.popleft())

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()


class Events:
    """Tells all subscriptions of one session.

    Args:
        state: The whole state, which each subscription begins with.
        left: Called when a subscription ended, for whatever reason.
        observe: Called with the type and fields of each event but text, whether or not a browser listens.
    """

    def __init__(
        self,
        state: Callable[[], Fields],
        left: Callable[[], None] = lambda: None,
        observe: Observer | None = None,
    ) -> None:
        self._state = state
        self._left = left
        self._observe = observe
        self._subscriptions: list[Subscription] = []
        self._told: dict[str, Fields] = {}
        self._answer: object = None
        self._pieces: list[str] = []
        self._flush: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        """How many subscriptions there are."""
        return len(self._subscriptions)

    def subscribe(self) -> Subscription:
        """Begin to tell a browser."""
        subscription = Subscription(self._whole_state, self._forget)
        if self._closed:
            subscription.close()
        else:
            self._subscriptions.append(subscription)
        return subscription

    def tell(self, kind: str, **fields: object) -> None:
        """Tell what happens once."""
        self._tell_pieces()
        self.put(Event(kind, fields))
        if self._observe is not None:
            try:
                self._observe(kind, fields)
            except Exception:  # who counts answers must not stop them
                logger.exception("an observer of events failed")

    def tell_state(self, kind: str, **fields: object) -> None:
        """Tell how something is now, if that is another than was told last."""
        if self._told.get(kind) != fields:
            self._told[kind] = fields
            self.tell(kind, **fields)

    def tell_text(self, answer_id: int, text: str) -> None:
        """Tell the next piece of an answer: the first at once, more of them together."""
        if not text or not self._subscriptions:
            return
        if answer_id != self._answer:
            self._tell_pieces()
            self._answer = answer_id
        self._pieces.append(text)
        if self._flush is None:
            self._tell_pieces()
            self._flush = asyncio.get_running_loop().call_later(DELTA_SECONDS, self._pause_over)

    def put(self, event: Event) -> None:
        """Give an event to all subscriptions, for instance one that other sessions are given too."""
        for subscription in tuple(self._subscriptions):
            subscription.put(event)

    def close(self, reason: str) -> None:
        """Say why, then end all subscriptions. Closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        self.tell("closing", reason=reason)
        if self._flush is not None:
            self._flush.cancel()
        for subscription in tuple(self._subscriptions):
            subscription.end(reason)

    def _whole_state(self) -> str:
        self._tell_pieces()  # the state has that text already
        return to_json("session", self._state())

    def _tell_pieces(self) -> None:
        if self._pieces:
            event = Event("answer.delta", {"id": self._answer, "text": "".join(self._pieces)})
            self._pieces.clear()
            self.put(event)

    def _pause_over(self) -> None:
        self._flush = None
        if self._pieces:
            self._tell_pieces()
            self._flush = asyncio.get_running_loop().call_later(DELTA_SECONDS, self._pause_over)

    def _forget(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            self._left()


def _joined(events: list[Event]) -> str:
    if len(events) == 1:
        return events[0].json
    text = "".join(str(event.fields["text"]) for event in events)
    return Event("answer.delta", {**events[0].fields, "text": text}).json
