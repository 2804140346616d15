"""All GPUs that NVIDIA's driver knows, by its management library (NVML).

A driver tells different figures of different GPUs: no memory where it is shared with the processor (Thor, GB10), next
to nothing on Orin. So each figure is asked for by itself, and one that the GPU does not have is not asked for again.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from live_vlm_webui.system.figures import GPU_FIGURES, Gpu, Reading, percent, whole_mib, without_figures
from live_vlm_webui.system.source import Absent

LIBRARY = "libnvidia-ml.so.1"
INTEGRATED = re.compile(r"\b(nvgpu|Tegra|Jetson|Orin|Thor|Xavier|GB10)\b", re.IGNORECASE)
"""Names of GPUs that share the machine's memory: "Orin (nvgpu)", "NVIDIA Thor", "NVIDIA GB10"."""

UNSUPPORTED = "This GPU's driver does not tell it."
SHARED = "The GPU shares the machine's memory."
NO_LIBRARY = "There is no NVIDIA driver here: its library libnvidia-ml.so.1 was not found."


@dataclass
class _Device:
    """A GPU: what does not change, what its driver never tells, and what it did not tell this time and why."""

    handle: Any
    known: Gpu
    unsupported: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)


class NvmlSource:
    """The GPUs of NVIDIA's driver. The library, a slow import, is loaded only where there is a driver."""

    name = "nvml"

    def __init__(self) -> None:
        self._nvml: Any = None
        self._devices: list[_Device] = []

    def open(self) -> None:
        """Load the library, and read names and limits.

        Raises:
            Absent: There is no driver, or it has no GPU.
            RuntimeError: There is one that cannot be used now; says why and what to do.
        """
        nvml = _load()
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            raise _refusal(nvml, error.value, str(error)) from None
        self._nvml = nvml
        self._devices = [self._device(index) for index in range(nvml.nvmlDeviceGetCount())]
        if not self._devices:
            raise Absent("NVIDIA's driver is loaded, and has found no GPU.")

    def read(self) -> Reading:
        """Read all GPUs. One that fails does not hide the others.

        Raises:
            RuntimeError: The driver itself is gone.
        """
        return Reading(gpus=tuple(self._gpu(device) for device in self._devices))

    def close(self) -> None:
        """Give the library back. It stays loaded, as NVML's does in any program."""
        nvml, self._nvml, self._devices = self._nvml, None, []
        if nvml is not None:
            try:
                nvml.nvmlShutdown()
            except nvml.NVMLError:
                return  # the driver went before us

    def _device(self, index: int) -> _Device:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
        except nvml.NVMLError as error:
            self._stop_if_gone(error)
            return _Device(None, without_figures(Gpu(f"NVIDIA GPU {index}"), f"The driver says: {error}."))
        device = _Device(handle, Gpu(f"NVIDIA GPU {index}"))
        slowdown = nvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN
        name = self._figure(device, "name", lambda: nvml.nvmlDeviceGetName(handle)) or device.known.name
        celsius = self._figure(device, "hottest", lambda: nvml.nvmlDeviceGetTemperatureThreshold(handle, slowdown))
        milliwatts = self._figure(device, "most", lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle))
        device.known = Gpu(
            name,
            integrated=INTEGRATED.search(name) is not None,
            temperature_limit_celsius=celsius,
            power_limit_watts=None if milliwatts is None else round(milliwatts / 1000, 1),
        )
        return device

    def _gpu(self, device: _Device) -> Gpu:
        if device.handle is None:
            return device.known
        nvml, handle = self._nvml, device.handle
        device.missing.clear()
        use = self._figure(device, "use_percent", lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        memory = self._figure(device, "memory_used_bytes", lambda: _memory(nvml, handle))
        if memory is None:
            reason = SHARED if device.known.integrated else device.missing["memory_used_bytes"]
            device.missing.update(memory_used_bytes=reason, memory_total_bytes=reason)
        sensor = nvml.NVML_TEMPERATURE_GPU
        celsius = self._figure(device, "temperature_celsius", lambda: nvml.nvmlDeviceGetTemperature(handle, sensor))
        milliwatts = self._figure(device, "power_watts", lambda: nvml.nvmlDeviceGetPowerUsage(handle))
        return replace(
            device.known,
            use_percent=None if use is None else percent(use / 100),
            memory_used_bytes=None if memory is None else whole_mib(memory[0]),
            memory_total_bytes=None if memory is None else whole_mib(memory[1]),
            temperature_celsius=celsius,
            power_watts=None if milliwatts is None else round(milliwatts / 1000, 1),
            missing={name: device.missing[name] for name in GPU_FIGURES if name in device.missing},
        )

    def _figure(self, device: _Device, name: str, ask: Callable[[], Any]) -> Any:
        """Ask for one figure; None, with the reason in ``device.missing``, if it cannot be had."""
        if name in device.unsupported:
            device.missing[name] = UNSUPPORTED
            return None
        try:
            return ask()
        except self._nvml.NVMLError as error:
            self._stop_if_gone(error)
            if error.value in {self._nvml.NVML_ERROR_NOT_SUPPORTED, self._nvml.NVML_ERROR_FUNCTION_NOT_FOUND}:
                device.unsupported.add(name)
                device.missing[name] = UNSUPPORTED
            else:
                device.missing[name] = f"The driver says: {error}."
            return None

    def _stop_if_gone(self, error: Any) -> None:
        nvml = self._nvml
        if error.value in {
            nvml.NVML_ERROR_UNINITIALIZED,
            nvml.NVML_ERROR_DRIVER_NOT_LOADED,
            nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
        }:
            raise _refusal(nvml, error.value, str(error)) from None


def _load() -> Any:
    """The Python module of NVML.

    Raises:
        Absent: The driver's library is not there.
    """
    if sys.platform.startswith("linux"):
        try:
            ctypes.CDLL(LIBRARY)
        except OSError as error:
            if "No such file" in str(error):
                raise Absent(NO_LIBRARY) from None
            raise RuntimeError(f"NVIDIA's driver library cannot be loaded: {error}.") from None
    import pynvml

    return pynvml


def _memory(nvml: Any, handle: Any) -> tuple[int, int] | None:
    """Bytes used and in all. The second version does not count what the driver keeps for itself as used."""
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
    except nvml.NVMLError as error:
        if error.value != nvml.NVML_ERROR_FUNCTION_NOT_FOUND:
            raise
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    return memory.used, memory.total


def _refusal(nvml: Any, code: int, words: str) -> Exception:
    """What an error of the library as a whole means, and what to do."""
    if code == nvml.NVML_ERROR_LIBRARY_NOT_FOUND:
        return Absent(NO_LIBRARY)
    if code == nvml.NVML_ERROR_DRIVER_NOT_LOADED:
        return RuntimeError("NVIDIA's driver is installed but not loaded: load it with `sudo modprobe nvidia`.")
    if code == nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH:
        return RuntimeError("NVIDIA's library and the loaded driver are of different versions: restart the machine.")
    return RuntimeError(f"NVIDIA's driver cannot be asked: {words}.")
