"""A world that is prepared once, put back for each row, and compared with one in which nothing went wrong."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from harness.projects import Project, git
from harness.scene import create_template
from harness.stand_ins import TOKENS, ServerThread, StandIn
from registry_program import RegistryProgram

from releaser.rehearsal import remote
from releaser.rehearsal.injection import Injection, RequestFault

from . import images
from .child import Asked, Ended, get_ready, kill_with_children
from .images import tags
from .outcome import Outcome
from .row import IMAGES, Row
from .rungs import RUNGS, World
from .seen import Published, compared, public
from .strikes import Late, Layer, Pushes

VERSION, TAG = "0.2.0", "v0.2.0"

# Left out in every run: each installs what is published in a new environment, takes seconds, and writes nothing.
SKIPPED = ("try_testpypi", "install_from_pypi")

_SEED = {"milestones": [{"number": 1, "title": TAG}], "workflow_runs": [{"workflow": "tests.yml"}]}
_SERVICES = {"testpypi": "TESTPYPI_TOKEN", "pypi": "PYPI_TOKEN", "forge": "GITHUB_TOKEN"}
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


_STAYS = 7
"""How a rollback ends where something stays."""


@dataclass(frozen=True)
class Undisturbed:
    """What a command comes to where nothing goes wrong: the world's facts, and how it ends, and ends again."""

    facts: dict[str, Any]
    codes: set[int]


def environment_of(root: Path, world: Path) -> dict[str, str]:
    """Return what commands have in their environment, with a home below `root` and their state in the world."""
    home = root / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Somebody\n\temail = somebody@localhost\n")
    own = {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "RELEASER_STATE_DIR": str(world / "state")}
    own |= {
        "RELEASER_MACHINE": "this machine",
        "COLUMNS": "200",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        # No row may depend on whether this machine has a container engine.
        "DOCKER_HOST": f"unix://{root}/no-engine.sock",
        **TOKENS,
    }
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {**kept, **own}


class Table:
    """The world of one process of tests: services at fixed addresses, folders at fixed paths."""

    def __init__(self, root: Path) -> None:
        self.root = root
        get_ready()
        self._thread = ServerThread()
        self.services = {name: StandIn(self._thread, name, TOKENS[token]) for name, token in _SERVICES.items()}
        self._registry: RegistryProgram | None = None
        self.path = root / "world"
        self._kept = root / "rungs"
        self.asked = Asked(self.path, VERSION, SKIPPED, environment_of(root, self.path))
        self.broken = ""
        self._undisturbed: dict[tuple[str, ...], Undisturbed] = {}

    # --- worlds -------------------------------------------------------------------------------------------------------

    def begin(self, rung: str) -> None:
        """Put the world back to a rung; the first time, climb there."""
        if not (self._kept / rung).exists():
            self._climb(rung)
        self._stop()
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.copytree(self._kept / rung, self.path, symlinks=True)

    def undisturbed(self, row: Row) -> Undisturbed:
        """Return what the row's command comes to in a world in which nothing goes wrong."""
        begins = row.rung if row.command == "rollback" else "images built" if row.rung in IMAGES else "tested"
        key = (begins, row.command, *row.words)
        if key not in self._undisturbed:
            self.begin(begins)
            ended = self.run(row.command, row.words)
            facts = self.facts(row)
            codes = {ended.code}
            assert ended.code in (0, _STAYS), ended.err
            if row.command == "rollback":
                again = self.run(row.command, row.words)
                codes.add(again.code)
                assert self.facts(row) == facts, "the same rollback again changes something"
            self._undisturbed[key] = Undisturbed(facts, codes)
        return self._undisturbed[key]

    def facts(self, row: Row) -> dict[str, Any]:
        """Return all that matters of the world as it is."""
        world = Published(self.path, VERSION)
        if row.command == "rollback":
            return world.taken_back(self._was_built(row.rung), self._was_committed(row.rung))
        facts = world.facts(TAG)
        # The same bytes sent again, as twine does after a 5xx, are no second file: the index takes them as none.
        uploads = {index: [name for name in sent if name != "noop"] for index, sent in facts["uploads"].items()}
        return {**facts, "uploads": uploads, "images": tags(self.path / "registry")}

    def run(
        self,
        command: str = "release",
        words: tuple[str, ...] = (),
        layers: Mapping[str, Layer] | None = None,
        **asked: Any,
    ) -> Ended:
        """Serve the world, with what is put before services' answers, and run a command once."""
        self._serve(layers or {})
        return self.asked.run(self.root / "printed", command, words, broken=self.broken, **asked)

    def close(self) -> None:
        """Stop everything."""
        for one in self.services.values():
            one.close()
        if self._registry:
            self._registry.stop()
        self._thread.stop()

    def _stop(self) -> None:
        for one in self.services.values():
            one.stop()

    def _serve(self, layers: Mapping[str, Layer]) -> None:
        for name, one in self.services.items():
            layer = layers.get(name)
            one.lag = layer.by if isinstance(layer, Late) else timedelta(0)
            origin = self.path / "checkout.git" if name == "forge" else None
            one.serve(self.path / name, origin, injections=[layer] if layer else [])

    def _climb(self, name: str) -> None:
        rung = RUNGS[name]
        if rung.after is None:
            self._create(with_images=name in IMAGES)
        else:
            self.begin(rung.after)
            self._serve({})
            rung.others(World(self.path, self.services))
        if rung.fault:
            layers = {who: Injection(RequestFault.parse(at), self.path / who) for who, at in rung.hangs}
            ended = self.run(rung.command, rung.words, layers, fault=rung.fault)
            assert ended.code == -signal.SIGKILL, ended.err
        self._stop()
        shutil.copytree(self.path, self._kept / name, symlinks=True)

    def _create(self, *, with_images: bool) -> None:
        self._stop()
        shutil.rmtree(self.path, ignore_errors=True)
        addresses = {name: self.services[name].url for name in _SERVICES}
        project: Project = create_template(self.path / "checkout", addresses)
        if with_images:
            host = self._begin_registry().url.removeprefix("http://")
            images.configure(project, host)
        project.configure("timeout = 30", "timeout = 4")
        for name in self.services:
            (self.path / name).mkdir(exist_ok=True)
        self.services["forge"].serve(self.path / "forge", project.origin, _SEED)
        remote.guard(project.origin, {})
        if with_images:
            self._serve({})
            images.publish_earlier(self.root / "layouts", host)

    def _begin_registry(self) -> StandIn:
        """Start the registry's program once; what it holds is part of the world."""
        if self._registry is None:
            self._registry = RegistryProgram(self.path / "registry")
            self.services["registry"] = StandIn(self._thread, "registry", "", self._registry.url)
        return self.services["registry"]

    def _was_built(self, rung: str) -> dict[str, str]:
        return Published(self._kept / rung, VERSION).built()

    def _was_committed(self, rung: str) -> str:
        return git(self._kept / rung / "checkout", "rev-parse", f"refs/releaser/{TAG}")

    # --- rows ---------------------------------------------------------------------------------------------------------

    def strike(self, row: Row, broken: str = "") -> Outcome:
        """Carry a row out: its world, its fault, the same command again, and a comparison.

        Args:
            row: The row.
            broken: What the engine's code does again, of BROKEN.
        """
        self.broken = ""
        expected = self.undisturbed(row)
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
            found.wrong = self._badly_told(first) or (self._touched(before) if row.refused else "")
        if found.wrong:
            return found
        if row.again == "refused":
            before = before if row.refused else public(self.path, VERSION)
            again = self.run(row.command, row.words)
            found.final = str(again.code)
            found.wrong = self._badly_told(again) or self._touched(before)
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
        running: list[int] = []

        def act() -> None:
            if row.signal == signal.SIGKILL:
                kill_with_children(running[0])
            elif row.signal:
                os.kill(running[0], row.signal)

        if row.request or row.lag:
            layer: Layer = (
                Injection(row.request, self.path / row.who, on_strike=act)
                if row.request
                else Late(self.path / row.who, timedelta(seconds=row.lag or 0))
            )
            ended = self.run(row.command, row.words, {row.who: layer}, started=running.append)
            found.struck = layer.struck
        elif row.push:
            with Pushes(self.path / "checkout.git", row.push, act) as pushes:
                ended = self.run(row.command, row.words, started=running.append)
            found.struck = pushes.struck
        else:
            ended = self.run(row.command, row.words, fault=row.fault)
            struck = self.asked.struck.exists() if row.who == "world" else ended.code == -signal.SIGKILL
            found.struck = int(struck)
        return ended

    def _touched(self, before: dict[str, str]) -> str:
        now = public(self.path, VERSION)
        names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        return f"it was refused, and this was touched all the same: {', '.join(names)}" if names else ""

    def _finish(self, found: Outcome, expected: Undisturbed) -> None:
        row = found.row
        ended = self.run(row.command, (*row.words, *(word for how in row.choose for word in ("--choose", how))))
        found.final = str(ended.code)
        if ended.code not in expected.codes:
            found.wrong = f"the same command again ended with {ended.code}: {ended.error or ended.err[-300:]}"
            return
        found.wrong = self._badly_told(ended)
        facts = self.facts(row)
        found.differs = sorted(name for name in expected.facts if facts[name] != expected.facts[name])
        # What a fault leaves for good, such as another's wheel where ours would be, is neither.
        found.duplicates, found.losses = (
            [one for one in names if one.partition(":")[0] not in found.row.leaves]
            for names in compared(facts, expected.facts)
        )
        odd = [name for name in found.differs if name not in found.row.leaves]
        told = [f"{name}: {facts[name]} instead of {expected.facts[name]}" for name in odd]
        found.wrong = "; ".join(filter(None, [found.wrong, *told]))

    def _badly_told(self, ended: Ended) -> str:
        """Return what is wrong with what a run printed; empty if nothing is."""
        if "Traceback" in ended.out + ended.err:
            return f"a traceback is shown: {ended.err[-500:]}"
        if ended.code > 0 and "\n  -> " not in ended.error:
            return f"the error has no remedy: {ended.error}"
        if f"All of {VERSION} is taken back" in ended.out and (left := Published(self.path, VERSION).left(TAG)):
            return f"it says that all is taken back, and there is still {', '.join(left)}"
        return ""
