"""A world that is prepared once, put back for each row, and compared with one in which nothing went wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.projects import Project
from harness.scene import create_template
from harness.stand_ins import TOKENS, ServerThread, StandIn

from releaser.rehearsal import remote
from releaser.rehearsal.injection import Injection

from .child import Asked, Ended, get_ready, kill_with_children
from .row import Row
from .seen import Published, compared, public

VERSION, TAG = "0.2.0", "v0.2.0"

# Left out in every run: each installs what is published in a new environment, takes seconds, and writes nothing.
SKIPPED = ("try_testpypi", "install_from_pypi")

# The worlds from which rows begin, each made from the one before by a kill.
RUNGS = {
    "begun": None,
    "checked": "engine:kill-before=open_worktree",
    "built": "engine:kill-after=write_sbom",
    "tested": "engine:kill-before=upload_testpypi",
    "tried": "engine:kill-before=create_tag",
    "pushed": "engine:kill-after=push_tag",
    "drafted": "engine:kill-after=upload_assets",
    "published": "engine:kill-after=publish_release",
}
_SEED = {"milestones": [{"number": 1, "title": TAG}], "workflow_runs": [{"workflow": "tests.yml"}]}
_SERVICES = {"testpypi": "TESTPYPI_TOKEN", "pypi": "PYPI_TOKEN", "forge": "GITHUB_TOKEN"}
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


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
        row, shown = self.row, {name: value for name, value in vars(self).items() if name != "row"}
        told = {"name": row.name, "kind": row.kind, "where": row.where, "what": row.what, "fault": row.fault}
        return {**told, "begins": row.rung, "end": self.end, **shown}

    @property
    def end(self) -> str:
        """What the release came to in the end."""
        if self.wrong:
            return "failed"
        return "refused, nothing touched" if self.row.again == "refused" else "as undisturbed"


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
        self.asked = Asked(self.path, VERSION, SKIPPED, {**kept, **own})
        self.broken = ""
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

    def run(self, injections: dict[str, Injection] | None = None, **asked: Any) -> Ended:
        """Serve the world, with faults by service, and run the release once."""
        for name, one in self.services.items():
            found = [(injections or {})[name]] if name in (injections or {}) else []
            one.serve(self.path / name, self.path / "checkout.git" if name == "forge" else None, injections=found)
        return self.asked.run(self.root / "printed", broken=self.broken, **asked)

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
        fault = RUNGS[rung]
        if fault is None:
            addresses = {name: one.url for name, one in self.services.items()}
            project: Project = create_template(self.path / "checkout", addresses)
            project.configure("timeout = 30", "timeout = 4")
            for name in self.services:
                (self.path / name).mkdir()
            self.services["forge"].serve(self.path / "forge", project.origin, _SEED)
            remote.guard(project.origin, {})
        else:
            self.begin(names[names.index(rung) - 1])
            ended = self.run(fault=fault)
            assert ended.code == -signal.SIGKILL, ended.err
        self._stop()
        shutil.copytree(self.path, self._kept / rung, symlinks=True)

    # --- rows ---------------------------------------------------------------------------------------------------------

    def strike(self, row: Row, broken: str = "") -> Outcome:
        """Carry a row out: its world, its fault, the same command again, and a comparison.

        Args:
            row: The row.
            broken: What the engine's code does again, of BROKEN.
        """
        self.broken = ""
        expected = self.undisturbed()
        self.begin(row.rung)
        found = Outcome(row)
        before = public(self.path, VERSION)
        self.broken = broken
        first = self._first_run(row, found)
        if self.asked.struck.exists():
            before = json.loads(self.asked.struck.read_bytes())
        found.first = "killed" if first.code == -signal.SIGKILL else str(first.code)
        found.message = first.error
        if not found.struck:
            found.wrong = "the fault did not strike"
        elif first.code not in row.codes:
            found.wrong = f"the first run ended with {first.code}: {first.error or first.err[-300:]}"
        else:
            found.wrong = _badly_told(first) or (self._touched(before) if row.refused else "")
        if found.wrong:
            return found
        if row.again == "refused":
            before = before if row.refused else public(self.path, VERSION)
            again = self.run()
            found.final = str(again.code)
            found.wrong = _badly_told(again) or self._touched(before)
            if again.code not in row.codes or not again.code:
                found.wrong = f"the same command again ended with {again.code} instead of being refused"
            return found
        if row.again == "restored":
            for name in ("state", "checkout"):
                shutil.rmtree(self.path / name)
                shutil.copytree(self._kept / row.rung / name, self.path / name, symlinks=True)
        self._finish(found, expected)
        return found

    def _first_run(self, row: Row, found: Outcome) -> Ended:
        if row.request is None:
            ended = self.run(fault=row.fault)
            struck = self.asked.struck.exists() if row.kind == "world" else ended.code == -signal.SIGKILL
            found.struck = int(struck)
            return ended
        running: list[int] = []

        def act() -> None:
            if row.signal == signal.SIGKILL:
                kill_with_children(running[0])
            elif row.signal:
                os.kill(running[0], row.signal)

        service, fault = row.request
        injection = Injection(fault, self.path / service, on_strike=act)
        ended = self.run({service: injection}, started=running.append)
        found.struck = injection.struck
        return ended

    def _touched(self, before: dict[str, str]) -> str:
        now = public(self.path, VERSION)
        names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        return f"it was refused, and this was touched all the same: {', '.join(names)}" if names else ""

    def _finish(self, found: Outcome, expected: dict[str, Any]) -> None:
        ended = self.run(choose=found.row.choose)
        found.final = str(ended.code)
        if ended.code:
            found.wrong = f"the same command again ended with {ended.code}: {ended.error or ended.err[-300:]}"
            return
        facts = self.facts()
        found.differs = sorted(name for name in expected if facts[name] != expected[name])
        # What a fault leaves for good, such as another's wheel where ours would be, is neither.
        found.duplicates, found.losses = (
            [one for one in names if one.partition(":")[0] not in found.row.leaves]
            for names in compared(facts, expected)
        )
        odd = [name for name in found.differs if name not in found.row.leaves]
        found.wrong = "; ".join(f"{name}: {facts[name]} instead of {expected[name]}" for name in odd)


def _badly_told(ended: Ended) -> str:
    """Return what is wrong with what a run printed; empty if nothing is."""
    if "Traceback" in ended.out + ended.err:
        return f"a traceback is shown: {ended.err[-500:]}"
    if ended.code > 0 and "\n  -> " not in ended.error:
        return f"the error has no remedy: {ended.error}"
    return ""
