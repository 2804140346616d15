"""Assemble the files that the Dockerfile copies into the final image. Standard library only; runs on the build machine.

    assemble.py wheel TREE DIRECTORY            build the wheel of a source tree
    assemble.py requirements DIRECTORY FILE     write the requirements of the wheel in DIRECTORY
    assemble.py dependencies FILE ARCH ROOT     install them for an architecture, and create the data directory
    assemble.py application DIRECTORY ROOT      install the wheel

Nothing runs on the target's platform: pip chooses the target's wheels by their tags, so an arm64 image needs no
emulation on a PC. Every file gets the same old time, and ``.pyc`` files contain none, so that a layer's bytes depend
only on its content: a release with the same dependencies has the same dependency layer, which need not be pushed again.
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
"""The virtual environment: empty here, filled in the image."""
BILL = Path("usr/share/doc/live-vlm-webui/sbom.cdx.json")
DATA = Path("data")
USER = 10001
"""The owner of DATA; the Dockerfile's USER."""
LONG_AGO = 315532800
"""1980-01-01, the earliest time in a zip file."""
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""BuildKit's TARGETARCH, and the value of ``platform.machine()`` there."""
OLDEST_GLIBC = 17
"""The minor version of manylinux2014's glibc 2.17."""
CXX = "libstdc++.so.6"
"""A library that wheels may expect, in addition to the C library."""
UNUSED = (
    "bin",
    "**/tests",
    "onnxruntime/capi/libonnxruntime.so.*",  # for C programs; the Python module contains it
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/transformers",
)
"""Files of the dependencies that the app does not import: a seventh of their size."""
PIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9][A-Za-z0-9._+!-]*")
QUIET = ("--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir")
SECRETS = {"PIP_CERT": "/run/secrets/ca", "PIP_CONFIG_FILE": "/run/secrets/pipconf"}
"""Settings of pip, and the files that the Dockerfile mounts for them, if given."""
PIP_FOR_MACHINE = """
import platform, runpy, sys
machine = sys.argv.pop(1)
platform.machine = lambda: machine  # markers in requirements refer to the target's machine
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def build_wheel(tree: str, directory: str) -> None:
    """Build the wheel of a source tree."""
    run("-m", "pip", "wheel", *QUIET, "--no-deps", f"--wheel-dir={directory}", tree)


def write_requirements(directory: str, target: str) -> None:
    """Write the wheel's requirements to a file that does not change when only code does.

    A CycloneDX file next to the wheel pins the versions: the image then contains the listed versions, not the newest.
    """
    pins = [pin for bill in Path(directory).glob("*.cdx.json") for pin in pins_of(bill)]
    with zipfile.ZipFile(the_wheel(directory)) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        needs = message_from_bytes(wheel.read(name)).get_all("Requires-Dist", [])
    needs = [need for need in needs if not re.search(r";.*\bextra\s*==", need)]
    Path(target).write_text(json.dumps({"needs": sorted(needs), "pins": sorted(pins)}, indent=2), "utf-8")


def pins_of(bill: Path) -> list[str]:
    """Return the versions that a bill of materials lists, as constraints of pip, which takes options in them too."""
    pins = []
    for component in json.loads(bill.read_text("utf-8")).get("components", ()):
        if component.get("purl", "").startswith("pkg:pypi/"):
            pin = f"{component['name']}=={component['version']}"
            if not PIN.fullmatch(pin):
                sys.exit(f"assemble.py: {bill.name} lists {pin!r}, which is not a package and its version")
            pins.append(pin)
    return pins


def install_dependencies(requirements: str, architecture: str, root: str) -> None:
    """Install the wheels for an architecture (a key of ``MACHINES``) into the environment of the image at ``root``."""
    machine = MACHINES.get(architecture)
    if machine is None:
        sys.exit(f"assemble.py: images are built for {' and '.join(MACHINES)}, not for {architecture}")
    check_base()
    wanted = json.loads(Path(requirements).read_text("utf-8"))
    environment = Path(f"{root}{ENVIRONMENT}")
    shutil.copytree(ENVIRONMENT, environment, symlinks=True)
    (packages,) = environment.glob("lib/python3.*/site-packages")
    pins = Path("/tmp/pins.txt")  # noqa: S108 - the build stage has no other users
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
    """Remove the files in ``UNUSED``."""
    for found in [path for pattern in UNUSED for path in packages.glob(pattern)]:
        if found.is_dir():
            shutil.rmtree(found)
        elif found.exists():
            found.unlink()


def install_application(directory: str, root: str) -> None:
    """Install the wheel under ``root`` without dependencies, with the bill of materials next to it."""
    options = ["--no-deps", "--no-index", "--no-compile", "--no-warn-script-location", f"--root={root}"]
    python = ENVIRONMENT / "bin/python"
    run("-m", "pip", "--python", str(python), "install", *QUIET, *options, str(the_wheel(directory)))
    for bill in Path(directory).glob("*.cdx.json"):
        target = Path(root) / BILL
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bill, target)
    settle(root)


def settle(root: str) -> None:
    """Compile the Python files under ``root``, and set the same time on all files."""
    how = ("--invalidation-mode=unchecked-hash", "-s", root, "-p", "/")
    run("-m", "compileall", "-q", *how, f"{root}{ENVIRONMENT}", PYTHONHASHSEED="0")
    for path in [Path(root), *Path(root).rglob("*")]:
        os.utime(path, (LONG_AGO, LONG_AGO), follow_symlinks=False)


def the_wheel(directory: str) -> Path:
    """Return the only wheel in a directory."""
    found = sorted(Path(directory).glob("*.whl"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        sys.exit(f"assemble.py: the build context `wheel` must contain exactly one wheel; found {names}")
    return found[0]


def platform_tags(machine: str) -> list[str]:
    """Return the tags of wheels that run with this image's C library (PEP 600), newest first."""
    library = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else None
    if not library:
        sys.exit("assemble.py: the base image needs the GNU C library, for which the dependencies' wheels are built")
    newest = int(library.split(".")[1])
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(newest, OLDEST_GLIBC - 1, -1)]
    return [*tags, f"manylinux2014_{machine}", f"linux_{machine}"]


def check_base() -> None:
    """Check that this image has the libraries that the dependencies expect."""
    try:
        ctypes.CDLL(CXX)
    except OSError as error:
        sys.exit(f"assemble.py: the base image needs the C++ library, for numpy and others ({error})")


def run(*arguments: str, **environment: str) -> None:
    """Run Python; on failure, exit with its status."""
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
