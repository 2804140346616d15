"""Whether an index has files of a version, or may have them soon: what decides whether anything can be taken back.

A file that does not show is not a file that is not there: uploads show late, and the answer to one may be lost. So the
record of what may have been sent (`releaser.dists.sent`) and the workflow's runs count as much as what the index shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from releaser.adapters.forge.records import Run
from releaser.adapters.index.readers import ask_all
from releaser.config.project import IndexName
from releaser.core.activity import current
from releaser.core.step import Conflict, Done, Outcome, Skipped, Stays, Step, Todo
from releaser.dists.sent import Ending
from releaser.errors import ConflictError, ServiceError
from releaser.release import Release
from releaser.steps.ci.runs import dispatched_runs, names_version

_VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Served:
    """The index has files of the version."""

    evidence: str


@dataclass(frozen=True)
class Absent:
    """The index has no file of the version, and none is on its way."""

    evidence: str


@dataclass(frozen=True)
class Unknown:
    """An upload may have arrived, or may be on its way: what is looked at until `until` may still change.

    Attributes:
        why: What may have been sent.
        until: From when on what the index shows is what it has.
        provable: Whether its not showing anything proves then that nothing arrived.
        running: Whether a workflow's run has not ended: until it has, waiting decides nothing.
    """

    why: str
    until: datetime
    provable: bool
    running: bool = False

    @property
    def over(self) -> bool:
        """Whether waiting is over."""
        return not self.running and datetime.now(timezone.utc) >= self.until


def presence(release: Release, name: IndexName) -> Served | Absent | Unknown:
    """Return whether an index has files of the version; ask once in a survey or a phase.

    Raises:
        ServiceError: A service that must be asked did not answer.
    """
    return current().answers.once(("presence", name), lambda: _presence(release, name))


def is_served(release: Release) -> bool:
    """Return whether users can have the version from PyPI."""
    return isinstance(presence(release, "pypi"), Served)


def must_be_absent(release: Release) -> None:
    """Ask again, right before something is taken back.

    Raises:
        ConflictError: PyPI has files of the version, or it is not known.
    """
    found = _presence(release, "pypi")
    if not isinstance(found, Absent):
        said = found.evidence if isinstance(found, Served) else found.why
        raise ConflictError(
            f"{said}; it was not taken back", "Run `invoke rollback` again to see what can be done now."
        )


def runs(release: Release) -> list[Run]:
    """Return the runs of the workflow that uploads to PyPI which may be of this version, the newest first.

    Before them comes a run of the workflow that releases, as long as it may still start the one that uploads. A run
    that was started by hand runs for the branch: if its title names no version, it counts until it has ended.
    """
    config = release.config.pypi
    if config.via != "ci":
        return []
    commit = release.commit()
    found = release.forge.workflows.runs(config.workflow)
    uploading = [one for one in found if _is_ours(one, release, commit) or _may_be(one, release)]
    releasing = dispatched_runs(release) if release.config.run == "ci" else []
    return [*(one for one in releasing if not one.ended), *uploading]


def _is_ours(run: Run, release: Release, commit: str | None) -> bool:
    if names_version(run, release):
        return True
    # The branch's head may be the release commit: a run for the branch was started by hand, for whichever version.
    return run.branch == release.tag or (run.commit == commit and run.branch != release.config.git.branch)


def _may_be(run: Run, release: Release) -> bool:
    return not run.ended and run.branch == release.config.git.branch and not _VERSION.search(run.title)


def _presence(release: Release, name: IndexName) -> Served | Absent | Unknown:
    sent = release.store.sent.files(name)
    shown = ask_all(
        release.index(name),
        release.config.distribution,
        release.version,
        {file: one.blake2b_256 for file, one in sent.items()},
    )
    if shown.files:
        return Served(f"{name} serves {', '.join(sorted(shown.files))} ({', '.join(shown.by)})")
    limit = timedelta(seconds=release.config.wait.timeout)
    doubts = [] if release.found_absent and name == "pypi" else list(_doubts(release, name))
    if not doubts:
        return Absent(f"{name} has no file of {release.version}, and none is on its way")
    why, since, _ = max(doubts, key=lambda one: one[1])
    running = name == "pypi" and any(not one.ended for one in runs(release))
    found = Unknown(why, since + limit, shown.addresses_known and not any(one[2] for one in doubts), running)
    if found.over and found.provable:
        return Absent(
            f"{why}; {limit.total_seconds():.0f} s later, {name} serves none, at the files' own addresses too"
        )
    return found


def _doubts(release: Release, name: IndexName) -> list[tuple[str, datetime, bool]]:
    """Return why files may be there although nothing shows them: what, since when, and whether they were accepted."""
    doubts = []
    sent = release.store.sent.files(name)
    for file, one in sent.items():
        if one.ended is Ending.ACCEPTED:
            doubts.append((f"{name} accepted {file} and does not show it yet", one.at, True))
        elif one.ended is Ending.UNKNOWN and one.by == "upload":
            doubts.append((f"{file} was being sent to {name}, and it is unknown whether it arrived", one.at, False))
    if name != "pypi" or release.config.pypi.via != "ci":
        return doubts
    workflow, found = release.config.pypi.workflow, runs(release)
    now = datetime.now(timezone.utc)
    if found:
        run = next((one for one in found if not one.ended), found[0])
        if not run.ended:
            return [*doubts, (f"{run.workflow} is {run.status} and may be uploading ({run.url})", now, False)]
        ended = f"{workflow} ended with {run.conclusion} ({run.url}), and {name} shows nothing of what it uploads"
        return [*doubts, (ended, run.updated or now, run.conclusion == "success")]
    release_info = release.forge.find_release(release.tag)
    noted = [one.at for one in sent.values() if one.by == workflow]
    if noted or (release_info and not release_info.draft):
        since = (release_info.published if release_info else None) or max(noted, default=now)
        doubts.append((f"the release was published, so {workflow} may be about to start", since, False))
    return doubts


class StopWorkflow(Step[Release]):
    """No run of the workflow that uploads is queued, waiting or running."""

    name = "stop_workflow"
    title = "Workflow that uploads has ended"

    def check(self, release: Release) -> Outcome:
        """Look for runs that have not ended."""
        if release.config.pypi.via != "ci":
            return Skipped("no workflow uploads")
        pending = [one for one in runs(release) if not one.ended]
        if not pending:
            return Done(f"no run of {release.config.pypi.workflow} is queued, waiting or running")
        if is_served(release):
            return Skipped(f"{pending[0].workflow} is {pending[0].status}; pypi has files of it already")
        commit = release.commit()
        for one in pending:
            if not _is_ours(one, release, commit):
                return Conflict(
                    f"{one.workflow} is {one.status} for {one.branch}, and may be uploading "
                    f"{release.version}: {one.url}",
                    "Wait until it ends, or cancel it there; then rerun the command.",
                )
        return Todo(f"cancel {', '.join(f'the run {one.url} ({one.status})' for one in pending)}")

    def run(self, release: Release) -> None:
        """Cancel each, and wait until it has ended.

        Raises:
            ConflictError: It did not end in time.
        """
        for one in runs(release):
            if not one.ended:
                try:
                    release.forge.workflows.cancel(one)
                except ServiceError:
                    if any(again.id == one.id and not again.ended for again in runs(release)):
                        raise
        activity = current()
        begun, delay = activity.clock.now(), release.config.wait.first_delay
        while any(not one.ended for one in runs(release)):
            if activity.clock.now() - begun >= release.config.wait.timeout:
                raise ConflictError(
                    f"{release.config.pypi.workflow} did not end within {release.config.wait.timeout:.0f} s of being "
                    "cancelled; nothing was taken back",
                    "Cancel it on its page, then rerun the command.",
                )
            activity.tell(f"waiting for {release.config.pypi.workflow} to end")
            activity.sleep(delay)
            delay = min(delay * 2, release.config.wait.longest_delay)
        activity.answers.forget()


class KnowUploads(Step[Release]):
    """It is known whether an index has files of the version."""

    def __init__(self, index: IndexName) -> None:
        self.index = index
        self.name = f"know_{index}"
        self.title = f"Known what {index} has"
        # TestPyPI keeps what it has either way, so that it cannot be asked stops nothing.
        self.essential = index == "pypi"

    def check(self, release: Release) -> Outcome:
        """Ask everything that can show a file, and the record of what may have been sent."""
        found = presence(release, self.index)
        if self.index == "testpypi":
            if isinstance(found, Absent):
                return Done(found.evidence)
            said = found.evidence if isinstance(found, Served) else found.why
            return Stays(f"{said}; it keeps its files, whose names cannot be used again", "Leave it as it is.")
        if isinstance(found, Served):
            page = release.pypi.manage_page(release.config.distribution, release.version)
            return Stays(f"{found.evidence}, for good: it can be yanked, not replaced", f"Yank it at {page}.")
        if isinstance(found, Absent):
            return Done(found.evidence)
        if found.running:
            return Todo(f"ask again when the run has ended: {found.why}")
        if not found.over:
            return Todo(f"wait until {found.until:%H:%M:%S} UTC at most: {found.why}")
        return Conflict(f"{found.why}; whether {self.index} has it cannot be told", _remedy(release))

    def run(self, release: Release) -> None:
        """Look again until it is known.

        Raises:
            ConflictError: The index has them after all, or it stays unknown.
        """
        activity, delay = current(), release.config.wait.first_delay
        while isinstance(found := _presence(release, self.index), Unknown) and not (found.over or found.running):
            left = (found.until - datetime.now(timezone.utc)).total_seconds()
            activity.tell(f"{found.why}; waiting {left:.0f} s at most")
            activity.sleep(max(0.0, min(delay, left)))
            delay = min(delay * 2, release.config.wait.longest_delay)
        activity.answers.forget()
        if isinstance(found, Served):
            raise ConflictError(
                f"{found.evidence}: it arrived after all; nothing was taken back",
                f"Run `invoke rollback --version {release.version}` again, which shows what can be done now.",
            )
        if isinstance(found, Unknown):
            raise ConflictError(f"{found.why}; whether {self.index} has it cannot be told", _remedy(release))


def _remedy(release: Release) -> str:
    page = release.pypi.manage_page(release.config.distribution, release.version)
    return (
        f"Run `invoke release --version {release.version}`, which sends the same bytes again and finds out; or look at "
        f"{page}, and if it has no file of {release.version}, add `--absent`, which is recorded."
    )
