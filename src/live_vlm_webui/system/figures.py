"""What is measured. Units are in the names; None is a figure that is missing.

Figures are rounded to what a person can use (whole percents and degrees, MiB, tenths of a watt), so that a machine at
rest gives equal samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Literal

MIB = 1024 * 1024
GPU_FIGURES = (
    "use_percent",
    "memory_used_bytes",
    "memory_total_bytes",
    "temperature_celsius",
    "power_watts",
)
"""What is expected of every GPU: what is missing of these has its reason in ``Gpu.missing``."""

State = Literal["starting", "ok", "absent", "failing", "hanging"]


@dataclass(frozen=True)
class Gpu:
    """One GPU.

    Attributes:
        name: As the driver calls it.
        integrated: Whether it is part of the processor; it then shares the machine's memory.
        use_percent: 0 to 100.
        memory_used_bytes: In whole MiB.
        memory_total_bytes: In whole MiB.
        temperature_celsius: Of the chip.
        temperature_limit_celsius: Above it the GPU slows itself down.
        power_watts: What it draws now.
        power_limit_watts: What it may draw.
        missing: Why a figure is None, by the figure's name.
    """

    name: str
    integrated: bool = False
    use_percent: int | None = None
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    temperature_celsius: int | None = None
    temperature_limit_celsius: int | None = None
    power_watts: float | None = None
    power_limit_watts: float | None = None
    missing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cpu:
    """The processor.

    Attributes:
        use_percent: Of all cores together, 0 to 100, since the sample before; None in the first.
        cores_percent: The same of each core; empty in the first.
        load_1_minute: Processes that run or want to, averaged over a minute.
        temperature_celsius: Of the whole package where it is told.
    """

    use_percent: int | None = None
    cores_percent: tuple[int, ...] = ()
    load_1_minute: float | None = None
    temperature_celsius: int | None = None


@dataclass(frozen=True)
class Memory:
    """The machine's memory, in bytes (whole MiB); used is what programs cannot have any more."""

    used_bytes: int | None = None
    total_bytes: int | None = None
    swap_used_bytes: int | None = None
    swap_total_bytes: int | None = None


@dataclass(frozen=True)
class Board:
    """A board that measures itself, such as a Jetson.

    Attributes:
        power_watts: Of the whole module, or of the whole board where that is measured.
        rails_watts: Of each supply rail, by the name that its sensor carries.
        temperatures_celsius: By thermal zone: ``cpu``, ``gpu``, ``tj`` ...
        power_mode: The name that nvpmodel gives it, such as ``MAXN_SUPER``; empty if unknown.
    """

    power_watts: float | None = None
    rails_watts: Mapping[str, float] = field(default_factory=dict)
    temperatures_celsius: Mapping[str, int] = field(default_factory=dict)
    power_mode: str = ""


@dataclass(frozen=True)
class Reading:
    """What one source measured at one time."""

    gpus: tuple[Gpu, ...] = ()
    cpu: Cpu | None = None
    memory: Memory | None = None
    board: Board | None = None


@dataclass(frozen=True)
class SourceState:
    """How a source fares.

    Attributes:
        name: ``nvml``, ``jetson``, ``jtop``, ``apple`` or ``cpu``.
        state: ``starting`` before its first figures; ``absent``: this machine lacks it; ``failing``: it raised an error
            and is tried again, less and less often; ``hanging``: it has not come back.
        reason: Why it gives nothing, and perhaps what to do; empty if ``ok``.
    """

    name: str
    state: State = "starting"
    reason: str = ""


@dataclass(frozen=True)
class Sample:
    """What all sources measured at one time. Two samples are equal if their figures are.

    Attributes:
        at: When, RFC 3339 in UTC with milliseconds.
        gpus: All GPUs, those whose source fails included, without figures then.
        cpu: The processor.
        memory: The machine's memory.
        board: None unless the board measures itself.
        sources: How each source fares.
    """

    at: str = field(compare=False)
    gpus: tuple[Gpu, ...] = ()
    cpu: Cpu = Cpu()
    memory: Memory = Memory()
    board: Board | None = None
    sources: tuple[SourceState, ...] = ()

    def to_json(self) -> dict[str, object]:
        """As it is told to browsers."""
        return asdict(self)


def without_figures(gpu: Gpu, reason: str) -> Gpu:
    """Keep what ``gpu`` is, and say of each figure why it is missing."""
    return Gpu(gpu.name, gpu.integrated, missing=dict.fromkeys(GPU_FIGURES, reason))


def filled(gpu: Gpu, other: Gpu) -> Gpu:
    """Fill in what ``gpu`` lacks from ``other``, which is the same one measured in another way."""
    found = {
        item.name: getattr(other, item.name)
        for item in fields(gpu)
        if getattr(gpu, item.name) is None and getattr(other, item.name) is not None
    }
    missing = {name: reason for name, reason in gpu.missing.items() if name not in found}
    return replace(gpu, **found, missing=missing)


def percent(share: float) -> int:
    """A share of 0 to 1 as whole percents, 0 to 100 whatever the counters say."""
    return round(min(max(share, 0.0), 1.0) * 100)


def whole_mib(size: float) -> int:
    """Bytes in whole MiB."""
    return round(size / MIB) * MIB
