"""Puts together what the Dockerfile copies into the final image. Standard library only; runs on the build machine.

    assemble.py wheel TREE DIRECTORY            builds the tree's wheel
    assemble.py requirements DIRECTORY FILE     what the wheel in DIRECTORY needs
    assemble.py dependencies FILE ARCH ROOT     installs that for an architecture, and makes the data directory
    assemble.py application DIRECTORY ROOT      installs the wheel

Nothing runs on the target's platform: pip chooses the target's wheels by their tags, so an arm64 image needs no
emulation on a PC. Every file gets the same old time, and `.pyc` files carry none, so that a layer's bytes depend on
its content alone: a release with the same dependencies has the same dependency layer, and need not push it again.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

ENVIRONMENT = Path("/opt/live-vlm-webui")
"""The virtual environment, empty here, filled in the image."""
BILL = Path("usr/share/doc/live-vlm-webui/sbom.cdx.json")
DATA = Path("data")
USER = 10001
"""Whom DATA belongs to; the Dockerfile's USER."""
LONG_AGO = 315532800
"""1980-01-01: the earliest time that wheels can hold."""
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""BuildKit's TARGETARCH, and what `platform.machine()` says there."""
OLDEST_GLIBC = 17
"""Of manylinux2014: 2.17."""
CXX = "libstdc++.so.6"
"""Which wheels may expect, beside the C library."""
UNUSED = (
    "bin",
    "**/tests",
    "onnxruntime/capi/libonnxruntime.so.*",  # for programs in C; Python's module has all of it inside
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
)
"""What the dependencies bring and the app does not import: a seventh of their size. A test misses nothing of it."""
QUIET = ("--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir")
SECRETS = {"PIP_CERT": "/run/secrets/ca", "PIP_CONFIG_FILE": "/run/secrets/pipconf"}
"""pip's settings, and where the Dockerfile mounts files for them if they are given."""
PIP_FOR_MACHINE = """
import platform, runpy, sys
machine = sys.argv.pop(1)
platform.machine = lambda: machine  # requirements with a marker on the machine mean the target's
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def build_wheel(tree: str, directory: str) -> None:
    """Builds the wheel of a source tree."""
    run("-m", "pip", "wheel", *QUIET, "--no-deps", f"--wheel-dir={directory}", tree)


def write_requirements(directory: str, target: str) -> None:
    """Writes what the wheel needs, with nothing in it that changes when only code does.

    A CycloneDX file beside the wheel pins the versions: the image then holds what the bill lists, not what is newest.
    """
    pins = [
        f"{component['name']}=={component['version']}"
        for bill in Path(directory).glob("*.cdx.json")
        for component in json.loads(bill.read_text("utf-8")).get("components", ())
        if component.get("purl", "").startswith("pkg:pypi/")
    ]
    with zipfile.ZipFile(the_wheel(directory)) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        needs = message_from_bytes(wheel.read(name)).get_all("Requires-Dist", [])
    needs = [need for need in needs if not re.search(r";.*\bextra\s*==", need)]
    Path(target).write_text(json.dumps({"needs": sorted(needs), "pins": sorted(pins)}, indent=2), "utf-8")


def install_dependencies(requirements: str, architecture: str, root: str) -> None:
    """Installs the wheels for an architecture (a key of `MACHINES`) into the environment of the image at `root`."""
    machine = MACHINES.get(architecture)
    if machine is None:
        sys.exit(f"assemble.py: images are made for {' and '.join(MACHINES)}, not for {architecture}.")
    check_base()
    wanted = json.loads(Path(requirements).read_text("utf-8"))
    environment = Path(f"{root}{ENVIRONMENT}")
    shutil.copytree(ENVIRONMENT, environment, symlinks=True)
    (packages,) = environment.glob("lib/python3.*/site-packages")
    pins = Path("/tmp/pins.txt")  # noqa: S108 - nobody else is in this stage
    pins.write_text("\n".join(wanted["pins"]), "utf-8")
    options = [f"--platform={tag}" for tag in platform_tags(machine)]
    options += [f"--target={packages}", "--only-binary=:all:", "--no-compile", f"--constraint={pins}"]
    if wanted["needs"]:
        run("-c", PIP_FOR_MACHINE, machine, "install", *QUIET, *options, *wanted["needs"])
    leave_out_unused(packages)
    data = Path(root) / DATA
    data.mkdir(mode=0o700)
    os.chown(data, USER, USER)
    settle(root)


def leave_out_unused(packages: Path) -> None:
    """Removes what `UNUSED` names."""
    for found in [path for pattern in UNUSED for path in packages.glob(pattern)]:
        if found.is_dir():
            shutil.rmtree(found)
        elif found.exists():
            found.unlink()


def install_application(directory: str, root: str) -> None:
    """Installs the wheel alone under `root`, with its command, and the bill of materials that lies beside it."""
    options = ["--no-deps", "--no-index", "--no-compile", "--no-warn-script-location", f"--root={root}"]
    python = ENVIRONMENT / "bin/python"
    run("-m", "pip", "--python", str(python), "install", *QUIET, *options, str(the_wheel(directory)))
    for bill in Path(directory).glob("*.cdx.json"):
        target = Path(root) / BILL
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bill, target)
    settle(root)


def settle(root: str) -> None:
    """Compiles the Python files under `root`, and gives everything the same time."""
    how = ("--invalidation-mode=unchecked-hash", "-s", root, "-p", "/")
    run("-m", "compileall", "-q", *how, f"{root}{ENVIRONMENT}", PYTHONHASHSEED="0")
    for path in [Path(root), *Path(root).rglob("*")]:
        os.utime(path, (LONG_AGO, LONG_AGO), follow_symlinks=False)


def the_wheel(directory: str) -> Path:
    """The one wheel in a directory."""
    found = sorted(Path(directory).glob("*.whl"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        sys.exit(f"assemble.py: the build context `wheel` must hold exactly one wheel; it holds {names}.")
    return found[0]


def platform_tags(machine: str) -> list[str]:
    """Tags of the wheels that run on a machine with this image's C library (PEP 600), the newest first."""
    library = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    if not library:
        sys.exit("assemble.py: the base image must have the GNU C library: the dependencies' wheels are built for it.")
    newest = int(library.split(".")[1])
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, OLDEST_GLIBC - 1, -1)]
    return [*tags, f"manylinux2014_{machine}", f"linux_{machine}"]


def check_base() -> None:
    """Looks whether this image, which the dependencies are installed on, has what they expect of every machine."""
    try:
        ctypes.CDLL(CXX)
    except OSError as error:
        sys.exit(f"assemble.py: the base image must have the C++ library: numpy and others need it ({error}).")


def run(*arguments: str, **environment: str) -> None:
    """Runs Python; if it fails, so does this program, in the words that Python printed."""
    secrets = {name: path for name, path in SECRETS.items() if Path(path).is_file()}
    environment = {**os.environ, **secrets, "PIP_ROOT_USER_ACTION": "ignore", **environment}
    done = subprocess.run([sys.executable, *arguments], env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)


COMMANDS: dict[str, Callable[..., None]] = {
    "wheel": build_wheel,
    "requirements": write_requirements,
    "dependencies": install_dependencies,
    "application": install_application,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
