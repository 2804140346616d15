"""The sessions of a server: create them up to a limit, find them by id, and end unused ones."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from live_vlm_webui.errors import LimitError, NotFoundError
from live_vlm_webui.sessions.choice import Models
from live_vlm_webui.sessions.events import Event, Observer
from live_vlm_webui.sessions.session import Session
from live_vlm_webui.sessions.settings import SessionSettings

LIMIT = 64
LINGER_SECONDS = 10.0
IDLE_SECONDS = 600.0
ID_BYTES = 16
LEFT = "The session ended because no browser was connected."
STOPPING = "The server is stopping."


@dataclass
class Held:
    """A session and its timeout.

    Attributes:
        session: The session.
        patience: Seconds for which it is kept without a browser.
        timer: Expires when it may be unused.
    """

    session: Session
    patience: float
    timer: asyncio.TimerHandle | None = None


class Sessions:
    """The sessions of a server; created in its event loop.

    A session ends ``linger`` seconds after its last browser has left, so that a reload of the page finds it again. One
    that was created for a program, or had no browser yet, ends ``idle`` seconds after its last use.

    Args:
        catalog: The models.
        encoders: The threads that prepare frames.
        defaults: The initial settings of sessions.
        limit: The most sessions.
        linger: In seconds; 0 ends a session with its last browser.
        idle: In seconds.
        system: Returns the machine's state, for the first event of a browser.
        observe: Called with the type and fields of each event except text.
    """

    def __init__(
        self,
        *,
        catalog: Models,
        encoders: Executor,
        defaults: SessionSettings | None = None,
        limit: int = LIMIT,
        linger: float = LINGER_SECONDS,
        idle: float = IDLE_SECONDS,
        system: Callable[[], object] = lambda: None,
        observe: Observer | None = None,
    ) -> None:
        self._catalog = catalog
        self._encoders = encoders
        self._defaults = defaults or SessionSettings()
        self._limit = limit
        self._linger = linger
        self._idle = idle
        self._system = system
        self._observe = observe
        self._held: dict[str, Held] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[Session]:
        return iter([held.session for held in self._held.values()])

    def create(self, *, for_program: bool = False) -> Session:
        """Create a session.

        Args:
            for_program: Whether to keep it for ``idle`` rather than ``linger`` seconds after its last browser.

        Raises:
            LimitError: The limit is reached, or the server is stopping.
        """
        if self._closed:
            raise LimitError("The server is stopping and accepts no new sessions", "Try again when it has restarted.")
        if len(self._held) >= self._limit:
            raise LimitError(
                f"There are {self._limit} sessions, which is the limit",
                "Close a page or end a session that is not needed, or wait until an unused one ends.",
            )
        session = Session(
            secrets.token_urlsafe(ID_BYTES),
            models=self._catalog,
            encoders=self._encoders,
            settings=self._defaults,
            system=self._system,
            observe=self._observe,
        )
        self._held[session.id] = Held(session, self._idle if for_program else self._linger)
        session.when_left(partial(self._watch, session.id))
        self._watch(session.id)
        return session

    def get(self, session_id: str) -> Session:
        """Return the session with ``session_id``; this counts as use.

        Raises:
            NotFoundError: It does not exist or has ended.
        """
        held = self._held.get(session_id)
        if held is None or held.session.closed:
            raise NotFoundError("The session does not exist, or ended because it was not used", "Create a new session.")
        held.session.used_at = time.monotonic()
        return held.session

    def tell_all(self, kind: str, **fields: object) -> None:
        """Send an event to all browsers of all sessions, serialised once.

        Raises:
            ValueError: ``fields`` cannot be represented in JSON.
        """
        event = Event(kind, fields)
        watched = [held.session for held in self._held.values() if held.session.watched]
        if watched and event.json:
            for session in watched:
                session.put(event)

    async def close(self, reason: str = STOPPING) -> None:
        """End all sessions, and create no more."""
        self._closed = True
        for session_id in tuple(self._held):
            self._end(session_id, reason)
        if self._endings:
            await asyncio.wait(self._endings)

    def _watch(self, session_id: str) -> None:
        """End a session if it is unused; else check again when it may be."""
        held = self._held.get(session_id)
        if held is None:
            return
        if held.timer is not None:
            held.timer.cancel()
            held.timer = None
        session = held.session
        if session.closed:
            self._end(session_id, LEFT)
        elif not session.watched:
            patience = held.patience if session.was_watched else self._idle
            remaining = session.used_at + patience - time.monotonic()
            if remaining > 0:
                held.timer = asyncio.get_running_loop().call_later(remaining, self._watch, session_id)
            else:
                self._end(session_id, LEFT)

    def _end(self, session_id: str, reason: str) -> None:
        held = self._held.pop(session_id)
        if held.timer is not None:
            held.timer.cancel()
        task = held.session.end(reason)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
