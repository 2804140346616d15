"""A build backend (PEP 517) without dependencies: building this project needs no network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from pathlib import Path

EPOCH = (2020, 1, 1, 0, 0, 0)
PACKAGES = ["src/tiny_thing"]
FILES = "*"
VERSION = re.search(r'^version = "(.+)"$', Path("pyproject.toml").read_text("utf-8"), re.MULTILINE)[1]
STEM = f"tiny_thing-{VERSION}"
INFO = f"{STEM}.dist-info"


def build_sdist(sdist_directory, config_settings=None):
    """The package and what it is built with; the metadata is in PKG-INFO."""
    name = f"{STEM}.tar.gz"
    top = [Path(each) for each in ("CHANGELOG.md", "LICENSE", "README.md", "backend.py", "pyproject.toml")]
    contents = {str(path): path.read_bytes() for path in [*top, *packaged()] if path.exists()}
    with gzip.GzipFile(Path(sdist_directory, name), "wb", mtime=0) as zipped, tarfile.open(None, "w", zipped) as sdist:
        for path, content in {**contents, "PKG-INFO": metadata().encode()}.items():
            member = tarfile.TarInfo(f"{STEM}/{path}")
            member.size = len(content)
            sdist.addfile(member, io.BytesIO(content))
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """The package, its metadata and its command."""
    name = f"{STEM}-py3-none-any.whl"
    contents = {path.as_posix().removeprefix("src/"): path.read_bytes() for path in packaged()}
    contents[f"{INFO}/METADATA"] = metadata().encode()
    contents[f"{INFO}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: backend\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents[f"{INFO}/entry_points.txt"] = b"[console_scripts]\ntiny-thing = tiny_thing:main\n"
    contents[f"{INFO}/licenses/LICENSE"] = Path("LICENSE").read_bytes()
    lines = [f"{path},sha256={digest(content)},{len(content)}" for path, content in contents.items()]
    contents[f"{INFO}/RECORD"] = "\n".join([*lines, f"{INFO}/RECORD,,", ""]).encode()
    with zipfile.ZipFile(Path(wheel_directory, name), "w") as wheel:
        for path, content in contents.items():
            wheel.writestr(zipfile.ZipInfo(path, EPOCH), content)
    return name


def packaged():
    """Every file of the packages, in the same order everywhere."""
    found = (path for package in PACKAGES for path in Path(package).rglob(FILES))
    return sorted(path for path in found if path.is_file() and path.suffix != ".pyc")


def metadata():
    """Core metadata."""
    return (
        f"Metadata-Version: 2.4\nName: tiny-thing\nVersion: {VERSION}\n"
        "Summary: The smallest thing that can be released\n"
        "Requires-Python: >=3.10\nLicense-Expression: MIT\nLicense-File: LICENSE\n"
        f"Description-Content-Type: text/markdown\n\n{Path('README.md').read_text('utf-8')}"
    )


def digest(content):
    """A RECORD's form of sha256."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
