"""Wheels that somebody else made."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path


def other_wheel(folder: Path, version: str = "0.2.0", fields: str = "") -> Path:
    """Make a wheel of the tiny project that it did not make itself, with more fields in its metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    path, info = folder / f"tiny_thing-{version}-py3-none-any.whl", f"tiny_thing-{version}.dist-info"
    members = {
        "tiny_thing/__init__.py": "import somebody_else",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tiny-thing\nVersion: {version}\n{fields}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    members[f"{info}/RECORD"] = "".join(f"{name},sha256={_recorded(text)},\n" for name, text in members.items())
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in members.items():
            wheel.writestr(name, text)
    return path


def _recorded(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def with_module(wheel: Path, name: str) -> None:
    """Add a module to a wheel."""
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(name, "import os\n")


def with_changed_byte(wheel: Path, member: str) -> None:
    """Change the last byte of a member of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(wheel, "w") as archive:
        for info, content in members:
            archive.writestr(info, content[:-1] + b" " if info.filename == member else content)
