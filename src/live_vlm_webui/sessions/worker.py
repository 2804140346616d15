"""The loop of a session: wait for a suitable frame, prepare it, ask, and record the answer.

It decides before any work is done, and survives every failure of camera and model. Each round is a task, so that a
change of settings or camera can cancel any wait; a question that was sent is cancelled only if the model changes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from live_vlm_webui.errors import CameraError, ModelError
from live_vlm_webui.media.camera import Camera
from live_vlm_webui.media.frame import Frame
from live_vlm_webui.models.deadline import Deadline
from live_vlm_webui.models.model import Question, VisionModel
from live_vlm_webui.sessions import preparing
from live_vlm_webui.sessions.choice import ModelChoice
from live_vlm_webui.sessions.gatherer import Gatherer
from live_vlm_webui.sessions.numbers import Stopwatch
from live_vlm_webui.sessions.sampling import CHANGE_SECONDS, Asked, Free, OnChange, too_old
from live_vlm_webui.sessions.settings import SessionSettings
from live_vlm_webui.sessions.transcript import Transcript

if TYPE_CHECKING:
    from live_vlm_webui.sessions.scene_change import Thumbnail

ROUND_SECONDS = 0.05
"""The least time between two questions, however fast the model: people cannot read faster."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
LONGEST_RETRY_AFTER = 60.0
"""The longest pause that an overloaded server may request."""
ANSWER_SECONDS = 600.0
"""The time limit of a question whose model does not apply its own timeouts."""
LONGEST_ANSWER = 256 * 1024
STOP_SECONDS = 1.0
INSIST_SECONDS = 0.1
INSIST_TIMES = 10
REPORT = "Report this with the server's log if it repeats."

logger = logging.getLogger(__name__)


class Worker:
    """Asks the questions of a session, from ``start`` to ``stop``.

    Args:
        settings: The initial settings.
        choice: Opens the model.
        transcript: Records what happens.
        encoders: The threads that prepare frames.
    """

    def __init__(
        self, settings: SessionSettings, choice: ModelChoice, transcript: Transcript, encoders: Executor
    ) -> None:
        self._settings = settings
        self._choice = choice
        self._transcript = transcript
        self._encoders = encoders
        self._camera: Camera | None = None
        self._gatherer: Gatherer | None = None
        self._asked: Asked | None = None
        self._reference: Thumbnail | None = None
        self._last_number = 0
        self._last_taken = float("-inf")
        self._failures = 0
        self._pause = 0.0
        self._is_asking = self._interrupted = False
        self._round: asyncio.Task[None] | None = None
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the loop."""
        self._loop = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        """End the loop, whatever is in progress, within about ``STOP_SECONDS``. Stopping twice does nothing."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.cancel()
        self._gather_from(None)  # first: who waits for the loop may give up
        self._camera = self._reference = None
        if loop is not None:
            await asyncio.wait({loop}, timeout=STOP_SECONDS)

    def change(self, settings: SessionSettings, *, new_key: bool = False) -> None:
        """Use ``settings`` from the next question; at once if the model or its key has changed."""
        before, self._settings = self._settings, settings
        other_model = new_key or (settings.api_base, settings.model) != (before.api_base, before.model)
        if other_model:
            self._choice.forget()
        if _asks_otherwise(before, settings) or new_key:
            self._ask_again_about_a_picture()
        if (before.frames_per_question, before.frame_spacing) != (settings.frames_per_question, settings.frame_spacing):
            self._gather_from(self._camera)
        self._failures = 0
        self._transcript.forgive()
        self._interrupt(also_a_question=other_model)

    def look_at(self, camera: Camera | None) -> None:
        """Use the frames of ``camera`` from now on."""
        self._camera = camera
        self._asked = self._reference = None
        self._last_number = 0
        self._gather_from(camera)
        self.try_again()
        self._interrupt()
        if camera is not None:
            self._encoders.submit(preparing.warm_up)

    def try_again(self) -> None:
        """End the pause after a failure, for example when the camera has reconnected."""
        if self._failures:
            self._failures = 0
            self._interrupt()

    def _interrupt(self, *, also_a_question: bool = False) -> None:
        if self._round is not None and (also_a_question or not self._is_asking):
            self._interrupted = True
            _cancel(self._round)

    def _ask_again_about_a_picture(self) -> None:
        """Ask again about an uploaded picture: no other frame will arrive after the change."""
        if self._camera is not None and self._camera.kind == "picture":
            self._asked = None

    def _gather_from(self, camera: Camera | None) -> None:
        if self._gatherer is not None:
            self._gatherer.close()
            self._gatherer = None
        if camera is not None and self._settings.frames_per_question > 1:
            self._gatherer = Gatherer(camera.slot, self._settings.frames_per_question, self._settings.frame_spacing)

    async def _run(self) -> None:
        while True:
            self._interrupted = False
            self._round = asyncio.ensure_future(self._go_round())
            try:
                await asyncio.wait({self._round})
            except asyncio.CancelledError:
                _cancel(self._round)
                await asyncio.wait({self._round}, timeout=STOP_SECONDS)
                raise
            self._is_asking = False
            self._transcript.give_up()
            if not self._round.cancelled():
                self._round.result()  # raises unexpected errors
            elif not self._interrupted:  # something awaited was cancelled, such as threads at the server's stop
                self._fail(ModelError("bad-answer", "The question was cancelled by the server", REPORT))

    async def _go_round(self) -> None:
        try:
            if self._failures:
                await asyncio.sleep(self._pause)
            if self._settings.paused or self._camera is None:
                await asyncio.get_running_loop().create_future()  # until a change
                return
            model = await self._open_model()
            frame = await self._next_frame(self._settings, self._camera, max(ROUND_SECONDS, model.pace))
            model = await self._open_model()
            try:
                await self._ask(model, frame)
            except asyncio.CancelledError:
                self._asked = None  # it has no answer, so the next need not wait
                raise
        except (ModelError, CameraError) as error:
            self._fail(error)
        except Exception as error:
            logger.exception("a question failed")
            self._fail(ModelError("bad-answer", f"The question failed with {type(error).__name__}", REPORT))

    def _fail(self, error: ModelError | CameraError) -> None:
        self._failures += 1
        self._pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures - 1, 10))
        if isinstance(error, ModelError) and error.retry_after is not None:
            self._pause = max(self._pause, min(error.retry_after, LONGEST_RETRY_AFTER))
        self._asked = None  # the last question has no answer yet
        self._transcript.fail(error)

    async def _open_model(self) -> VisionModel:
        try:
            model = await self._choice.get(self._settings)
        except ModelError as error:
            self._transcript.model_missing(error)
            raise
        self._transcript.model_opened(model.label)
        return model

    async def _next_frame(self, settings: SessionSettings, camera: Camera, pace: float) -> Frame:
        """Wait for a suitable frame, at least ``pace`` seconds after the last, and return it."""
        rule, asked, ready = settings.sampling, self._asked, time.monotonic()
        due = rule.due(asked)
        wait = max(due.at, self._last_taken + pace) - ready
        if wait > 0:
            await asyncio.sleep(wait)
        frame = await camera.slot.after(due.number - 1)
        while True:
            now = time.monotonic()
            if camera.kind != "picture" and too_old(frame.decoded_at, now, settings.max_frame_age):
                frame = await camera.slot.after(frame.number)
                continue
            if asked is None or not isinstance(rule, OnChange) or await self._wants(rule, asked, frame):
                break
            await asyncio.sleep(CHANGE_SECONDS)
            frame = await camera.slot.after(frame.number)
        if asked is not None and not isinstance(rule, Free):
            self._transcript.tally.held_back(time.monotonic() - ready, frame.number - asked.number - 1)
        return frame

    async def _wants(self, rule: OnChange, asked: Asked, frame: Frame) -> bool:
        if self._reference is None:  # the last question was asked with another rule
            return True
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._encoders, preparing.compare, self._reference, frame.image)
        return rule.wants(found, asked, time.monotonic())

    async def _ask(self, model: VisionModel, frame: Frame) -> None:
        settings = self._settings
        frames = await self._gatherer.frames(frame) if self._gatherer else (frame,)
        watch = self._take(frames[-1])
        prepared = await self._prepare(frames, settings)
        watch.encoding, watch.encoded = prepared.began, prepared.ended
        self._reference = prepared.thumbnail
        question = settings.question(prepared.pictures, model.label)
        self._is_asking = True
        self._transcript.begin(model.label, question)
        watch.sent = time.monotonic()
        tokens = await self._listen(model, question, watch)
        self._transcript.finish(watch.numbers(time.monotonic(), tokens))
        self._failures = 0

    def _take(self, frame: Frame) -> Stopwatch:
        now = time.monotonic()
        skipped = frame.number - self._last_number - 1 if self._last_number else 0
        self._asked = Asked(frame.number, now)
        self._last_number, self._last_taken = frame.number, now
        return Stopwatch(frame.decoded_at, now, max(0, skipped))

    async def _prepare(self, frames: tuple[Frame, ...], settings: SessionSettings) -> preparing.Prepared:
        images = [frame.image for frame in frames]
        watches_changes = isinstance(settings.sampling, OnChange)
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._encoders, preparing.prepare, images, settings.long_side, watches_changes
            )
        except Exception as error:
            logger.exception("compressing a frame failed")
            raise CameraError(
                "unreadable",
                f"A frame of {images[-1].width}x{images[-1].height} could not be compressed: {type(error).__name__}",
                "Choose another camera or format if this repeats.",
            ) from error

    async def _listen(self, model: VisionModel, question: Question, watch: Stopwatch) -> int | None:
        """Record the answer as it arrives; return its length in tokens, or None if unknown."""
        tokens, length, has_words = None, 0, False
        try:
            with Deadline(ANSWER_SECONDS):
                async with aclosing(model.answer(question)) as pieces:
                    async for delta in pieces:
                        tokens = delta.completion_tokens if delta.completion_tokens is not None else tokens
                        self._transcript.think(delta.thought)
                        if delta.text:
                            watch.text_came(time.monotonic())
                            length += len(delta.text)
                            has_words = has_words or not delta.text.isspace()
                            self._transcript.add(delta.text)
                        if length > LONGEST_ANSWER:
                            break
        except TimeoutError:
            raise ModelError(
                "timeout", f"{model.label.name} did not finish its answer within {ANSWER_SECONDS:g} s", REPORT
            ) from None
        if not has_words:
            raise ModelError(
                "bad-answer",
                f"{model.label.name} returned an empty answer",
                "Allow longer answers, change the prompt, or choose another model.",
            )
        return tokens


def _asks_otherwise(before: SessionSettings, after: SessionSettings) -> bool:
    """Return whether the question about a picture would differ."""
    return replace(before, paused=after.paused, sampling=after.sampling) != after


def _cancel(task: asyncio.Task[None], insist: int = INSIST_TIMES) -> None:
    """Cancel ``task``, and again if that had no effect: before Python 3.12, ``wait_for`` may swallow a cancellation."""
    if not task.done() and insist:
        task.cancel()
        again = asyncio.get_running_loop().call_later(INSIST_SECONDS, _cancel, task, insist - 1)
        task.add_done_callback(lambda _task: again.cancel())
