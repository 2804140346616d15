"""One copy of the tiny project with what is around it, asked in this process."""

from __future__ import annotations

import copy
import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from invoke.program import Program

from releaser.config.load import load_config
from releaser.core.files import sha256, write_sums
from releaser.core.step import Conflict, Outcome, Step, Todo
from releaser.errors import ReleaserError
from releaser.release import Release, open_release
from releaser.steps.stage.bump_versions import BumpVersions
from releaser.steps.stage.commit_release import CommitRelease
from releaser.steps.stage.open_worktree import OpenWorktree
from releaser.steps.stage.rotate_changelog import RotateChangelog
from releaser.tasks import namespace
from releaser.versions.version import Version

from .projects import Project, digests, git
from .stand_ins import REPOSITORY, TOKENS, StandIn

VERSION = "0.2.0"
NOWHERE = "http://127.0.0.1:1"
"""An address at which nothing listens."""

_ADDRESSES = """
[tool.releaser.qualify]
sessions = []

[tool.releaser.testpypi]
upload-url = "{testpypi}/legacy/"
simple-url = "{testpypi}/simple/"
web-url = "{testpypi}"

[tool.releaser.pypi]
upload-url = "{pypi}/legacy/"
simple-url = "{pypi}/simple/"
web-url = "{pypi}"

[tool.releaser.forge]
repository = "{repository}"
api-url = "{forge}"
web-url = "{forge}"

[tool.releaser.wait]
timeout = 30
longest-delay = 0.5
"""


def create_template(path: Path, addresses: Mapping[str, str]) -> Project:
    """Create the tiny project with the addresses of its services in its configuration, to be copied."""
    more = _ADDRESSES.format(repository=REPOSITORY, **addresses)
    return Project.create("tiny", path, "tiny-thing", "main", "origin", more)


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that it printed."""
        return self.out + self.err

    @property
    def words(self) -> str:
        """The text with every run of white space as one space, to look for sentences in."""
        return " ".join(self.text.split())


@dataclass
class Scene:
    """A copy of the project, and what is around it.

    Attributes:
        project: The checkout, level with its remote.
        state: The engine's state directory.
        patch: Changes this process's environment, for one test.
        stand_ins: The services at the addresses in its configuration; none in unit tests.
    """

    project: Project
    state: Path
    patch: pytest.MonkeyPatch
    stand_ins: dict[str, StandIn] = field(default_factory=dict)

    @property
    def pypi(self) -> StandIn:
        """The index that users install from."""
        return self.stand_ins["pypi"]

    @property
    def testpypi(self) -> StandIn:
        """The index to try things on."""
        return self.stand_ins["testpypi"]

    @property
    def forge(self) -> StandIn:
        """GitHub."""
        return self.stand_ins["forge"]

    @property
    def origin(self) -> Path:
        """The bare remote."""
        return self.project.origin

    @property
    def others(self) -> Path:
        """A place for what others make."""
        return self.project.path.with_name("others")

    @property
    def store(self) -> Path:
        """What is kept of the version."""
        return self.release().store.path

    def release(self, version: str = VERSION) -> Release:
        """Open a release."""
        path = self.project.path
        return open_release(path, load_config(path), Version.parse(version), self.state)

    def serve(self, folder: Path) -> None:
        """Have each service serve what is in its folder below ``folder``, from now on."""
        for name, one in self.stand_ins.items():
            one.lag = timedelta(0)
            one.serve(folder / name, self.origin if name == "forge" else None)

    def stop(self) -> None:
        """Have the services serve nothing."""
        for one in self.stand_ins.values():
            one.stop()

    # --- asking -------------------------------------------------------------------------------------------------------

    def check(self, step: Step[Release], version: str = VERSION) -> Outcome:
        """Return a step's answer; asking must change nothing at all."""
        release = self.release(version)
        with self.unchanged():
            return step.check(release)

    def refused(self, step: Step[Release], *facts: str, remedy: str, version: str = VERSION) -> None:
        """See a step refuse: with these facts, and with this in what it says to do."""
        outcome = self.check(step, version)
        if not isinstance(outcome, Conflict):
            raise AssertionError(f"{step.name} answers {outcome}")  # noqa: TRY004  the test fails
        assert_says(outcome.what, *facts)
        assert_says(outcome.remedy, remedy)

    def failed(
        self, kind: type[ReleaserError], step: Step[Release], *facts: str, remedy: str, version: str = VERSION
    ) -> None:
        """See that a step cannot answer: an error of this very kind, with these facts, and this in what to do."""
        with pytest.raises(kind) as caught:
            self.check(step, version)
        if type(caught.value) is not kind:
            raise AssertionError(f"{caught.value!r} is not just {kind.__name__}")
        assert_says(caught.value.message, *facts)
        assert_says(caught.value.remedy, remedy)

    def run(self, *words: str | Path, where: Path | None = None, stdin: str = "", **env: str | None) -> Ran:
        """Run `invoke` in this process; None takes a variable away."""
        with self.patch.context() as patch:
            return run_invoke(patch, where or self.project.path, *words, stdin=stdin, **env)

    def refuses(self, *words: str | Path, says: Sequence[str], code: int = 2, **env: str | None) -> Ran:
        """See `invoke` end with this exit code, an error with these facts and a remedy, and nothing changed."""
        with self.unchanged():
            ran = self.run(*words, **env)
        if ran.code != code or not ran.err.startswith("error: ") or "\n  -> " not in ran.err:
            raise AssertionError(f"it ended with {ran.code}:\n{ran.text}")
        assert_says(ran.err, *says)
        return ran

    def set(self, **env: str | None) -> None:
        """Change the environment for the rest of the test; None takes a variable away."""
        change_environment(self.patch, env)

    # --- looking ------------------------------------------------------------------------------------------------------

    def git(self, *words: str | Path) -> str:
        """Return what git prints in the checkout."""
        return self.project.git(*words)

    def at_origin(self, *words: str | Path) -> str:
        """Return what git prints in the remote."""
        return git(self.origin, *words)

    def everything(self) -> dict[str, str]:
        """Return all that a refusal must leave as it is, file by file: checkout, remote, state and services.

        The journal and the lock are left out, which a refused release leaves too, and git's objects: those that nothing
        leads to are nobody's business.
        """
        folders = {"checkout": self.project.path, "origin": self.origin, "state": self.state}
        folders |= {name: one.folder for name, one in self.stand_ins.items()}
        skip = ("objects", "__pycache__", "journal.jsonl", "journal.head", "holder.json", "lock", "holding", "faults")
        return {
            f"{where}/{name}": digest
            for where, folder in folders.items()
            for name, digest in digests(folder, skip=skip).items()
        }

    def public(self) -> dict[str, str]:
        """Return what others can see: the remote's refs, and what the services hold."""
        held = {f"{one.name}/{name}": digest for one in self.stand_ins.values() for name, digest in one.held().items()}
        return {"remote": self.at_origin("for-each-ref"), **held}

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """See everything unchanged at the end of the block."""
        before = self.everything()
        yield
        after = self.everything()
        differing = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        if differing:
            raise AssertionError(f"changed: {', '.join(differing)}")

    # --- bringing it to where a test begins ---------------------------------------------------------------------------

    def with_release_commit(self, version: str = VERSION) -> Release:
        """Make the release commit, as the phase `stage` does; return the release."""
        release = self.release(version)
        for step in (OpenWorktree(), BumpVersions(), RotateChangelog(), CommitRelease()):
            if isinstance(step.check(release), Todo):
                step.run(release)
        return self.release(version)

    def with_dists(self, version: str = VERSION) -> Release:
        """Make the release commit and the files built from it, with the project's backend and nothing around it."""
        release = self.with_release_commit(version)
        release.store.dist.mkdir()
        building = "import backend, sys; backend.build_sdist(sys.argv[1]); backend.build_wheel(sys.argv[1])"
        command = [sys.executable, "-B", "-c", building, str(release.store.dist)]
        subprocess.run(command, cwd=release.store.worktree, check=True)
        digests = {path.name: sha256(path) for path in release.store.dist.iterdir()}
        write_sums(release.store.dist, digests)
        release.journal.write("built", files=digests, commit=release.commit())
        return self.release(version)

    def bump_by_hand(self) -> None:
        """Make the release commit as a pull request does that raises the version."""
        self.project.replace("pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
        self.project.replace("src/tiny_thing/__init__.py", "0.1.0", "0.2.0")
        self.project.replace("CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0] - 2026-02-02\n")
        self.project.commit("chore: bump version to 0.2.0")

    def in_another_clone(self) -> Scene:
        """Return the same in a new clone of the remote, with the same state."""
        path = self.project.path.with_name("another")
        git(self.origin, "clone", "--quiet", self.origin, path)
        other = replace(self.project, path=path)
        return replace(self, project=other)

    def in_worktree(self, *words: str) -> str:
        """Return what git prints in the release's working tree."""
        return git(self.release().store.worktree, *words)

    # --- what others do -----------------------------------------------------------------------------------------------

    def others_push(self, name: str | None = None, old: str = "", new: str = "") -> str:
        """Push somebody else's commit, which may replace a text of a file: it is at the remote and not here."""
        elsewhere = self.others / "clone"
        git(self.origin, "clone", "--quiet", self.origin, elsewhere)
        if name:
            replace(self.project, path=elsewhere).replace(name, old, new)
        git(elsewhere, "commit", "--quiet", "--allow-empty", "--all", "--message", "Elsewhere")
        git(elsewhere, "push", "--quiet", "origin", "HEAD")
        return git(elsewhere, "rev-parse", "HEAD")


def run_invoke(patch: pytest.MonkeyPatch, where: Path, *words: str | Path, stdin: str = "", **env: str | None) -> Ran:
    """Run `invoke` in this process, in a directory; what is changed for it is undone with the patch."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        patch.chdir(where)
        patch.setattr("sys.stdin", io.StringIO(stdin))
        change_environment(patch, env)
        try:
            # A copy: invoke takes each option's help out of the tasks as it parses.
            program = Program(namespace=copy.deepcopy(namespace), name="invoke", binary="invoke")
            program.run(["invoke", *map(str, words)])
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Ran(code, out.getvalue(), err.getvalue())


def change_environment(patch: pytest.MonkeyPatch, changes: Mapping[str, str | None]) -> None:
    """Set variables of this process's environment; None takes one away."""
    for name, value in changes.items():
        if value is None:
            patch.delenv(name, raising=False)
        else:
            patch.setenv(name, value)


def assert_says(text: str, *facts: str) -> None:
    """See each fact in a text, whatever its line breaks."""
    words = " ".join(text.split())
    for fact in facts:
        if fact not in words:
            raise AssertionError(f"{fact!r} is not in {words!r}")


@contextmanager
def user_environment(home: Path, state: Path) -> Iterator[pytest.MonkeyPatch]:
    """Give this process a user's environment: tokens, a name for git, and nothing of CI, git, pip or a terminal."""
    foreign = ("GIT_", "GITHUB_", "ACTIONS_", "PIP_", "UV_", "XDG_", "TWINE_", "RELEASER_", "INVOKE_", "NOX")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(foreign) or name in ("CI", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "EMAIL"):
                patch.delenv(name)
        (home / ".gitconfig").write_text("[user]\n\tname = Somebody\n\temail = somebody@localhost\n")
        own = {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "RELEASER_STATE_DIR": str(state), "COLUMNS": "200"}
        own |= {"RELEASER_MACHINE": "this machine"}
        own |= dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
        change_environment(patch, {**own, **TOKENS})
        yield patch
