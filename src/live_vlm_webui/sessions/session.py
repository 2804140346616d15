"""A session: a camera, its settings, the worker that asks, and the connected browsers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any

from live_vlm_webui import __version__
from live_vlm_webui.errors import ConflictError, InputError
from live_vlm_webui.media.camera import Camera, CameraStatus
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.endpoint import Keyring
from live_vlm_webui.models.model import BUILT_IN
from live_vlm_webui.sessions.choice import ModelChoice, Models
from live_vlm_webui.sessions.events import Event, Events, Observer, Subscription
from live_vlm_webui.sessions.history import History
from live_vlm_webui.sessions.settings import SessionSettings, key_in
from live_vlm_webui.sessions.transcript import Transcript
from live_vlm_webui.sessions.turns import Turns
from live_vlm_webui.sessions.worker import Worker

CLOSE_SECONDS = 2.0
ENDED = "The session was ended."

logger = logging.getLogger(__name__)


class Session:
    """A session; created by ``registry.Sessions.create``.

    Args:
        session_id: The id, a secret that gives access to the session.
        models: The catalog of models.
        encoders: The threads that prepare frames.
        settings: The initial settings.
        system: Returns the machine's state, for the first event of a browser.
        observe: Called with the type and fields of each event except text.
    """

    def __init__(
        self,
        session_id: str,
        *,
        models: Models,
        encoders: Executor,
        settings: SessionSettings,
        system: Callable[[], object] = lambda: None,
        observe: Observer | None = None,
    ) -> None:
        self.id = session_id
        self.used_at = time.monotonic()
        """When it was last used; irrelevant while a browser is connected."""
        self.was_watched = False
        self.turns = Turns()
        self._settings = settings
        self.keyring = Keyring(models.keyring)
        """The session's keys, with the server's as parent."""
        self._system = system
        self._camera: Camera | None = None
        self._unwatch: Callable[[], None] = lambda: None
        self._events = Events(self.state, self._left, observe)
        self._transcript = Transcript(self._events, History(), self.frame_path)
        self._choice = ModelChoice(models, self.keyring)
        self._worker = Worker(settings, self._choice, self._transcript, encoders)
        self._closing: asyncio.Task[None] | None = None
        self._leavers: list[Callable[[], None]] = []
        self._worker.start()

    @property
    def settings(self) -> SessionSettings:
        """The current settings."""
        return self._settings

    @property
    def history(self) -> History:
        """The last answers."""
        return self._transcript.history

    @property
    def camera(self) -> Camera | None:
        """The current camera."""
        return self._camera

    @property
    def watched(self) -> bool:
        """Whether a browser is connected."""
        return len(self._events) > 0

    @property
    def closed(self) -> bool:
        """Whether it has ended or is ending."""
        return self._closing is not None

    async def change(self, patch: Mapping[str, object]) -> None:
        """Change settings from the next question; a change of the model cancels the current question.

        Raises:
            InputError: ``patch`` is invalid; nothing was changed.
            ForbiddenError: It contains an address that is not allowed.
        """
        settings = self._settings.patched(patch)
        new_key = self._take_key(settings, patch) if "api_key" in patch else False
        if settings == self._settings and not new_key:
            return
        self._settings = settings
        self._events.tell_state("settings", settings=settings.to_json())
        self._worker.change(settings, new_key=new_key)

    async def attach(self, camera: Camera | None) -> None:
        """Use ``camera`` from now on, and close the previous one. The session closes it later.

        Raises:
            ConflictError: The session has ended; the caller must close the camera.
        """
        if self._closing is not None:
            raise ConflictError(f"Session {self.id} has ended", "Create a new session.")
        last, self._camera = self._camera, camera
        if last is camera:
            return
        self._unwatch()
        self._unwatch = camera.watch(self._camera_changed) if camera is not None else lambda: None
        self._tell_camera()
        self._worker.look_at(camera)
        if last is not None:
            await _within_time(last.close(), "a camera")

    def subscribe(self) -> Subscription:
        """Add a subscription for a browser; its first event is the whole state."""
        self.was_watched = True
        return self._events.subscribe()

    def when_left(self, called: Callable[[], None]) -> None:
        """Call ``called`` each time a browser leaves, and when the session ends."""
        self._leavers.append(called)

    def put(self, event: Event) -> None:
        """Send an event to all browsers of the session."""
        self._events.put(event)

    def picture(self, answer_id: int) -> Picture:
        """Return the (newest) picture of an answer.

        Raises:
            NotFoundError: The answer never existed, or was dropped from the history.
        """
        return self._transcript.picture(answer_id)

    def exchange(self, answer_id: int) -> dict[str, object]:
        """Return what was sent for an answer, and what came back, for JSON.

        Raises:
            NotFoundError: The answer never existed, or was dropped from the history.
        """
        return self._transcript.exchange(answer_id)

    def frame_path(self, answer_id: int) -> str:
        """Return the path of an answer's picture."""
        return f"/api/sessions/{self.id}/answers/{answer_id}/frame.jpg"

    def state(self) -> dict[str, object]:
        """Return the whole state, for JSON."""
        return {
            "id": self.id,
            "version": __version__,
            "settings": self._settings.to_json(),
            "camera": self._camera.status.to_json() if self._camera else None,
            **self._transcript.state(),
            "system": self._system(),
        }

    def end(self, reason: str = ENDED) -> asyncio.Task[None]:
        """Start closing it; the first ``reason`` counts."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close(reason))
        return self._closing

    async def close(self, reason: str = ENDED) -> None:
        """Close it within ``CLOSE_SECONDS``, whatever is in progress, and free its resources."""
        await asyncio.shield(self.end(reason))

    async def _close(self, reason: str) -> None:
        self._unwatch()
        self._events.close(reason)
        self._left()
        camera, self._camera = self._camera, None
        await asyncio.gather(
            _within_time(self._stop_asking(), "a model"),
            _within_time(camera.close(), "a camera") if camera is not None else asyncio.sleep(0),
        )
        self.history.clear()
        self._leavers.clear()

    async def _stop_asking(self) -> None:
        try:
            await self._worker.stop()
        finally:
            await self._choice.close()

    def _take_key(self, settings: SessionSettings, patch: Mapping[str, object]) -> bool:
        """Add the key to the keyring, for the address in the patch or else that of the current model."""
        api_base = settings.api_base
        if not api_base and self._choice.label is not None:
            api_base = self._choice.label.api_base
        if api_base in {"", BUILT_IN}:
            raise InputError(
                "api_key: there is no address that it belongs to", "Send the key together with its api_base."
            )
        before = self.keyring.endpoint(api_base).key
        self.keyring.give(api_base, key_in(patch))
        return self.keyring.endpoint(api_base).key != before

    def _camera_changed(self, status: CameraStatus) -> None:
        if status.state == "live":
            self._worker.try_again()
        self._tell_camera()

    def _tell_camera(self) -> None:
        self._events.tell_state("camera", camera=self._camera.status.to_json() if self._camera else None)

    def _left(self) -> None:
        self.used_at = time.monotonic()
        for called in tuple(self._leavers):
            called()


async def _within_time(closing: Coroutine[Any, Any, None], what: str) -> None:
    """Wait for ``closing``, at most ``CLOSE_SECONDS``."""
    task = asyncio.ensure_future(closing)
    done, _ = await asyncio.wait({task}, timeout=CLOSE_SECONDS)
    if not done:
        task.cancel()
        logger.warning("%s did not close within %g s", what, CLOSE_SECONDS)
        return
    with suppress(asyncio.CancelledError):
        if task.exception() is not None:
            logger.error("closing %s failed", what, exc_info=task.exception())
