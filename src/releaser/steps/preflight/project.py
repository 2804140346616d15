"""Preflight: the project's tools and files."""

from __future__ import annotations

import shutil
import zlib
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement

from releaser.adapters import builder
from releaser.adapters.index.identity import in_ci_job
from releaser.adapters.installers import settings
from releaser.adapters.installers.lock import Lock
from releaser.changelog.document import today_in_utc
from releaser.core.counting import count_of
from releaser.core.step import Conflict, Done, Outcome, Step
from releaser.release import Release
from releaser.versions.files import disagreements

_SPACE_MIB = 200


class FindTools(Step[Release]):
    """The programs and libraries that later steps call are installed, and there is space for what they write."""

    name = "find_tools"
    title = "Tools and disk space available"

    def check(self, release: Release) -> Outcome:
        """Look for each without importing it, and ask the file system for its free space."""
        sessions = release.config.qualify.sessions or release.config.qualify.where_possible
        needed = ("build", "twine", "virtualenv", *(("nox",) if sessions else ()))
        found = {tool: number for tool in (*needed, "uv") if (number := _installed(tool))}
        if missing := [tool for tool in needed if tool not in found]:
            return Conflict(
                f"{', '.join(missing)} not installed", 'Install the project\'s tools: `pip install -e ".[dev]"`.'
            )
        if missing_files := settings.missing_certificates():
            return Conflict(
                f"there is no such file of certificates: {', '.join(missing_files)}",
                "Correct the path there, or unset it.",
            )
        place = next(path for path in (release.store.path, *release.store.path.parents) if path.exists())
        free = shutil.disk_usage(place).free >> 20
        if free < _SPACE_MIB:
            return Conflict(
                f"{free} MiB are free at {place}; a release needs {_SPACE_MIB} MiB",
                "Free some space, or set RELEASER_STATE_DIR to a directory on another disk.",
            )
        facts = [", ".join(f"{tool} {number}" for tool, number in found.items()), f"{free >> 10} GiB free"]
        if ignored := settings.ignored():
            facts.append(f"not obeyed, because users do not have it: {', '.join(ignored)}")
        return Done("; ".join(facts))


def _installed(tool: str) -> str | None:
    try:
        return version(tool)
    except PackageNotFoundError:
        return None


class AgreeOnVersion(Step[Release]):
    """All version files declare the same version, so that `--version` cannot differ from the wheel's metadata."""

    name = "agree_on_version"
    title = "Version files agree"

    def check(self, release: Release) -> Outcome:
        """Read every file; once there is a release commit, its files."""
        commit = release.commit()
        if commit:
            return Done(f"all declare {release.version} at {commit[:12]}")
        found = [release.release_commit.declared(file) for file in release.version_files]
        differ = disagreements(found)
        if differ:
            return Conflict(
                differ, f"Run `invoke version.bump --to {found[0].version}`, which writes them all, and commit."
            )
        return Done(f"{', '.join(str(one.path) for one in found)} declare {found[0].version}")


class RaiseVersion(Step[Release]):
    """The version is above the one in the version files, and above every tagged version in this branch's history."""

    name = "raise_version"
    title = "Version increases"

    def check(self, release: Release) -> Outcome:
        """Compare with the version files and the remote's tags in the branch's history, in SemVer's order."""
        commit = release.commit()
        tagged = release.history.highest_of_branch(commit or release.git.head(), but=release.version)
        before = [tagged] if tagged else []
        declared = release.release_commit.version_before()
        if declared and (commit is None or declared != release.version):
            before.append(declared)
        if not before:
            return Done("the first release")
        highest = max(before)
        if release.version > highest:
            return Done(f"{highest} -> {release.version}")
        offered = ", ".join(f"{version} ({part})" for part, version in highest.next_versions().items())
        return Conflict(
            f"{release.version} is not above {highest}, which this branch already has", f"Choose {offered}."
        )


class HaveChanges(Step[Release]):
    """The changelog has entries to publish under this version."""

    name = "have_changes"
    title = "Changelog has entries"

    def check(self, release: Release) -> Outcome:
        """Read the section that becomes the release notes, and check it and the file until the commit is made.

        Raises:
            ChangelogError: There is nothing to publish, or it would be published wrong.
        """
        entries, odd = release.notes(), ""
        if release.release_commit.pinned() is None and release.git.tag(release.tag) is None:
            changelog = release.changelog()
            changelog.refuse_wrong(release.version, today=today_in_utc())
            if problems := changelog.check(today=today_in_utc()):
                many = f"{len(problems)} problems that do" if len(problems) > 1 else "1 problem that does"
                odd = f"; `invoke changelog.check` shows {many} not change what is published"
        count = sum(line.lstrip().startswith(("- ", "* ", "+ ")) for line in entries.splitlines())
        return Done(f"{count_of(count, 'entry', 'entries')} in {release.config.changelog}{odd}")


class KnowBackend(Step[Release]):
    """The build backend is known, whether it builds the same bytes again, and which version of it is used."""

    name = "know_backend"
    title = "Build backend known"

    def check(self, release: Release) -> Outcome:
        """Read [build-system] and the lock.

        Raises:
            UsageError: One of them cannot be read.
            ConflictError: The build needs a tool that the lock does not hold.
        """
        system, config = builder.build_system(release.git.root), release.config
        backend = str(system["build-backend"])
        facts = [backend]
        if backend.startswith("setuptools"):
            facts = [f"{backend}: its sdists are not reproducible; another machine cannot build the same bytes"]
            if config.run == "ci" or config.pypi.via == "ci":
                return Conflict(
                    f"{facts[0]}, and a workflow publishes only what it can build again",
                    'Use a backend such as hatchling, or release from here: run = "here" in [tool.releaser], '
                    'via = "upload" in [tool.releaser.pypi].',
                )
        if config.run == "here" and config.pypi.via == "ci" and not in_ci_job():
            # No setting of zlib-ng makes zlib's bytes, and two versions of it make different ones.
            if "ng" in zlib.ZLIB_RUNTIME_VERSION:
                return Conflict(
                    f"This Python compresses with zlib-ng ({zlib.ZLIB_RUNTIME_VERSION}), and GitHub's with zlib: "
                    f"{config.pypi.workflow} would build other bytes from the tag, and publish none",
                    "Release with a Python that has zlib, such as Debian's or Ubuntu's, or in CI.",
                )
            facts.append(f"zlib {zlib.ZLIB_RUNTIME_VERSION}")
        if config.build.lock:
            lock = Lock.read(release.git.root, config.build.lock)
            lock.must_meet(system["requires"])
            names = [Requirement(one).name for one in system["requires"]]
            locked = ", ".join(f"{name} {known}" for name in names if (known := lock.version(name)))
            facts.append(f"{lock.name} locks {locked or 'nothing that it needs'}")
        return Done("; ".join(facts))
