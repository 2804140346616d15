"""Building distributions with the project's own backend, and looking into them."""

from __future__ import annotations

import lzma
import os
import re
import shutil
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from email import message_from_bytes
from pathlib import Path, PurePosixPath
from typing import Any

from releaser.adapters import process
from releaser.adapters.installers import settings
from releaser.adapters.installers.lock import Lock
from releaser.core.activity import current
from releaser.errors import StepError, UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

_LONGEST_CHAIN = 40
# What else could make two machines build different bytes of one commit.
_SAME_EVERYWHERE = {"LC_ALL": "C.UTF-8", "LANGUAGE": "", "TZ": "UTC", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"}
_UMASK = 0o022
# zipfile and tarfile raise what their decompressors do, and for what a header claims whatever comes of it.
_DAMAGED = (
    *(OSError, EOFError, ValueError, KeyError, RuntimeError),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
)
_INSTALLED = re.compile(r"^\* Installing packages in isolated environment:\n((?: {2}- .+\n)+)", re.MULTILINE)
"""How build says what it was asked to install."""


def build(source: Path, target: Path, *, epoch: int, log: Path | None = None, lock: str | None = None) -> None:
    """Build one sdist, and one wheel from it, into `target`.

    Args:
        source: The tree to build.
        target: An empty directory.
        epoch: SOURCE_DATE_EPOCH, in seconds since 1970: the time that the archives' members get.
        log: A file to keep everything in that the build prints.
        lock: The file in the tree that says which versions of the build's tools are used; None is the newest of each.

    Raises:
        CommandError: The build failed.
        ConflictError: The build needs a tool that is not in the lock.
        StepError: It made something else than one sdist and one wheel.
    """
    pins = Lock.read(source, lock) if lock else None
    if pins:
        pins.must_meet(build_system(source)["requires"])
    text = _run_build(source, target, (), {"SOURCE_DATE_EPOCH": str(epoch)}, log, pins)
    if pins:
        # A backend may ask for more when it is asked what it needs (PEP 517).
        pins.must_meet(line[4:] for block in _INSTALLED.findall(text) for line in block.splitlines())
    made = sorted(path.name for path in target.iterdir())
    if sorted(Path(name).suffix for name in made) != [".gz", ".whl"]:
        raise StepError(
            f"The build produced {', '.join(made) or 'nothing'}; expected one sdist and one wheel",
            "Check the build backend's settings.",
        )


def build_system(source: Path) -> dict[str, Any]:
    """Return [build-system] of a tree's pyproject.toml, with what PEP 517 says where something is missing.

    Raises:
        UsageError: The file cannot be read.
    """
    try:
        document = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"pyproject.toml cannot be read: {error}", "Fix the file.") from None
    table = document.get("build-system", {})
    if not isinstance(table, dict) or not isinstance(table.get("requires", []), list):
        raise UsageError("pyproject.toml has a [build-system] without a list of what it requires", "Fix the file.")
    return {"requires": ["setuptools"], "build-backend": "setuptools.build_meta:__legacy__", **table}


def build_wheel(source: Path, target: Path, log: Path | None = None) -> None:
    """Build a wheel alone, straight from the tree.

    Raises:
        CommandError: The build failed.
    """
    _run_build(source, target, ("--wheel",), {}, log)


def check_metadata(files: Sequence[Path]) -> None:
    """Have twine check that the index will accept the metadata and render the description.

    Raises:
        CommandError: It will not; the message holds twine's words.
    """
    process.run(
        [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *files],
        cwd=files[0].parent,
        env={"NO_COLOR": "1", "COLUMNS": "200"},
        purpose="twine check",
    )


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file in a wheel or an sdist; an sdist's names without its top directory.

    Raises:
        StepError: It is no such archive, or is damaged.
    """
    try:
        yield from _members(path)
    except _DAMAGED as error:
        raise StepError(
            f"{path.name} cannot be read: {error or type(error).__name__}",
            "Build or download the file again; if it is the same, find out how it was made.",
        ) from error


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            for info in wheel.infolist():
                if not info.is_dir():
                    yield info.filename, wheel.read(info)
        return
    with tarfile.open(path) as sdist:
        for member in sdist:
            # A symbolic link has the content of the file that it leads to; one that leads to nothing has none.
            end = _end_of(member, sdist)
            content = sdist.extractfile(end) if end else None
            if content is not None:
                yield member.name.partition("/")[2], content.read()


def dangling_links(path: Path) -> dict[str, str]:
    """Return where each symbolic link of an sdist leads that leads to nothing in it."""
    with tarfile.open(path) as sdist:
        return {one.name.partition("/")[2]: one.linkname for one in sdist if _end_of(one, sdist) is None}


def _end_of(member: tarfile.TarInfo, sdist: tarfile.TarFile) -> tarfile.TarInfo | None:
    """Return what a member leads to in the same archive, itself if it is no symbolic link; None if to nothing."""
    for _ in range(_LONGEST_CHAIN):
        if not member.issym():
            return member
        name = os.path.normpath(PurePosixPath(member.name).parent / member.linkname)
        try:
            member = sdist.getmember(name)
        except KeyError:
            if not any(one.startswith(f"{name}/") for one in sdist.getnames()):
                return None
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE  # not every backend packs directories
    return None


def wheel_metadata(path: Path) -> Mapping[str, str]:
    """Return the headers of a wheel's METADATA (PEP 566).

    Raises:
        StepError: It is damaged, or has none.
    """
    for name, content in members(path):
        if name.endswith(".dist-info/METADATA"):
            return dict(message_from_bytes(content).items())
    raise StepError(f"{path.name} contains no METADATA", "Check the build backend: this is not a wheel.")


def _run_build(
    source: Path,
    target: Path,
    options: Sequence[str],
    env: Mapping[str, str],
    log: Path | None,
    pins: Lock | None = None,
) -> str:
    """Return what the build printed."""
    scripts = _scripts()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="releaser-build-") as scratch:
        # uv compares hashes with a constraint's; pip would refuse every requirement that names no version itself.
        has_uv = shutil.which("uv", path=scripts)
        by_uv = settings.for_uv(Path(scratch)) if has_uv else None
        fast = () if by_uv is None else ("--installer", "uv")
        if pins and not fast:
            why = "pip's settings say more than uv can be told" if has_uv else "there is no uv"
            current().note(f"pip installs the build's tools, by version and without comparing hashes: {why}")
        if pins:
            constraints = Path(scratch, "constraints.txt")
            constraints.write_text(pins.constraints(hashes=bool(fast)), "utf-8")
            options = (*options, "--dependency-constraints-txt", str(constraints))
        output = process.run(
            [sys.executable, "-m", "build", *fast, *options, "--outdir", target.resolve(), source.resolve()],
            # Not in the source: there a build.py, or what setuptools leaves in build/, would be imported in its place.
            cwd=target,
            # build wraps its lines at COLUMNS.
            env={
                **_SAME_EVERYWHERE,
                **settings.to_reach_an_index(Path(scratch)),
                **(by_uv or {}),
                **env,
                "PATH": scripts,
                "NO_COLOR": "1",
                "COLUMNS": "999",
            },
            purpose="Building the distributions",
            log=log,
            telling=_cause,
            umask=_UMASK,
        )
    return output.text


def _cause(lines: Sequence[str]) -> Sequence[str]:
    """Return what says why a build failed: build shows its own traceback below what its installer printed."""
    installer = [line.removeprefix("< ") for line in lines if line.startswith("< ")]
    return installer or [line for line in lines if not line.startswith("TIP ")]


def _scripts() -> str:
    """PATH with the directory of this interpreter's programs first: the environment may not be activated."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
