"""What a session is told: frozen, and replaced as a whole by each change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from live_vlm_webui.errors import InputError
from live_vlm_webui.secret import Secret, can_be_sent
from live_vlm_webui.sessions import faults
from live_vlm_webui.sessions.faults import FaultError, Faults
from live_vlm_webui.sessions.sampling import EveryFrames, EverySeconds, Free, OnChange, Sampling

DEFAULT_PROMPT = "Describe what you see in one or two sentences."
LONGEST_PROMPT = 16 * 1024
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
    """The settings of one session. The key of an API is not among them: it is on the session's ``Keyring``.

    Attributes:
        api_base: Of the API to ask, in ``endpoint.normalise``'s form, or ``BUILT_IN``; empty takes what was found.
        model: As its server calls it; empty takes the first that sees.
        prompt: What is asked about each picture.
        max_tokens: The longest answer.
        sampling: When to ask.
        max_frame_age: Older frames are not asked about, in seconds.
        frames_per_question: How many, 1 to ``MOST_FRAMES``.
        frame_spacing: From one of them to the next, in seconds.
        long_side: Of the picture that the model sees, in pixels.
        paused: Whether no question is asked for now.
    """

    api_base: str = ""
    model: str = ""
    prompt: str = DEFAULT_PROMPT
    max_tokens: int = 256
    sampling: Sampling = field(default_factory=Free)
    max_frame_age: float = 5.0
    frames_per_question: int = 1
    frame_spacing: float = 0.5
    long_side: int = 640
    paused: bool = False

    def patched(self, patch: Mapping[str, object]) -> SessionSettings:
        """These settings with those of ``patch`` instead, checked strictly: it comes from outside.

        Another ``api_base`` without a ``model`` forgets the model, which is the other server's. An ``api_key`` is
        checked and left to ``key_in``.

        Args:
            patch: As JSON gave it.

        Raises:
            InputError: A name is unknown or a value cannot be used; all of them are told.
            ForbiddenError: ``api_base`` is an address that is never asked.
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
        return replace(self, **read)  # type: ignore[arg-type]  # each reader returns what its field holds

    def to_json(self) -> dict[str, object]:
        """As browsers are told."""
        return {name: self.sampling.to_json() if name == "sampling" else getattr(self, name) for name in _READERS}


def key_in(patch: Mapping[str, object]) -> Secret | None:
    """The API key that a patch brings; None takes that of its address away.

    Raises:
        FaultError: It cannot be a key. It is not repeated.
    """
    value = patch.get("api_key")
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise FaultError("it is not a text")
    if not can_be_sent(value):
        raise FaultError("it is too long, or holds characters that cannot be sent in a header")
    return Secret(value)


def read_sampling(value: object) -> Sampling:
    """A rule for when to ask, as JSON has it.

    Raises:
        FaultError: It is none.
    """
    if not isinstance(value, Mapping):
        raise FaultError(f'{faults.shortened(value)} is not an object such as {{"mode": "free"}}')
    mode = value.get("mode")
    if not isinstance(mode, str) or mode not in _MODES:
        raise FaultError(f"mode {faults.shortened(mode)} is not one of {', '.join(_MODES)}")
    known, make = _MODES[mode]
    for name in value:
        if name not in ("mode", *known):
            raise FaultError(f"{faults.shortened(name)} does not go with mode {mode}; {', '.join(('mode', *known))} do")
    return make(value)


def _api_base(value: object) -> str:
    from live_vlm_webui.models.endpoint import LONGEST_API_BASE, normalise
    from live_vlm_webui.models.model import BUILT_IN

    address = faults.text(value, LONGEST_API_BASE, empty=True).strip()
    if address in {"", BUILT_IN}:
        return address
    try:
        return normalise(address)
    except InputError as error:
        raise FaultError(f"{error.message} {error.remedy}") from error


def _model(value: object) -> str:
    name = faults.text(value, LONGEST_NAME, empty=True).strip()
    if not name.isprintable():
        raise FaultError("it holds characters that no name has")
    return name


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
    "max_tokens": lambda value: faults.whole_number(value, 1, MOST_TOKENS),
    "sampling": read_sampling,
    "max_frame_age": lambda value: faults.number(value, *FRAME_AGES),
    "frames_per_question": lambda value: faults.whole_number(value, 1, MOST_FRAMES),
    "frame_spacing": lambda value: faults.number(value, *FRAME_SPACINGS),
    "long_side": lambda value: faults.whole_number(value, *LONG_SIDES),
    "paused": faults.flag,
}
