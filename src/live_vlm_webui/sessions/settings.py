"""The settings of a session: immutable, and replaced as a whole by each change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from live_vlm_webui.config.settings import LONGEST_PROMPT, TEMPERATURES
from live_vlm_webui.errors import InputError
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.endpoint import LONGEST_API_BASE, normalise
from live_vlm_webui.models.model import BUILT_IN, ModelLabel, Question
from live_vlm_webui.secret import Secret, can_be_sent
from live_vlm_webui.sessions import faults
from live_vlm_webui.sessions.faults import FaultError, Faults
from live_vlm_webui.sessions.sampling import EveryFrames, EverySeconds, Free, OnChange, Sampling

DEFAULT_PROMPT = "Describe what you see in one or two sentences."
LONGEST_NAME = 256
MOST_TOKENS = 8192
MOST_FRAMES_APART = 100_000
SECONDS_APART = (0.05, 86_400.0)
FRAME_AGES = (0.05, 3600.0)
MOST_FRAMES = 8
FRAME_SPACINGS = (0.04, 60.0)
LONG_SIDES = (64, 4096)
DEFAULT_THRESHOLD = 0.05
DEFAULT_SILENCE = 30.0

T = TypeVar("T")


@dataclass(frozen=True)
class SessionSettings:
    """The settings of a session, without API keys, which are in its ``Keyring``.

    Attributes:
        api_base: The API's address, normalised by ``endpoint.normalise``, or ``BUILT_IN``; empty uses what was found.
        model: The model's name on its server; empty uses the first that accepts pictures.
        prompt: The prompt.
        system_prompt: What models are told before the prompt; may be empty.
        temperature: How much chance there is in answers; None leaves it to the server.
        max_tokens: The longest answer, in tokens.
        sampling: When to ask.
        max_frame_age: The oldest frame to ask about, in seconds.
        frames_per_question: Frames per question, 1 to ``MOST_FRAMES``.
        frame_spacing: Seconds between these frames.
        long_side: The longer side of the pictures sent to the model, in pixels.
        reasoning: Whether models may reason before they answer.
        paused: Whether asking is paused.
    """

    api_base: str = ""
    model: str = ""
    prompt: str = DEFAULT_PROMPT
    system_prompt: str = ""
    temperature: float | None = None
    max_tokens: int = 256
    sampling: Sampling = field(default_factory=Free)
    max_frame_age: float = 5.0
    frames_per_question: int = 1
    frame_spacing: float = 0.5
    long_side: int = 640
    reasoning: bool = False
    paused: bool = False

    def patched(self, patch: Mapping[str, object]) -> SessionSettings:
        """Return these settings, changed by ``patch``, which is validated strictly.

        A new ``api_base`` without a ``model`` resets the model, which belongs to the old server. An ``api_key`` is only
        validated; see ``key_in``.

        Args:
            patch: Parsed JSON.

        Raises:
            InputError: Names are unknown or values invalid; the message lists all.
            ForbiddenError: ``api_base`` is the address of a cloud metadata service.
        """
        found = Faults()
        found.check_names(patch, (*_READERS, "api_key"))
        read: dict[str, object] = {}
        for name, reader in _READERS.items():
            if name in patch:
                try:
                    read[name] = reader(patch[name])
                except FaultError as fault:
                    found.add(name, str(fault))
        try:
            key_in(patch)
        except FaultError as fault:
            found.add("api_key", str(fault))
        found.raise_any()
        if read.get("api_base", self.api_base) != self.api_base:
            read.setdefault("model", "")
        return replace(self, **read)  # type: ignore[arg-type]  # each reader returns the type of its field

    def question(self, pictures: tuple[Picture, ...], model: ModelLabel) -> Question:
        """Return the question to ``model`` about ``pictures``; the describer knows no system prompt and temperature."""
        is_server = model.api_base != BUILT_IN
        return Question(
            self.prompt,
            pictures,
            self.max_tokens,
            self.reasoning,
            self.system_prompt if is_server else "",
            self.temperature if is_server else None,
        )

    def to_json(self) -> dict[str, object]:
        """Return the settings as sent to browsers."""
        return {**vars(self), "sampling": self.sampling.to_json()}


def key_in(patch: Mapping[str, object]) -> Secret | None:
    """Return the API key in a patch; None removes the key of its address.

    Raises:
        FaultError: It is invalid; the message does not contain it.
    """
    value = patch.get("api_key")
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise FaultError("it is not a string")
    if not can_be_sent(value):
        raise FaultError("it is too long or contains characters that cannot be sent in a header")
    return Secret(value)


def read_sampling(value: object) -> Sampling:
    """Parse a sampling rule from JSON.

    Raises:
        FaultError: It is invalid.
    """
    if not isinstance(value, Mapping):
        raise FaultError(f'{faults.shortened(value)} is not an object such as {{"mode": "free"}}')
    mode = value.get("mode")
    if not isinstance(mode, str) or mode not in _MODES:
        raise FaultError(f"mode {faults.shortened(mode)} is not one of {', '.join(_MODES)}")
    known, make = _MODES[mode]
    for name in value:
        if name not in ("mode", *known):
            raise FaultError(
                f"{faults.shortened(name)} is not allowed in mode {mode}, only {', '.join(('mode', *known))}"
            )
    return make(value)


def _api_base(value: object) -> str:
    address = faults.text(value, LONGEST_API_BASE, empty=True).strip()
    if address in {"", BUILT_IN}:
        return address
    try:
        return normalise(address)
    except InputError as error:
        raise FaultError(error.message) from error


def _model(value: object) -> str:
    name = faults.text(value, LONGEST_NAME, empty=True).strip()
    if not name.isprintable():
        raise FaultError("it contains control characters")
    return name


def _system_prompt(value: object) -> str:
    text = faults.text(value, LONGEST_PROMPT, empty=True)
    return text if text.strip() else ""


def _temperature(value: object) -> float | None:
    return None if value is None else faults.number(value, *TEMPERATURES)


def _every_frames(value: Mapping[str, object]) -> Sampling:
    return EveryFrames(_within("every", value, lambda every: faults.whole_number(every, 1, MOST_FRAMES_APART)))


def _every_seconds(value: Mapping[str, object]) -> Sampling:
    return EverySeconds(_within("every", value, lambda every: faults.number(every, *SECONDS_APART)))


def _on_change(value: Mapping[str, object]) -> Sampling:
    given = {"threshold": DEFAULT_THRESHOLD, "max_silence": DEFAULT_SILENCE, **value}
    return OnChange(
        _within("threshold", given, lambda threshold: faults.number(threshold, 0, 1)),
        _within("max_silence", given, lambda silence: faults.number(silence, *SECONDS_APART)),
    )


def _within(name: str, value: Mapping[str, object], reader: Callable[[object], T]) -> T:
    try:
        return reader(value.get(name))
    except FaultError as fault:
        raise FaultError(f"{name} {fault}") from fault


_MODES: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, object]], Sampling]]] = {
    "free": ((), lambda _value: Free()),
    "frames": (("every",), _every_frames),
    "seconds": (("every",), _every_seconds),
    "change": (("threshold", "max_silence"), _on_change),
}
_READERS: dict[str, Callable[[object], object]] = {
    "api_base": _api_base,
    "model": _model,
    "prompt": lambda value: faults.text(value, LONGEST_PROMPT),
    "system_prompt": _system_prompt,
    "temperature": _temperature,
    "max_tokens": lambda value: faults.whole_number(value, 1, MOST_TOKENS),
    "sampling": read_sampling,
    "max_frame_age": lambda value: faults.number(value, *FRAME_AGES),
    "frames_per_question": lambda value: faults.whole_number(value, 1, MOST_FRAMES),
    "frame_spacing": lambda value: faults.number(value, *FRAME_SPACINGS),
    "long_side": lambda value: faults.whole_number(value, *LONG_SIDES),
    "reasoning": faults.flag,
    "paused": faults.flag,
}
