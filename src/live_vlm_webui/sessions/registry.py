"""All sessions of a server: made up to a limit, found by their id, and ended when nobody needs them any more."""

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
LEFT = "Nobody watches this session any more."
STOPPING = "The server stops."


@dataclass
class Held:
    """A session, and what ends it.

    Attributes:
        session: Which.
        patience: How long it stays without anybody, in seconds.
        timer: Runs out when it may be over.
    """

    session: Session
    patience: float
    timer: asyncio.TimerHandle | None = None


class Sessions:
    """The sessions of one server; made in its event loop.

    A session that browsers watched ends ``linger`` seconds after the last of them left, so that a reload of the page
    finds it again. One that was made for a program, or that nobody has watched yet, ends ``idle`` seconds after it was
    last asked for.

    Args:
        catalog: What can be chosen.
        encoders: The threads in which frames are prepared.
        defaults: The settings that sessions begin with.
        limit: How many there may be.
        linger: In seconds; 0 ends a session with its last browser.
        idle: In seconds.
        system: The machine's newest sample, for a browser's start.
        observe: Called with the type and fields of each event but text, whether or not a browser listens.
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
        """Make a session.

        Args:
            for_program: Whether it outlives its browsers by ``idle`` rather than ``linger`` seconds.

        Raises:
            LimitError: There are as many as there may be, or the server stops.
        """
        if self._closed:
            raise LimitError("The server stops: no session can be made.", "Try again when it has been started anew.")
        if len(self._held) >= self._limit:
            raise LimitError(
                f"There are {self._limit} sessions, and no more are allowed.",
                "Close a page or end a session that is not needed, or wait until one that was left ends by itself.",
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
        """The session with that id; it counts as used now.

        Raises:
            NotFoundError: There is none, or it has ended.
        """
        held = self._held.get(session_id)
        if held is None or held.session.closed:
            raise NotFoundError(
                "There is no such session; it may have ended because nobody watched it.", "Make another one."
            )
        held.session.used_at = time.monotonic()
        return held.session

    def tell_all(self, kind: str, **fields: object) -> None:
        """Tell all browsers of all sessions. It becomes JSON once, here.

        Raises:
            ValueError: ``fields`` are no JSON.
        """
        event = Event(kind, fields)
        watched = [held.session for held in self._held.values() if held.session.watched]
        if watched and event.json:
            for session in watched:
                session.put(event)

    async def close(self, reason: str = STOPPING) -> None:
        """End all sessions at once, and make no more."""
        self._closed = True
        for session_id in tuple(self._held):
            self._end(session_id, reason)
        if self._endings:
            await asyncio.wait(self._endings)

    def _watch(self, session_id: str) -> None:
        """Look at a session now and whenever it may be over, and end it if it is."""
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
