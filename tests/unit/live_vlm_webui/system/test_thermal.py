from __future__ import annotations

import pytest
from sensor_trees import DGX_SPARK, ORIN_NANO_JETPACK_6, PC, plant, zones

from live_vlm_webui.system.cpu import CpuSource
from live_vlm_webui.system.thermal import find_cpu, find_zones, read_celsius

AMD = {
    "sys/class/hwmon/hwmon2/name": "k10temp\n",
    "sys/class/hwmon/hwmon2/temp1_label": "Tctl\n",
    "sys/class/hwmon/hwmon2/temp1_input": "71625\n",
    "sys/class/hwmon/hwmon2/temp3_label": "Tccd1\n",
    "sys/class/hwmon/hwmon2/temp3_input": "64000\n",
}


@pytest.mark.parametrize(
    ("tree", "celsius"),
    [(PC, 61), (AMD, 72), (ORIN_NANO_JETPACK_6, 51), (zones(("acpitz", 27.8), ("x86_pkg_temp", 58.0)), 58)],
    ids=["intel", "amd", "orin nano", "thermal zone"],
)
def test_the_processors_temperature_is_found(tmp_path, tree, celsius):
    assert read_celsius(find_cpu(plant(tmp_path, tree))) == celsius


def test_a_temperature_of_something_else_is_not_taken_for_the_processors(tmp_path):
    assert find_cpu(plant(tmp_path, {**DGX_SPARK, **zones(("acpitz", 40.0), ("iwlwifi_1", 45.0))})) is None


def test_zones_are_read_in_the_order_of_their_numbers(tmp_path):
    tree = zones(*((f"zone{number}", float(number)) for number in range(12)))
    assert list(find_zones(plant(tmp_path, tree)))[-2:] == ["zone10", "zone11"]


def test_a_machine_without_a_temperature_tells_the_rest(tmp_path):
    source = CpuSource(tmp_path)
    source.open()
    reading = source.read()
    assert reading.cpu.temperature_celsius is None
    assert reading.memory.total_bytes >= reading.memory.used_bytes > 0


def test_the_cpu_temperature_is_read_each_time_and_missing_without_its_file(tmp_path):
    source = CpuSource(plant(tmp_path, PC))
    source.open()
    file = tmp_path / "sys/class/hwmon/hwmon1/temp1_input"
    assert source.read().cpu.temperature_celsius == 61
    file.write_text("65400\n")
    assert source.read().cpu.temperature_celsius == 65
    file.unlink()
    assert source.read().cpu.temperature_celsius is None
