"""What a built file must hold and must not: the package and its licence, nothing of tests or of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from releaser.adapters import builder
from releaser.config.project import Config
from releaser.versions.version import Version

_TEXT_SUFFIXES = {
    ".py",
    ".pyi",
    ".toml",
    ".cfg",
    ".md",
    ".rst",
    ".txt",
    ".json",
    ".html",
    ".js",
    ".css",
    ".yaml",
    ".yml",
    "",
}


def problems(
    files: Sequence[Path], config: Config, version: Version, package: Sequence[str], private: Sequence[Path]
) -> list[str]:
    """Everything wrong with the built files, one sentence each.

    Args:
        files: An sdist and a wheel.
        config: Says what is required and forbidden.
        version: What their metadata must say.
        package: The package's files as the wheel names them, which must all be in it; empty if that is not known.
        private: Directories of this machine whose paths must not stand in any text.
    """
    found: list[str] = []
    for path in files:
        contents = dict(builder.members(path))
        names = {_payload(name, path) for name in contents}
        found += [
            f"{path.name} contains {name}"
            for name in sorted(names)
            for bad in config.build.forbid
            if fnmatch(name, bad)
        ]
        found += [
            f"{path.name} lacks {wanted}"
            for wanted in config.build.require
            if not any(fnmatch(name, f"*{wanted}") for name in names)
        ]
        if not any(word in name.upper() for name in contents for word in ("LICENSE", "LICENCE", "COPYING")):
            found.append(f"{path.name} contains no licence")
        size = path.stat().st_size / (1 << 20)
        if size > config.build.max_size_mib:
            found.append(
                f"{path.name} has {size:.0f} MiB, more than {config.build.max_size_mib:.0f} (build.max-size-mib)"
            )
        found += [f"{path.name}: {name} names {place}" for name, place in _private_paths(contents, private)]
    wheel = next(path for path in files if path.suffix == ".whl")
    return found + _wheel_problems(wheel, config, version, package)


def left_out(wheel: Path, config: Config, package: Sequence[str]) -> list[str]:
    """Return the package's files that a wheel may lack, and does: what only git reads, and what the project lists."""
    names, may = {name for name, _ in builder.members(wheel)}, ("*/.git*", *config.build.left_out)
    return sorted(name for name in {*package} - names if any(fnmatch(name, one) for one in may))


def _wheel_problems(wheel: Path, config: Config, version: Version, package: Sequence[str]) -> list[str]:
    found = []
    declared = builder.wheel_metadata(wheel).get("Version", "")
    if declared != version.pep440:
        found.append(f"{wheel.name} declares version {declared}, not {version.pep440}")
    names = {name for name, _ in builder.members(wheel)}
    installed = {name for name in names if ".dist-info/" not in name and not name.partition("/")[0].endswith(".data")}
    folder = config.package.replace(".", "/")
    own = {name for name in installed if name == f"{folder}.py" or name.startswith(f"{folder}/")}
    parents = {f"{one}/__init__.py" for one in PurePosixPath(folder).parents}
    strangers = sorted({_beside(name, folder) for name in installed - own - parents})
    found += [f"{wheel.name} installs {name} in addition to {config.package}" for name in strangers]
    allowed = {*left_out(wheel, config, package)}
    missing = sorted({*package} - names - allowed)
    found += [f"{wheel.name} lacks {name}" for name in missing]
    if not package and not own:
        found.append(f"{wheel.name} does not contain {config.package}")
    return found


def _beside(name: str, folder: str) -> str:
    """Return the part of a name that is not the package's: of a namespace package, the next level is shown."""
    parts, own = name.split("/"), folder.split("/")
    same = next((level for level, (one, other) in enumerate(zip(parts, own, strict=False)) if one != other), 0)
    return "/".join(parts[: same + 1])


def _payload(name: str, path: Path) -> str:
    """Return a member's name as the project sees it: in an sdist without src/."""
    return name if path.suffix == ".whl" else name.removeprefix("src/")


def _private_paths(contents: dict[str, bytes], private: Sequence[Path]) -> list[tuple[str, str]]:
    places = [str(path) for path in private if len(path.parts) > 2]
    with suppress(RuntimeError):  # In a container the user need not have a home.
        home = Path.home()
        if len(home.parts) > 2 and len(home.name) > 3:
            places.append(str(home))
    return [
        (name, place)
        for name, content in contents.items()
        if Path(name).suffix in _TEXT_SUFFIXES
        for place in places
        if place.encode() in content
    ]
