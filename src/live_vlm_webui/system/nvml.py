"""The GPUs of NVIDIA's driver, from its management library (NVML).

The driver reports different figures for different GPUs: no memory if it is shared with the processor (Thor, GB10),
almost nothing on Orin. So each figure is read separately, and an unsupported one is not read again.
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

UNSUPPORTED = "The driver does not report it for this GPU."
SHARED = "The GPU shares the machine's memory."
NO_LIBRARY = "No NVIDIA driver found: its library libnvidia-ml.so.1 is missing."


@dataclass
class _Device:
    """A GPU: its constant figures, its unsupported ones, and why others are missing now."""

    handle: Any
    known: Gpu
    unsupported: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)


class NvmlSource:
    """The GPUs of NVIDIA's driver. The library, a slow import, is loaded only if there is a driver."""

    name = "nvml"

    def __init__(self) -> None:
        self._nvml: Any = None
        self._devices: list[_Device] = []

    def open(self) -> None:
        """Load the library, and read names and limits.

        Raises:
            Absent: There is no driver, or it has no GPU.
            RuntimeError: The driver cannot be used.
        """
        nvml = _load()
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            raise _error_of(nvml, error.value, str(error)) from None
        self._nvml = nvml
        self._devices = [self._device(index) for index in range(nvml.nvmlDeviceGetCount())]
        if not self._devices:
            raise Absent("The NVIDIA driver is loaded but found no GPU.")

    def read(self) -> Reading:
        """Read all GPUs. A failure of one does not affect the others.

        Raises:
            RuntimeError: The driver is gone.
        """
        return Reading(gpus=tuple(self._gpu(device) for device in self._devices))

    def close(self) -> None:
        """Shut NVML down. Its library stays loaded."""
        nvml, self._nvml, self._devices = self._nvml, None, []
        if nvml is not None:
            try:
                nvml.nvmlShutdown()
            except nvml.NVMLError:
                return  # the driver is gone

    def _device(self, index: int) -> _Device:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
        except nvml.NVMLError as error:
            self._stop_if_gone(error)
            return _Device(None, without_figures(Gpu(f"NVIDIA GPU {index}"), f"The driver reports: {error}."))
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
        """Return a figure; None, with the reason in ``device.missing``, if it is not available."""
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
                device.missing[name] = f"The driver reports: {error}."
            return None

    def _stop_if_gone(self, error: Any) -> None:
        nvml = self._nvml
        if error.value in {
            nvml.NVML_ERROR_UNINITIALIZED,
            nvml.NVML_ERROR_DRIVER_NOT_LOADED,
            nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
        }:
            raise _error_of(nvml, error.value, str(error)) from None


def _load() -> Any:
    """Return the Python module of NVML.

    Raises:
        Absent: The driver's library is missing.
    """
    if sys.platform.startswith("linux"):
        try:
            ctypes.CDLL(LIBRARY)
        except OSError as error:
            if "No such file" in str(error):
                raise Absent(NO_LIBRARY) from None
            raise RuntimeError(f"The library of the NVIDIA driver cannot be loaded: {error}.") from None
    import pynvml

    return pynvml


def _memory(nvml: Any, handle: Any) -> tuple[int, int] | None:
    """Return used and total bytes. Version 2 does not count memory reserved by the driver as used."""
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
    except nvml.NVMLError as error:
        if error.value != nvml.NVML_ERROR_FUNCTION_NOT_FOUND:
            raise
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    return memory.used, memory.total


def _error_of(nvml: Any, code: int, words: str) -> Exception:
    """Return the exception for an error of the library as a whole."""
    if code == nvml.NVML_ERROR_LIBRARY_NOT_FOUND:
        return Absent(NO_LIBRARY)
    if code == nvml.NVML_ERROR_DRIVER_NOT_LOADED:
        return RuntimeError("The NVIDIA driver is installed but not loaded. Load it with `sudo modprobe nvidia`.")
    if code == nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH:
        return RuntimeError("The versions of the NVIDIA library and the loaded driver differ. Restart the machine.")
    return RuntimeError(f"The NVIDIA driver cannot be accessed: {words}.")
