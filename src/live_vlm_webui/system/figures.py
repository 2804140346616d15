"""The figures of the system monitor. Units are in the names; None means missing.

Figures are rounded to a useful precision (whole percents and degrees, MiB, tenths of a watt), so that an idle machine
gives equal samples.
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
"""The figures expected of every GPU; ``Gpu.missing`` has the reason for each that is missing."""

State = Literal["starting", "ok", "absent", "failing", "hanging"]


@dataclass(frozen=True)
class Gpu:
    """A GPU.

    Attributes:
        name: The driver's name for it.
        integrated: Whether it is part of the processor and shares the machine's memory.
        use_percent: Its use, 0 to 100.
        memory_used_bytes: Its used memory, in whole MiB.
        memory_total_bytes: Its total memory, in whole MiB.
        temperature_celsius: The temperature of the chip.
        temperature_limit_celsius: The temperature above which it throttles.
        power_watts: Its current power.
        power_limit_watts: Its power limit.
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
    """The CPU.

    Attributes:
        use_percent: The use of all cores since the previous sample, 0 to 100; None in the first.
        cores_percent: The use of each core; empty in the first.
        load_1_minute: The load average of one minute.
        temperature_celsius: The temperature of the package.
    """

    use_percent: int | None = None
    cores_percent: tuple[int, ...] = ()
    load_1_minute: float | None = None
    temperature_celsius: int | None = None


@dataclass(frozen=True)
class Memory:
    """The machine's memory, in bytes (whole MiB); used is what is not available to programs."""

    used_bytes: int | None = None
    total_bytes: int | None = None
    swap_used_bytes: int | None = None
    swap_total_bytes: int | None = None


@dataclass(frozen=True)
class Board:
    """A board with its own sensors, such as a Jetson.

    Attributes:
        power_watts: The power of the module, or of the whole board if measured.
        rails_watts: The power of each supply rail, by the label of its sensor.
        temperatures_celsius: By thermal zone: ``cpu``, ``gpu``, ``tj`` ...
        power_mode: The mode's name in nvpmodel, such as ``MAXN_SUPER``; empty if unknown.
    """

    power_watts: float | None = None
    rails_watts: Mapping[str, float] = field(default_factory=dict)
    temperatures_celsius: Mapping[str, int] = field(default_factory=dict)
    power_mode: str = ""


@dataclass(frozen=True)
class Reading:
    """The figures of a source at one time."""

    gpus: tuple[Gpu, ...] = ()
    cpu: Cpu | None = None
    memory: Memory | None = None
    board: Board | None = None


@dataclass(frozen=True)
class SourceState:
    """The state of a source.

    Attributes:
        name: ``nvml``, ``jetson``, ``jtop``, ``apple`` or ``cpu``.
        state: ``starting`` before its first figures; ``absent``: this machine does not have it; ``failing``: it raised
            an error and is retried less and less often; ``hanging``: it has not returned.
        reason: Why it has no figures, and what to do if known; empty if ``ok``.
    """

    name: str
    state: State = "starting"
    reason: str = ""


@dataclass(frozen=True)
class Sample:
    """The figures of all sources at one time. Samples with equal figures are equal.

    Attributes:
        at: The time, RFC 3339 in UTC with milliseconds.
        gpus: All GPUs; those whose source fails have no figures.
        cpu: The CPU.
        memory: The machine's memory.
        board: The board; None if it has no sensors.
        sources: The state of each source.
    """

    at: str = field(compare=False)
    gpus: tuple[Gpu, ...] = ()
    cpu: Cpu = Cpu()
    memory: Memory = Memory()
    board: Board | None = None
    sources: tuple[SourceState, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the sample as sent to browsers."""
        return asdict(self)


def without_figures(gpu: Gpu, reason: str) -> Gpu:
    """Return ``gpu`` without figures, with ``reason`` for each."""
    return Gpu(gpu.name, gpu.integrated, missing=dict.fromkeys(GPU_FIGURES, reason))


def filled(gpu: Gpu, other: Gpu) -> Gpu:
    """Return ``gpu`` with missing figures filled in from ``other``, the same GPU from another source."""
    found = {
        item.name: getattr(other, item.name)
        for item in fields(gpu)
        if getattr(gpu, item.name) is None and getattr(other, item.name) is not None
    }
    missing = {name: reason for name, reason in gpu.missing.items() if name not in found}
    return replace(gpu, **found, missing=missing)


def percent(share: float) -> int:
    """Return a share of 0 to 1 as whole percents, limited to 0 to 100."""
    return round(min(max(share, 0.0), 1.0) * 100)


def whole_mib(size: float) -> int:
    """Return bytes, rounded to whole MiB."""
    return round(size / MIB) * MIB
