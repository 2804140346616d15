from __future__ import annotations

import pytest
from sensor_trees import AGX_ORIN_JETPACK_5, ORIN_NANO_JETPACK_6, PC, THOR_JETPACK_7, ina3221, plant

from live_vlm_webui.system.jetson import LOOK_AGAIN, JetsonSource
from live_vlm_webui.system.source import Absent

LOAD = "sys/class/devfreq/17000000.gpu/device/load"


def opened(root):
    source = JetsonSource(root)
    source.open()
    return source


def test_orin_nano_with_jetpack_6(tmp_path):
    reading = opened(plant(tmp_path, ORIN_NANO_JETPACK_6)).read()
    (gpu,) = reading.gpus
    assert (gpu.name, gpu.integrated, gpu.use_percent, gpu.temperature_celsius) == (
        "NVIDIA Orin (integrated)",
        True,
        87,
        53,
    )
    assert gpu.power_watts is None  # VDD_CPU_GPU_CV feeds the processor too
    assert "supply rail" in gpu.missing["power_watts"]
    assert reading.board.power_watts == 11.3  # VDD_IN feeds the whole module: the other rails are part of it
    assert reading.board.rails_watts == {"VDD_IN": 11.3, "VDD_CPU_GPU_CV": 3.8, "VDD_SOC": 2.3}
    assert reading.board.power_mode == "MAXN_SUPER"
    assert reading.board.temperatures_celsius == {"cpu": 51, "gpu": 53, "soc0": 50, "soc1": 50, "soc2": 49, "tj": 53}


def test_agx_orin_with_jetpack_5_while_its_gpu_sleeps(tmp_path):
    reading = opened(plant(tmp_path, AGX_ORIN_JETPACK_5)).read()
    (gpu,) = reading.gpus
    assert (gpu.use_percent, gpu.temperature_celsius) == (25, None)  # it tells -256 degrees
    assert "switched off" in gpu.missing["temperature_celsius"]
    assert reading.board.power_watts == 9.4  # of three rails; VIN_SYS_5V0 feeds VDDQ_VDD2_1V8AO
    assert reading.board.rails_watts["VDDQ_VDD2_1V8AO"] == 0.8
    assert "NC" not in reading.board.rails_watts
    assert reading.board.power_mode == "MAXN"


def test_thor_with_jetpack_7_leaves_its_gpu_load_to_nvml(tmp_path):
    reading = opened(plant(tmp_path, THOR_JETPACK_7)).read()
    (gpu,) = reading.gpus
    assert (gpu.name, gpu.use_percent, gpu.power_watts) == ("NVIDIA Thor (integrated)", None, -0.4)
    assert gpu.missing["use_percent"]
    assert reading.board.power_watts == 23.1  # VIN, by an INA238, is the whole board
    assert reading.board.power_mode == "120W"


def test_the_whole_is_unknown_rather_than_too_small_while_a_rail_does_not_tell(tmp_path):
    root = plant(tmp_path, AGX_ORIN_JETPACK_5)
    source = opened(root)
    (root / "sys/class/hwmon/hwmon3/curr2_input").write_text("")
    board = source.read().board
    assert board.power_watts is None
    assert board.rails_watts["VDD_GPU_SOC"] == 4.0


def test_sensors_that_vanish_are_missing_and_nothing_else(tmp_path):
    root = plant(tmp_path, ORIN_NANO_JETPACK_6)
    source = opened(root)
    (root / LOAD).unlink()
    (root / "sys/class/thermal/thermal_zone1/temp").unlink()
    reading = source.read()
    assert (reading.gpus[0].use_percent, reading.gpus[0].temperature_celsius) == (None, None)
    assert reading.board.power_watts == 11.3
    assert reading.board.temperatures_celsius["cpu"] == 51


def test_a_gpu_load_that_appears_after_the_start_is_found(tmp_path):
    late = {path: text for path, text in ORIN_NANO_JETPACK_6.items() if "17000000.gpu" not in path}
    root = plant(tmp_path, late)
    source = opened(root)
    assert source.read().gpus[0].use_percent is None
    plant(root, ORIN_NANO_JETPACK_6)
    assert [source.read().gpus[0].use_percent for _ in range(LOOK_AGAIN)][-1] == 87


@pytest.mark.parametrize("path", ["sys/devices/platform/gpu.0/load", "sys/devices/gpu.0/load"])
def test_a_gpu_load_is_found_where_older_releases_have_it(tmp_path, path):
    root = plant(tmp_path, {"etc/nv_tegra_release": "# R32 (release), REVISION: 7.4,", path: "1000\n"})
    assert opened(root).read().gpus[0].use_percent == 100


def test_a_mode_that_the_configuration_does_not_name_is_told_by_its_number(tmp_path):
    root = plant(tmp_path, {**ORIN_NANO_JETPACK_6, "var/lib/nvpmodel/status": "pmode:0007"})
    assert opened(root).read().board.power_mode == "mode 7"


def test_a_sensor_of_three_rails_in_another_machine_makes_no_jetson_of_it(tmp_path):
    with pytest.raises(Absent, match="not an NVIDIA Jetson"):
        JetsonSource(plant(tmp_path, {**PC, **ina3221(5, ("VDD_IN", 5000, 100))})).open()
