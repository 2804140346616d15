"""The last samples, also as columns for charts, which are a tenth of the size."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from live_vlm_webui.system.figures import Sample

LENGTH = 240
"""Four minutes at one sample a second."""


class History:
    """The last samples, oldest first.

    Args:
        length: The number of samples kept.
    """

    def __init__(self, length: int = LENGTH) -> None:
        self._samples: deque[Sample] = deque(maxlen=length)

    def __iter__(self) -> Iterator[Sample]:
        return iter(tuple(self._samples))

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def newest(self) -> Sample | None:
        """The last sample; None before the first."""
        return self._samples[-1] if self._samples else None

    def append(self, sample: Sample) -> None:
        """Add a sample; the oldest one is dropped."""
        self._samples.append(sample)

    def to_json(self) -> dict[str, object]:
        """Return the figures for charts, as columns of equal length with null for missing figures.

        GPUs are those of the newest sample, by index; older samples with fewer GPUs give nulls.
        """
        samples = tuple(self._samples)
        newest = self.newest
        names = [gpu.name for gpu in newest.gpus] if newest else []
        return {
            "at": [sample.at for sample in samples],
            "cpu_percent": [sample.cpu.use_percent for sample in samples],
            "memory_used_bytes": [sample.memory.used_bytes for sample in samples],
            "board_watts": [sample.board.power_watts if sample.board else None for sample in samples],
            "gpus": [_gpu_columns(samples, place, name) for place, name in enumerate(names)],
        }


def _gpu_columns(samples: tuple[Sample, ...], place: int, name: str) -> dict[str, object]:
    gpus = [
        sample.gpus[place] if place < len(sample.gpus) and sample.gpus[place].name == name else None
        for sample in samples
    ]
    return {
        "use_percent": [gpu and gpu.use_percent for gpu in gpus],
        "memory_used_bytes": [gpu and gpu.memory_used_bytes for gpu in gpus],
        "temperature_celsius": [gpu and gpu.temperature_celsius for gpu in gpus],
        "power_watts": [gpu and gpu.power_watts for gpu in gpus],
    }
