"""Building, publishing what was built, and the code gate."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from releaser import engine
from releaser.adapters import builder, process, sbom
from releaser.adapters.git import Git
from releaser.adapters.index.client import version_of
from releaser.adapters.venv import Venv
from releaser.commands.opening import opened_release, project
from releaser.config.project import INDEX_TITLES, IndexName
from releaser.core.step import Phase, in_order
from releaser.dists import contents
from releaser.dists.built import read_dists
from releaser.dists.from_release import download_from_release
from releaser.errors import StepError, UsageError
from releaser.files import SUMS, sha256, write_sums
from releaser.release import Release
from releaser.steps.publish.try_testpypi import TryTestPyPI
from releaser.steps.publish.upload_dists import UploadDists
from releaser.store import ReleaseStore
from releaser.versions.files import from_config


def build(start: Path, out: Path) -> None:
    """`invoke build`."""
    root, config = project(start)
    git, version = Git(root), from_config(config.version_files[0]).read(root).version
    if changes := git.changes():
        print(f"The tree has {len(changes)} uncommitted changes; they are built too.")
    target = out if out.is_absolute() else root / out
    epoch = git.time_of(git.head())
    with tempfile.TemporaryDirectory(prefix="releaser-build-") as scratch:
        made = Path(scratch) / "dist"
        made.mkdir()
        builder.build(root, made, epoch=epoch)
        files = sorted(made.iterdir())
        builder.check_metadata(files)
        if wrong := contents.problems(files, config, version, root, private=[root]):
            raise StepError("The built files are wrong: " + "; ".join(wrong) + ".", "Mend the build settings.")
        wheel = next(path for path in files if path.suffix == ".whl")
        entries = Venv.create(Path(scratch) / "venv").resolve(wheel)
        bill = made / f"{config.package}-{version.pep440}.cdx.json"
        bill.write_text(sbom.cyclonedx(entries, sha256(wheel), epoch), "utf-8")
        write_sums(made, {path.name: sha256(path) for path in [*files, bill]})
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(made.iterdir()):
            (target / path.name).write_bytes(path.read_bytes())
            print(f"{sha256(path)}  {target / path.name}")


def publish(start: Path, version: str | None, index: IndexName, *, dist: str | None, from_release: bool) -> None:
    """`invoke publish.testpypi` and `invoke publish.pypi`."""
    opened = opened_release(start, version)
    title = INDEX_TITLES[index]
    with tempfile.TemporaryDirectory(prefix="releaser-publish-") as scratch:
        if from_release:
            instead = "Give the directory of its files and their checksums with --dist instead of --from-release."
            fetched = download_from_release(opened.forge, opened.tag, Path(scratch) / "dist", instead)
            opened = _with_dists(opened, fetched, Path(scratch))
        elif dist is not None:
            opened = _with_dists(opened, Path(dist).resolve(), Path(scratch))
        opened.built()
        steps = in_order(UploadDists(index), *([TryTestPyPI()] if index == "testpypi" else []))
        part = (Phase(index, f"{title} serves what was built", steps),)
        engine.carry_out(opened, part, skip={}, confirm=engine.say_yes)


def check(start: Path) -> None:
    """`invoke check`.

    Raises:
        StepError: A session failed.
        UsageError: None is configured.
    """
    root, config = project(start)
    sessions = [*config.qualify.sessions, *config.qualify.checks]
    if not sessions:
        raise UsageError(
            "No session is configured, so there is nothing to check.", "Name some under [tool.releaser.qualify]."
        )
    status = process.run_in_front([sys.executable, "-m", "nox", "--session", *sessions], cwd=root)
    if status != 0:
        raise StepError(f"The code gate is shut: one of {', '.join(sessions)} failed.", "Its output above says why.")


def _with_dists(opened: Release, directory: Path, scratch: Path) -> Release:
    """The release with the files of a directory for its built files, and a store of its own."""
    dists = read_dists(directory)
    if dists is None:
        raise UsageError(f"{directory} holds no {SUMS}.", "`invoke build` writes one beside the files.")
    for path in dists.uploads:
        if version_of(path.name) != opened.version:
            raise UsageError(
                f"{path.name} is not version {opened.version}.", "Give the directory of that version's files."
            )
    store = ReleaseStore(scratch / "store")
    store.path.mkdir()
    store.dist.symlink_to(directory, target_is_directory=True)
    config = opened.config.model_copy(
        update={
            name: getattr(opened.config, name).model_copy(update={"via": "upload"}) for name in ("testpypi", "pypi")
        }
    )
    return Release(config, opened.version, opened.git, store, opened.credentials, opened.description)
