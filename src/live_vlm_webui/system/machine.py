"""The machine's description, read once."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from live_vlm_webui.system.apple import Run, run_program
from live_vlm_webui.system.figures import whole_mib
from live_vlm_webui.system.jetson import release_of
from live_vlm_webui.system.source import read_text

ROOT = Path("/")
PLACEHOLDERS = re.compile(
    r"to be filled|default string|system (product name|manufacturer|version)|^o\.e\.m|^not (specified|applicable)"
    r"|^(none|unknown|n/?a|invalid|[0.]+)$",
    re.IGNORECASE,
)
"""Placeholders in firmware tables that the manufacturer did not fill in."""
ARM_CORES = {
    # CPU implementer and part of /proc/cpuinfo, as in util-linux's lscpu-arm.c
    (0x41, 0xD03): "Cortex-A53",
    (0x41, 0xD07): "Cortex-A57",
    (0x41, 0xD08): "Cortex-A72",
    (0x41, 0xD0B): "Cortex-A76",
    (0x41, 0xD0C): "Neoverse N1",
    (0x41, 0xD40): "Neoverse V1",
    (0x41, 0xD42): "Cortex-A78AE",
    (0x41, 0xD4F): "Neoverse V2",
    (0x41, 0xD83): "Neoverse V3AE",
    (0x41, 0xD85): "Cortex-X925",
    (0x41, 0xD87): "Cortex-A725",
    (0x4E, 0x004): "Carmel",
}


@dataclass(frozen=True)
class Machine:
    """The machine that the server runs on.

    Attributes:
        name: The host name.
        product: The product name from its firmware; empty if unknown.
        os: The operating system and version, and the version of Jetson Linux.
        architecture: ``x86_64``, ``aarch64``, ``arm64`` ...
        cpu: The CPU's name; empty if unknown.
        cores: The number of logical cores.
        memory_bytes: The size of its memory, in whole MiB; None if unknown.
    """

    name: str
    product: str = ""
    os: str = ""
    architecture: str = ""
    cpu: str = ""
    cores: int = 0
    memory_bytes: int | None = None

    def to_json(self) -> dict[str, object]:
        """Return the description as sent to browsers."""
        return asdict(self)


def read_machine(root: Path = ROOT, system: str = sys.platform, run: Run | None = None) -> Machine:
    """Return this machine's description; unknown parts are empty. Takes some milliseconds, on a Mac some tens.

    Args:
        root: The directory of /proc, /sys and /etc.
        system: The value of ``sys.platform``.
        run: Runs programs on a Mac.
    """
    common = Machine(platform.node(), architecture=platform.machine(), cores=os.cpu_count() or 0)
    details = _mac(run or run_program) if system == "darwin" else _linux(root)
    return Machine(**{**asdict(common), **details})


def _linux(root: Path) -> dict[str, object]:
    cpuinfo = read_text(root / "proc/cpuinfo") or ""
    total = re.search(r"^MemTotal:\s*(\d+) kB", read_text(root / "proc/meminfo") or "", re.MULTILINE)
    names = [_os_name(read_text(root / "etc/os-release") or ""), release_of(root)]
    if names[1]:
        names[1] = f"Jetson Linux {names[1]}"
    return {
        "product": read_text(root / "proc/device-tree/model") or _dmi(root / "sys/class/dmi/id"),
        "os": ", ".join(filter(None, names)) or platform.system(),
        "cpu": _cpu_name(cpuinfo),
        "memory_bytes": whole_mib(int(total[1]) * 1024) if total else None,
    }


def _os_name(release: str) -> str:
    found = re.search(r'^PRETTY_NAME="?(.*?)"?$', release, re.MULTILINE)
    return found[1] if found else ""


def _dmi(tables: Path) -> str:
    """Return vendor and product of the system, else of the mainboard, from the firmware."""
    for maker, product in (("sys_vendor", "product_name"), ("board_vendor", "board_name")):
        names = [read_text(tables / file) or "" for file in (maker, product)]
        vendor, name = ("" if PLACEHOLDERS.search(text) else text.replace("_", " ") for text in names)
        if name:
            return name if not vendor or name.lower().startswith(vendor.lower()) else f"{vendor} {name}"
    return ""


def _cpu_name(cpuinfo: str) -> str:
    """Return ``model name`` on x86; on Arm the kinds of cores, such as ``Cortex-X925 + Cortex-A725``."""
    named = re.search(r"^(?:model name|Model Name)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    if named:
        return re.sub(r"\s+", " ", re.sub(r"\((R|TM)\)", "", named[1])).strip()
    makers = re.findall(r"^CPU implementer\s*:\s*(0x[0-9a-f]+)$", cpuinfo, re.MULTILINE)
    parts = re.findall(r"^CPU part\s*:\s*(0x[0-9a-f]+)$", cpuinfo, re.MULTILINE)
    kinds = [ARM_CORES.get((int(maker, 16), int(part, 16)), "") for maker, part in zip(makers, parts)]  # noqa: B905
    return " + ".join(sorted(set(filter(None, kinds)), reverse=True))


def _mac(run: Run) -> dict[str, object]:
    def told(name: str) -> str:
        try:
            return run(("sysctl", "-n", name)).decode().strip()
        except (OSError, ValueError, subprocess.SubprocessError):
            return ""

    memory = told("hw.memsize")
    return {
        "product": told("hw.model"),
        "os": f"macOS {platform.mac_ver()[0] or told('kern.osproductversion')}".strip(),
        "cpu": told("machdep.cpu.brand_string"),
        "memory_bytes": whole_mib(int(memory)) if memory.isdigit() else None,
    }
