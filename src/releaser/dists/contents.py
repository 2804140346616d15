"""What a built file must hold and must not: the package and its licence, nothing of tests or of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

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


def problems(files: Sequence[Path], config: Config, version: Version, tree: Path, private: Sequence[Path]) -> list[str]:
    """Everything wrong with the built files, one sentence each.

    Args:
        files: An sdist and a wheel.
        config: Says what is required and forbidden.
        version: What their metadata must say.
        tree: The tree they were built from; the package's files there must all be in the wheel.
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
    return found + _wheel_problems(wheel, config, version, tree)


def _wheel_problems(wheel: Path, config: Config, version: Version, tree: Path) -> list[str]:
    found = []
    declared = builder.wheel_metadata(wheel).get("Version", "")
    if declared != version.pep440:
        found.append(f"{wheel.name} declares version {declared}, not {version.pep440}")
    names = {name for name, _ in builder.members(wheel)}
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name and ".data/" not in name}
    strangers = sorted(top for top in tops if top not in (config.package, f"{config.package}.py"))
    found += [f"{wheel.name} installs {top} in addition to {config.package}" for top in strangers]
    package = next((p for p in (tree / "src" / config.package, tree / config.package) if p.is_dir()), None)
    if package is not None:
        expected = {
            f"{config.package}/{path.relative_to(package).as_posix()}" for path in package.rglob("*") if path.is_file()
        }
        missing = sorted(name for name in expected - names if "__pycache__" not in name)
        found += [f"{wheel.name} lacks {name}" for name in missing]
    elif not tops & {config.package, f"{config.package}.py"}:
        found.append(f"{wheel.name} does not contain {config.package}")
    return found


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
