"""Sensors of machines that are not at hand: the files of /sys, /proc and /etc that tell them, as small trees.

Paths, labels and units are those of the boards with the named release; the figures are invented.

Sources: NVIDIA Jetson Linux Developer Guide R35, R36 and R38 (power monitor, thermal zones); Linux
``Documentation/hwmon``; the reports in jetson_stats issues 360, 711, 885 and pull requests 889 and 900, and alumet
issue 212.
"""

from __future__ import annotations

from pathlib import Path

Tree = dict[str, str]


def plant(root: Path, tree: Tree) -> Path:
    """Write ``tree`` under ``root`` and return that."""
    for name, text in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def zones(*told: tuple[str, float | None]) -> Tree:
    """Thermal zones: type and degrees; None is one that does not answer."""
    tree = {}
    for number, (name, celsius) in enumerate(told):
        zone = f"sys/class/thermal/thermal_zone{number}"
        tree[f"{zone}/type"] = f"{name}\n"
        tree[f"{zone}/temp"] = "" if celsius is None else f"{round(celsius * 1000)}\n"
    return tree


def ina3221(number: int, *rails: tuple[str, int, int]) -> Tree:
    """A sensor of three rails: label, millivolts, milliamperes."""
    chip = f"sys/class/hwmon/hwmon{number}"
    tree = {f"{chip}/name": "ina3221\n", f"{chip}/in7_label": "sum of shunt voltages\n"}
    for channel, (label, millivolts, milliamperes) in enumerate(rails, 1):
        tree[f"{chip}/in{channel}_label"] = f"{label}\n"
        if label != "NC":  # reading a channel that is not connected is an error
            tree[f"{chip}/in{channel}_input"] = f"{millivolts}\n"
            tree[f"{chip}/curr{channel}_input"] = f"{milliamperes}\n"
    return tree


ORIN_NANO_JETPACK_6: Tree = {
    "proc/device-tree/model": "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super\0",
    "proc/device-tree/compatible": "nvidia,p3768-0000+p3767-0005-super\0nvidia,p3767-0005\0nvidia,tegra234\0",
    "etc/nv_tegra_release": "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64, DATE: Wed"
    " Jan  8 01:49:37 UTC 2025\n# KERNEL_VARIANT: oot\n",
    "etc/os-release": 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\n',
    "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=15W >\nCPU_ONLINE CORE_0 1\n< POWER_MODEL ID=1 NAME=25W >\n"
    "< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n< PM_CONFIG DEFAULT=1 >\n",
    "var/lib/nvpmodel/status": "pmode:0002",
    "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 62.50\nCPU implementer\t: 0x41\nCPU part\t: 0xd42\n",
    "proc/meminfo": "MemTotal:        7802884 kB\nMemFree:          493852 kB\n",
    "sys/class/devfreq/15340000.vic/device/of_node/name": "vic\0",
    "sys/class/devfreq/15340000.vic/device/load": "0\n",
    "sys/class/devfreq/17000000.gpu/device/of_node/name": "gpu\0",
    "sys/class/devfreq/17000000.gpu/device/load": "873\n",
    "sys/class/devfreq/17000000.gpu/cur_freq": "1020000000\n",
    **zones(
        ("cpu-thermal", 51.25),
        ("gpu-thermal", 52.687),
        ("cv0-thermal", None),
        ("soc0-thermal", 49.9),
        ("soc1-thermal", 50.5),
        ("soc2-thermal", 49.1),
        ("tj-thermal", 52.687),
    ),
    **ina3221(1, ("VDD_IN", 5048, 2232), ("VDD_CPU_GPU_CV", 5048, 760), ("VDD_SOC", 5048, 448)),
}

AGX_ORIN_JETPACK_5: Tree = {
    "proc/device-tree/model": "Jetson AGX Orin Developer Kit\0",
    "proc/device-tree/compatible": "nvidia,p3737-0000+p3701-0000\0nvidia,tegra234\0nvidia,tegra23x\0",
    "etc/nv_tegra_release": "# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref, EABI: aarch64, DATE: Tue"
    " Aug  1 19:57:35 UTC 2023\n",
    "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=MAXN >\n< POWER_MODEL ID=1 NAME=MODE_15W >\n",
    "var/lib/nvpmodel/status": "pmode:0000\nfmode:quiet",
    "sys/class/devfreq/17000000.ga10b/device/of_node/name": "ga10b\0",
    "sys/class/devfreq/17000000.ga10b/device/load": "250\n",
    **zones(
        ("CPU-therm", 48.5),
        ("GPU-therm", -256.0),
        ("CV0-therm", -256.0),
        ("SOC0-therm", 46.0),
        ("tboard-therm", 38.0),
        ("tdiode-therm", 40.5),
        ("tj-therm", 48.5),
    ),
    **ina3221(3, ("VDD_GPU_SOC", 19_000, 210), ("VDD_CPU_CV", 19_000, 80), ("VIN_SYS_5V0", 5_000, 780)),
    **ina3221(4, ("NC", 0, 0), ("VDDQ_VDD2_1V8AO", 5_000, 170), ("NC", 0, 0)),
}

THOR_JETPACK_7: Tree = {
    "proc/device-tree/model": "NVIDIA Jetson AGX Thor Developer Kit\0",
    "proc/device-tree/compatible": "nvidia,p4071-0000+p3834-0008\0nvidia,p3834-0008\0nvidia,tegra264\0",
    "etc/nv_tegra_release": "# R38 (release), REVISION: 2.0, GCID: 41844464, BOARD: generic, EABI: aarch64, DATE: Fri"
    " Aug 22 00:55:42 UTC 2025\n",
    "etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\n',
    "etc/nvpmodel.conf": "< POWER_MODEL ID=0 NAME=MAXN >\n< POWER_MODEL ID=1 NAME=120W >\n",
    "var/lib/nvpmodel/status": "pmode:0001",
    "proc/cpuinfo": "CPU implementer\t: 0x41\nCPU part\t: 0xd83\n",
    # No load, no of_node: NVML tells the GPU's use.
    "sys/class/devfreq/gpu-gpc-0/cur_freq": "1575000000\n",
    "sys/class/devfreq/gpu-nvd-0/cur_freq": "1692000000\n",
    **zones(
        ("tj-thermal", 55.1),
        ("soc012-thermal", 55.1),
        ("cpu-thermal", 53.7),
        ("soc345-thermal", 53.7),
        ("gpu-thermal", None),
    ),
    **ina3221(2, ("VDD_GPU", 12_000, -33), ("VDD_CPU_SOC_MSS", 12_000, 542), ("VIN_SYS_5V0", 5_000, 1_304)),
    "sys/class/hwmon/hwmon3/name": "ina238\n",
    "sys/class/hwmon/hwmon3/power1_input": "23140000\n",
    "sys/class/hwmon/hwmon3/in1_input": "19980\n",
    "sys/class/hwmon/hwmon3/curr1_input": "1158\n",
}

DGX_SPARK: Tree = {
    "etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.3 LTS"\n',
    "sys/class/dmi/id/sys_vendor": "NVIDIA\n",
    "sys/class/dmi/id/product_name": "NVIDIA_DGX_Spark\n",
    "proc/cpuinfo": "CPU implementer\t: 0x41\nCPU part\t: 0xd87\n\nCPU implementer\t: 0x41\nCPU part\t: 0xd85\n",
    "proc/meminfo": "MemTotal:       127600748 kB\n",
}

PC: Tree = {
    "etc/os-release": 'NAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "sys/class/dmi/id/sys_vendor": "To Be Filled By O.E.M.\n",
    "sys/class/dmi/id/product_name": "System Product Name\n",
    "sys/class/dmi/id/board_vendor": "ASUSTeK COMPUTER INC.\n",
    "sys/class/dmi/id/board_name": "PRIME X570-P\n",
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Intel(R) Core(TM)  i9-10900X CPU @ 3.70GHz\n",
    "proc/meminfo": "MemTotal:       32768000 kB\n",
    "sys/class/hwmon/hwmon0/name": "nvme\n",
    "sys/class/hwmon/hwmon0/temp1_input": "38850\n",
    "sys/class/hwmon/hwmon1/name": "coretemp\n",
    "sys/class/hwmon/hwmon1/temp1_label": "Package id 0\n",
    "sys/class/hwmon/hwmon1/temp1_input": "61000\n",
    "sys/class/hwmon/hwmon1/temp2_label": "Core 0\n",
    "sys/class/hwmon/hwmon1/temp2_input": "59000\n",
}
