"""Try a version as its users get it: download, install by pip and by uv, compare with the tag's commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from releaser.adapters import builder
from releaser.adapters.forge.records import ReleaseInfo
from releaser.adapters.git import trees
from releaser.adapters.index.files import IndexFile
from releaser.adapters.installers import uv
from releaser.adapters.installers.venv import Venv
from releaser.adapters.waiting import WaitLimits
from releaser.dists import installed
from releaser.dists.origins import Sources, compare
from releaser.errors import ReleaserError, StepError, UsageError
from releaser.inspection.findings import Findings
from releaser.release import Release

_AT_ONCE = WaitLimits(0.0, 0.2, 0.2)


def download_files(release: Release, files: Mapping[str, IndexFile], scratch: Path) -> dict[str, str]:
    """Download every file of the index; return the sha256 of each by name.

    Raises:
        ServiceError: One did not arrive as it is listed.
    """
    scratch.mkdir()
    return {name: release.pypi.download(file, scratch / name) for name, file in files.items()}


def download_assets(release: Release, found: ReleaseInfo, scratch: Path) -> dict[str, str]:
    """Download every asset of the release; return the sha256 of each by name.

    Raises:
        ServiceError: One did not arrive as the forge holds it.
    """
    scratch.mkdir()
    whole = [one for one in found.assets if one.state == "uploaded"]
    return {one.name: release.forge.assets.download(one, scratch / one.name) for one in whole}


def install_by_pip(release: Release, scratch: Path) -> tuple[str, str]:
    """Install by pip in a clean environment; return the sha256 of what pip took, and what was seen.

    Raises:
        ReleaserError: Users cannot install it, or it says another version.
    """
    scratch.mkdir()
    venv = Venv.create(scratch / "venv", release.pypi.simple_url)
    digest = installed.from_index(venv, release.pypi, release.config, release.version, _AT_ONCE)
    return digest, installed.check(venv, release.config, release.version)


def install_by_uv(release: Release, wheel: str, requires: str, scratch: Path) -> tuple[str, str]:
    """Install by uv, by name, on the newest Python here that is a release; return its version and what was seen.

    Raises:
        ReleaserError: Users cannot install it, or it says another version.
    """
    scratch.mkdir()
    if not uv.available():
        raise UsageError("uv is not installed", "Install uv to try it.")
    requirement = f"{release.config.distribution}=={release.version.pep440}"
    for number, python in enumerate(reversed(uv.pythons(Path(wheel), requires))):
        made = uv.install(requirement, python, scratch / str(number), release.pypi.simple_url)
        if made:
            venv, version = made
            return version, installed.check(venv, release.config, release.version)
    raise UsageError(f"no Python here is a release and fits {requires or 'the wheel'}", "Install one.")


def look_at_trial(name: str, seen: str | None, error: ReleaserError | None) -> list[Findings]:
    """Say how an installation went; a tool that is not here is none of the version's fault."""
    notes = Findings("installation")
    if seen is not None:
        notes.right(name, seen)
    elif isinstance(error, UsageError):
        notes.unproven(name, error.message, error.remedy)
    elif isinstance(error, StepError):
        notes.wrong(name, error.message, error.remedy)
    elif error:
        notes.not_asked(name, error)
    return [notes]


def look_at_origin(release: Release, files: Sequence[Path], commit: str | None) -> list[Findings]:
    """Compare the files with those of the tag's commit, one by one."""
    notes = Findings("same commit")
    if commit is None:
        return []
    if release.git.commit(commit) is None:
        notes.unproven("sources", f"{commit[:12]} is not in this clone", "Fetch tags: `git fetch --tags`.")
        return [notes]
    try:
        sources = Sources(trees.files_of(release.git, commit, release.config.git.remote, release.store.modules))
        found = compare(files, sources, release.config.build.generated)
    except ReleaserError as error:
        notes.unproven("sources", error.message, error.remedy)
        return [notes]
    if found.wrong:
        notes.wrong(
            "sources",
            f"{len(found.wrong)} files are not the commit's: {'; '.join(found.wrong[:5])}",
            "Find out what they were built from; list what the build makes under generated in [tool.releaser.build].",
        )
    else:
        notes.right("sources", f"commit {commit[:12]}: {found.described()}")
    return [notes]


def metadata_of(folder: Path, files: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """Return the name and the metadata of the first wheel; nothing where there is none."""
    wheel = next((name for name in files if name.endswith(".whl")), "")
    return wheel, builder.wheel_metadata(folder / wheel) if wheel else {}
