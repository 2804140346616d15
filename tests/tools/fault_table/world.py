"""A world that is prepared once, put back for each row, and compared with one in which nothing went wrong."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.projects import Project
from harness.rehearsed import World
from harness.scene import create_template
from harness.stand_ins import TOKENS, ServerThread, StandIn

from releaser.rehearsal import remote
from releaser.rehearsal.injection import Injection, RequestFault

from .child import Asked, Ended, Kill, get_ready, kill_with_children
from .rows import Row

VERSION, TAG = "0.2.0", "v0.2.0"

# Left out in every run: each installs what is published in a new environment, takes seconds, and writes nothing.
SKIPPED = ("try_testpypi", "install_from_pypi")

# The worlds from which rows begin, each made from the one before by a kill.
RUNGS = {
    "begun": None,
    "checked": Kill("before", "open_worktree"),
    "built": Kill("after", "write_sbom"),
    "tested": Kill("before", "upload_testpypi"),
    "tried": Kill("before", "create_tag"),
    "pushed": Kill("after", "push_tag"),
    "published": Kill("after", "publish_release"),
}
_SEED = {"milestones": [{"number": 1, "title": TAG}], "workflow_runs": [{"workflow": "tests.yml"}]}
_SERVICES = {"testpypi": "TESTPYPI_TOKEN", "pypi": "PYPI_TOKEN", "forge": "GITHUB_TOKEN"}
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


class Published(World):
    """What was published and kept, read without the engine; the remote lies next to the checkout."""

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.path / "checkout.git"


@dataclass
class Outcome:
    """What a row showed.

    Attributes:
        row: The row.
        struck: How often the fault happened.
        first: How the run that met it ended: its exit code, or "killed".
        message: The error that it printed.
        final: The exit code of the same command again.
        differs: What is not as in an undisturbed world, by name.
        duplicates: What is there twice, or was sent with other bytes.
        losses: What an undisturbed world has and this one lacks.
        wrong: Why the row fails; empty: it holds.
    """

    row: Row
    struck: int = 0
    first: str = ""
    message: str = ""
    final: str = ""
    differs: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    wrong: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as the JSON file has it."""
        shown = {name: value for name, value in vars(self).items() if name != "row"}
        return {"name": self.row.name, "where": self.row.where, "what": self.row.what, "begins": self.row.rung, **shown}


class Table:
    """The world of one process of tests: services at fixed addresses, folders at fixed paths."""

    def __init__(self, root: Path) -> None:
        self.root = root
        get_ready()
        self._thread = ServerThread()
        self.services = {name: StandIn(self._thread, name, TOKENS[token]) for name, token in _SERVICES.items()}
        self.path = root / "world"
        self._kept = root / "rungs"
        home = root / "home"
        home.mkdir()
        (home / ".gitconfig").write_text("[user]\n\tname = Somebody\n\temail = somebody@localhost\n")
        own = {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "RELEASER_STATE_DIR": str(self.path / "state")}
        own |= {
            "RELEASER_MACHINE": "this machine",
            "COLUMNS": "200",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            **TOKENS,
        }
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        self.asked = Asked(self.path / "checkout", VERSION, SKIPPED, {**kept, **own})
        self._undisturbed: dict[str, Any] | None = None

    # --- worlds -------------------------------------------------------------------------------------------------------

    def begin(self, rung: str) -> None:
        """Put the world back to a rung; the first time, climb there."""
        if not (self._kept / rung).exists():
            self._climb(rung)
        self._stop()
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.copytree(self._kept / rung, self.path, symlinks=True)

    def undisturbed(self) -> dict[str, Any]:
        """Return the facts of a world in which nothing went wrong."""
        if self._undisturbed is None:
            self.begin("tested")
            ended = self.run()
            assert ended.code == 0, ended.err
            self._undisturbed = self.facts()
        return self._undisturbed

    def facts(self) -> dict[str, Any]:
        """Return all that matters of the world as it is."""
        facts = Published(self.path, VERSION).facts(TAG)
        # The same bytes sent again, as twine does after a 5xx, are no second file: the index takes them as none.
        uploads = {index: [name for name in sent if name != "noop"] for index, sent in facts["uploads"].items()}
        return {**facts, "uploads": uploads}

    def public(self) -> dict[str, str]:
        """Return what others can see: the remote's refs, and what the services hold."""
        held = {f"{one.name}/{name}": digest for one in self.services.values() for name, digest in one.held().items()}
        return {**Published(self.path, VERSION).refs(), **held}

    def run(self, injections: dict[str, Injection] | None = None, kill: Kill | None = None, **told: Any) -> Ended:
        """Serve the world, with faults by service, and run the release once."""
        for name, one in self.services.items():
            found = [(injections or {})[name]] if name in (injections or {}) else []
            one.serve(self.path / name, self.path / "checkout.git" if name == "forge" else None, injections=found)
        return self.asked.run(self.root / "printed", kill, **told)

    def close(self) -> None:
        """Stop everything."""
        for one in self.services.values():
            one.close()
        self._thread.stop()

    def _stop(self) -> None:
        for one in self.services.values():
            one.stop()

    def _climb(self, rung: str) -> None:
        names = list(RUNGS)
        kill = RUNGS[rung]
        if kill is None:
            addresses = {name: one.url for name, one in self.services.items()}
            project: Project = create_template(self.path / "checkout", addresses)
            project.configure("timeout = 30", "timeout = 4")
            for name in self.services:
                (self.path / name).mkdir()
            self.services["forge"].serve(self.path / "forge", project.origin, _SEED)
            remote.guard(project.origin, {})
        else:
            self.begin(names[names.index(rung) - 1])
            ended = self.run(kill=kill)
            assert ended.code == -signal.SIGKILL, ended.err
        self._stop()
        shutil.copytree(self.path, self._kept / rung, symlinks=True)

    # --- rows ---------------------------------------------------------------------------------------------------------

    def strike(self, row: Row) -> Outcome:
        """Carry a row out: its world, its fault, the same command again, and a comparison."""
        expected = self.undisturbed()
        self.begin(row.rung)
        found = Outcome(row)
        before = self.public() if row.refused else {}
        first = self._first_run(row, found)
        found.first = "killed" if first.code == -signal.SIGKILL else str(first.code)
        found.message = first.error
        if not found.struck:
            found.wrong = "the fault did not strike"
        elif first.code not in row.codes:
            found.wrong = f"the first run ended with {first.code}: {first.error or first.err[-300:]}"
        elif "Traceback" in first.out + first.err:
            found.wrong = "a traceback is shown"
        elif first.code > 0 and "\n  -> " not in first.error:
            found.wrong = f"the error has no remedy: {first.error}"
        elif row.refused and self.public() != before:
            found.wrong = "it was refused, and something was touched all the same"
        else:
            self._finish(found, expected)
        return found

    def _first_run(self, row: Row, found: Outcome) -> Ended:
        if row.kill:
            ended = self.run(kill=row.kill)
            found.struck = int(ended.code == -signal.SIGKILL)
            return ended
        assert row.request
        running: list[int] = []

        def act() -> None:
            if row.signal == signal.SIGKILL:
                kill_with_children(running[0])
            elif row.signal:
                os.kill(running[0], row.signal)

        injection = Injection(RequestFault.parse(row.request), self.path / row.service, on_strike=act)
        ended = self.run({row.service: injection}, started=running.append)
        found.struck = injection.struck
        return ended

    def _finish(self, found: Outcome, expected: dict[str, Any]) -> None:
        ended = self.run()
        found.final = str(ended.code)
        if ended.code:
            found.wrong = f"the same command again ended with {ended.code}: {ended.error or ended.err[-300:]}"
        facts = self.facts()
        found.differs = sorted(name for name in expected if facts[name] != expected[name])
        found.duplicates, found.losses = compared(facts, expected)
        if found.differs and not found.wrong:
            found.wrong = "; ".join(f"{name}: {facts[name]} instead of {expected[name]}" for name in found.differs)


def compared(facts: dict[str, Any], expected: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return what is there twice or with other bytes, and what is missing."""
    twice, missing = [], []
    for index in ("testpypi", "pypi"):
        twice += [f"{index}: {name}" for name, state in facts[index].items() if state != "as built"]
        sent = facts["uploads"][index]
        twice += [f"{index}: {name} sent {sent.count(name)} times" for name in set(sent) if sent.count(name) > 1]
        missing += [f"{index}: {name}" for name in expected[index] if name not in facts[index]]
    if facts["releases made"] > expected["releases made"]:
        twice.append(f"{facts['releases made']} releases were made")
    assets = {name for release in facts["releases"] for name in release["assets"]}
    missing += [f"asset {name}" for release in expected["releases"] for name in release["assets"] if name not in assets]
    missing += [ref for ref in expected["refs"] if ref not in facts["refs"]]
    return sorted(twice), sorted(missing)
