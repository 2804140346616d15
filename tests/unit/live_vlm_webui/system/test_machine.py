from __future__ import annotations

import subprocess

import pytest
from sensor_trees import AGX_ORIN_JETPACK_5, DGX_SPARK, ORIN_NANO_JETPACK_6, PC, THOR_JETPACK_7, plant

from live_vlm_webui.system.machine import read_machine

MAC = {
    "hw.model": b"Mac14,2\n",
    "machdep.cpu.brand_string": b"Apple M2\n",
    "hw.memsize": b"17179869184\n",
    "kern.osproductversion": b"15.5\n",
}


@pytest.mark.parametrize(
    ("tree", "product", "os", "cpu"),
    [
        (
            ORIN_NANO_JETPACK_6,
            "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super",
            "Ubuntu 22.04.5 LTS, Jetson Linux 36.4.3",
            "Cortex-A78AE",
        ),
        (AGX_ORIN_JETPACK_5, "Jetson AGX Orin Developer Kit", "Jetson Linux 35.4.1", ""),
        (
            THOR_JETPACK_7,
            "NVIDIA Jetson AGX Thor Developer Kit",
            "Ubuntu 24.04.3 LTS, Jetson Linux 38.2.0",
            "Neoverse V3AE",
        ),
        (DGX_SPARK, "NVIDIA DGX Spark", "Ubuntu 24.04.3 LTS", "Cortex-X925 + Cortex-A725"),
        (
            PC,
            "ASUSTeK COMPUTER INC. PRIME X570-P",
            "Debian GNU/Linux 12 (bookworm)",
            "Intel Core i9-10900X CPU @ 3.70GHz",
        ),
    ],
    ids=["orin nano", "agx orin", "thor", "dgx spark", "pc"],
)
def test_a_machine_is_called_what_its_firmware_calls_it(tmp_path, tree, product, os, cpu):
    machine = read_machine(plant(tmp_path, tree), "linux")
    assert (machine.product, machine.os, machine.cpu) == (product, os, cpu)
    assert machine.cores >= 1


def test_memory_is_told_in_whole_mebibytes(tmp_path):
    memory = read_machine(plant(tmp_path, PC), "linux").memory_bytes
    assert memory == 32_000 * 1024 * 1024


def test_a_machine_that_tells_nothing_has_no_product_rather_than_a_placeholder(tmp_path):
    tables = {"sys/class/dmi/id/product_name": "Default string\n", "sys/class/dmi/id/board_name": "None\n"}
    machine = read_machine(plant(tmp_path, tables), "linux")
    assert (machine.product, machine.cpu, machine.memory_bytes) == ("", "", None)


def test_a_mac_is_asked_by_sysctl():
    machine = read_machine(system="darwin", run=lambda command: MAC[command[2]])
    assert (machine.product, machine.cpu, machine.memory_bytes) == ("Mac14,2", "Apple M2", 16 * 1024**3)
    assert machine.os.startswith("macOS")


def test_a_mac_that_does_not_answer_is_a_machine_without_details():
    def fails(command):
        raise subprocess.TimeoutExpired(command, 1)

    machine = read_machine(system="darwin", run=fails)
    assert (machine.product, machine.cpu, machine.memory_bytes) == ("", "", None)
    assert machine.name == read_machine(system="linux").name
