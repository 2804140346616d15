"""The events of a session, and the queues to its browsers.

Each event is serialised once, however many browsers there are. State is sent only when it has changed. Text is sent in
pieces at least ``DELTA_SECONDS`` apart; pieces that wait for a slow browser are joined. A browser with more than
``LONGEST_QUEUE`` waiting events is disconnected, and starts again with the whole state.
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
TOO_SLOW = "This browser reads too slowly."

Fields = dict[str, object]
Observer = Callable[[str, Fields], None]

logger = logging.getLogger(__name__)


def to_json(kind: str, fields: Fields) -> str:
    """Return an event as JSON."""
    return json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class Event:
    """An event. Its JSON is created once, when first needed."""

    kind: str
    fields: Fields

    @cached_property
    def json(self) -> str:
        """The event as JSON."""
        return to_json(self.kind, self.fields)

    def continues(self, other: Event) -> bool:
        """Return whether this and the previous event ``other`` are pieces of the same answer."""
        return self.kind == other.kind == "answer.delta" and self.fields["id"] == other.fields["id"]


class Subscription:
    """A browser's queue: ``async for`` yields JSON until the session ends or the browser is too slow.

    The reader closes it; use ``with``.

    Attributes:
        reason: Why it ended; empty while it is open, or if its reader closed it.
    """

    def __init__(self, state: Callable[[], str], leave: Callable[[Subscription], None]) -> None:
        self._state: Callable[[], str] | None = state
        self._leave = leave
        self._waiting: deque[list[Event]] = deque()
        self._news = asyncio.Event()
        self._ended = False
        self.reason = ""

    def put(self, event: Event) -> None:
        """Queue an event, joined with the last one if it continues it; end if too many are waiting."""
        if self._ended or self._state is not None:  # the state that is sent first includes it
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
        """End after the waiting events."""
        if not self._ended:
            self._ended = True
            self.reason = reason
            self._news.set()
            self._leave(self)

    def close(self) -> None:
        """Close the queue. Closing twice does nothing."""
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
    """Sends the events of a session to all its subscriptions.

    Args:
        state: Returns the whole state, with which each subscription starts.
        left: Called when a subscription has ended.
        observe: Called with the type and fields of each event except text, even without subscriptions.
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
        self._sent: dict[str, Fields] = {}
        self._answer: object = None
        self._pieces: list[str] = []
        self._flush: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        """Return the number of subscriptions."""
        return len(self._subscriptions)

    def subscribe(self) -> Subscription:
        """Add a subscription."""
        subscription = Subscription(self._whole_state, self._forget)
        if self._closed:
            subscription.close()
        else:
            self._subscriptions.append(subscription)
        return subscription

    def tell(self, kind: str, **fields: object) -> None:
        """Send an event."""
        self._send_pieces()
        self.put(Event(kind, fields))
        if self._observe is not None:
            try:
                self._observe(kind, fields)
            except Exception:  # an observer must not stop the session
                logger.exception("an observer of events failed")

    def tell_state(self, kind: str, **fields: object) -> None:
        """Send a state, if it differs from the last one sent."""
        if self._sent.get(kind) != fields:
            self._sent[kind] = fields
            self.tell(kind, **fields)

    def tell_text(self, answer_id: int, text: str) -> None:
        """Send a piece of an answer: the first at once, following ones joined."""
        if not text or not self._subscriptions:
            return
        if answer_id != self._answer:
            self._send_pieces()
            self._answer = answer_id
        self._pieces.append(text)
        if self._flush is None:
            self._send_pieces()
            self._flush = asyncio.get_running_loop().call_later(DELTA_SECONDS, self._pause_over)

    def put(self, event: Event) -> None:
        """Queue an event for all subscriptions, such as an event for all sessions."""
        for subscription in tuple(self._subscriptions):
            subscription.put(event)

    def close(self, reason: str) -> None:
        """Send the reason, then end all subscriptions. Closing twice does nothing."""
        if self._closed:
            return
        self._closed = True
        self.tell("closing", reason=reason)
        if self._flush is not None:
            self._flush.cancel()
        for subscription in tuple(self._subscriptions):
            subscription.end(reason)

    def _whole_state(self) -> str:
        self._send_pieces()  # the state already contains that text
        return to_json("session", self._state())

    def _send_pieces(self) -> None:
        if self._pieces:
            event = Event("answer.delta", {"id": self._answer, "text": "".join(self._pieces)})
            self._pieces.clear()
            self.put(event)

    def _pause_over(self) -> None:
        self._flush = None
        if self._pieces:
            self._send_pieces()
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
