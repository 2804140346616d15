from __future__ import annotations

import ctypes

import pytest

from live_vlm_webui.system.nvml import NvmlSource
from live_vlm_webui.system.source import Absent

MIB = 1024 * 1024
A6000 = {
    "0.name": "NVIDIA RTX A6000",
    "0.use": 37,
    "0.memory": "10240 49140",
    "0.temperature": 61,
    "0.slowdown": 90,
    "0.power": 187_345,
    "0.power_limit": 300_000,
}
T4 = {"1.name": "Tesla T4", "1.use": 0, "1.memory": "300 15360", "1.temperature": 40, "1.power": 9_900}
TWO = {"count": 2, **A6000, **T4}

NOT_SUPPORTED, GPU_IS_LOST, VERSION_MISMATCH, DRIVER_NOT_LOADED, UNKNOWN = "!3", "!15", "!18", "!9", "!999"


def test_all_gpus_are_told_with_their_figures_and_limits(nvml, probe):
    nvml.answer(TWO)
    first, second = probe().ask()
    assert first == {
        "name": "NVIDIA RTX A6000",
        "integrated": False,
        "use_percent": 37,
        "memory_used_bytes": 10_240 * MIB,
        "memory_total_bytes": 49_140 * MIB,
        "temperature_celsius": 61,
        "temperature_limit_celsius": 90,
        "power_watts": 187.3,
        "power_limit_watts": 300.0,
        "missing": {},
    }
    assert (second["name"], second["use_percent"], second["power_limit_watts"]) == ("Tesla T4", 0, None)
    assert second["missing"] == {}


@pytest.mark.parametrize("figure", ["use", "memory", "temperature", "power"])
@pytest.mark.parametrize("error", [NOT_SUPPORTED, UNKNOWN])
def test_one_figure_that_cannot_be_had_hides_no_other(nvml, probe, figure, error):
    nvml.answer({**TWO, f"0.{figure}": error})
    names = {
        "use": ["use_percent"],
        "memory": ["memory_used_bytes", "memory_total_bytes"],
        "temperature": ["temperature_celsius"],
        "power": ["power_watts"],
    }[figure]
    gpu = probe().ask()[0]
    assert [name for name, value in gpu.items() if value is None] == names
    assert list(gpu["missing"]) == names
    assert all(gpu["missing"].values())


@pytest.mark.parametrize("name", ["NVIDIA GB10", "NVIDIA Thor", "Orin (nvgpu)"])
def test_a_gpu_that_shares_the_machines_memory_says_so(nvml, probe, name):
    nvml.answer({"count": 1, "0.name": name, "0.use": 12})
    (gpu,) = probe().ask()
    assert (gpu["integrated"], gpu["use_percent"]) == (True, 12)
    assert gpu["missing"]["memory_used_bytes"] == "The GPU shares the machine's memory."


def test_what_does_not_change_is_read_once_and_what_the_driver_never_tells_is_not_asked_for_again(nvml, probe):
    nvml.answer({**TWO, "0.power": NOT_SUPPORTED})
    process = probe()
    for _ in range(5):
        process.ask()
    counts = {call: nvml.calls.count(call) for call in nvml.calls}
    once = {"init", "count", "0.name", "0.slowdown", "0.power_limit", "0.power"}
    assert {call: counts[call] for call in once} == dict.fromkeys(once, 1)
    assert (counts["0.use"], counts["1.power"]) == (5, 5)


def test_an_error_that_comes_later_is_told_and_goes_by_itself(nvml, probe):
    nvml.answer(TWO)
    process = probe()
    process.ask()
    lost = {f"1.{figure}": GPU_IS_LOST for figure in ("use", "memory", "temperature", "power")}
    nvml.answer({**TWO, **lost})
    first, second = process.ask()
    assert first["use_percent"] == 37
    assert (second["name"], second["use_percent"]) == ("Tesla T4", None)
    assert "GPU is lost" in second["missing"]["use_percent"]
    nvml.answer(TWO)
    assert process.ask()[1]["use_percent"] == 0


def test_a_gpu_that_cannot_be_opened_hides_no_other(nvml, probe):
    nvml.answer({**TWO, "0.handle": "!4"})
    first, second = probe().ask()
    assert (first["name"], first["use_percent"]) == ("NVIDIA GPU 0", None)
    assert "Insufficient Permissions" in first["missing"]["use_percent"]
    assert second["name"] == "Tesla T4"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"init": VERSION_MISMATCH}, "differ. Restart the machine"),
        ({"init": DRIVER_NOT_LOADED}, "modprobe nvidia"),
        ({"init": UNKNOWN}, "Unknown Error"),
        ({"count": 0}, "found no GPU"),
    ],
)
def test_an_unusable_driver_is_reported_with_the_reason_and_retried(nvml, probe, answers, told):
    nvml.answer(answers)
    process = probe()
    assert told in process.ask()["error"]
    nvml.answer(TWO)
    assert len(process.ask()) == 2


def test_a_driver_that_is_replaced_while_it_is_read_is_told_and_opened_again(nvml, probe):
    nvml.answer(TWO)
    process = probe()
    process.ask()
    nvml.answer({**TWO, "0.use": VERSION_MISMATCH})
    assert "Restart the machine" in process.ask()["error"]
    assert nvml.calls[-1] == "shutdown"
    nvml.answer(TWO)
    assert len(process.ask()) == 2
    assert process.end() == ""


def test_a_file_that_is_no_library_is_told_and_breaks_nothing(tmp_path, probe, nvml, monkeypatch):
    (tmp_path / "libnvidia-ml.so.1").write_text("not a library")
    monkeypatch.setattr(nvml, "_library", tmp_path)
    told = probe().ask()
    assert told["kind"] == "RuntimeError"
    assert "cannot be loaded" in told["error"]


def test_a_machine_without_the_driver_lacks_the_source_and_does_not_load_its_module():
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        with pytest.raises(Absent, match=r"libnvidia-ml\.so\.1 is missing"):
            NvmlSource().open()
    else:
        pytest.skip("this machine has NVIDIA's driver")


def test_a_real_gpu_tells_what_it_is_and_how_busy():
    source = NvmlSource()
    try:
        source.open()
    except (Absent, RuntimeError) as error:
        pytest.skip(f"no GPU that NVML can tell of: {error}")
    gpus = source.read().gpus
    source.close()
    assert gpus
    for gpu in gpus:
        assert gpu.name
        assert gpu.use_percent is not None or gpu.missing["use_percent"]
        assert gpu.temperature_celsius is None or 0 < gpu.temperature_celsius < 120
        assert gpu.memory_total_bytes is None or gpu.memory_total_bytes >= gpu.memory_used_bytes >= 0
