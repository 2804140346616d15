"""A tiny project with this repository's own workflows, unedited, and the services that they publish to."""

from __future__ import annotations

import functools
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from fault_table.child import Asked, get_ready
from fault_table.world import environment_of
from harness.projects import Project, git
from harness.scene import create_template
from harness.stand_ins import REPOSITORY, TOKENS, ServerThread, StandIn

from releaser.rehearsal import remote
from releaser.rehearsal.actions.service import Actions
from releaser.rehearsal.actions.setting import JobFault, Setting
from releaser.rehearsal.forge.store import ForgeStore
from releaser.rehearsal.forge.tokens import Caller

from .ends import TAG, Published
from .machine import Machine
from .row import ATTACHES, DISPATCH, FOLDER, WORKFLOWS, Outcome, Row, jobs_of

VERSION = "0.2.0"
PERSON = Caller("ada", may_write=True)
_HERE = "released from here"
_KEY = "signs the identities of rehearsed jobs"
_PATIENCE_S = 240
_SERVICES = {"testpypi": "TESTPYPI_TOKEN", "pypi": "PYPI_TOKEN", "forge": "GITHUB_TOKEN"}
_INDEXES = {
    "testpypi": 'workflow = "release.yml"\nenvironment = "testpypi"\nattestations = true\n',
    "pypi": 'via = "ci"\nworkflow = "build-wheel.yml"\nenvironment = "release"\nattestations = true\n',
}
_PUBLISHERS = {"testpypi": ("release.yml", "testpypi"), "pypi": ("build-wheel.yml", "release")}
_RULES = {"branches": ["main"], "reviewers": ["reviewer"], "approve_after": 0}
# Left out from here, as in the fault table: each installs what is published in a new environment, and writes nothing.
_SKIPPED = ("try_testpypi", "install_from_pypi", "upgrade_from_pypi", "try_with_uv")


class Paths:
    """The worlds of one process of tests: services at fixed addresses, folders at fixed paths."""

    def __init__(self, root: Path) -> None:
        self.root, self.path, self._kept = root, root / "world", root / "rungs"
        get_ready()
        self._thread = ServerThread()
        self.services = {name: StandIn(self._thread, name, TOKENS[token]) for name, token in _SERVICES.items()}
        for index in _PUBLISHERS:
            self.services[index].key = _KEY
        self._machine = Machine(root)
        self._actions: Actions | None = None
        self.asked = Asked(self.path, VERSION, _SKIPPED, environment_of(root, self.path))

    def close(self) -> None:
        """Stop everything."""
        for one in self.services.values():
            one.close()
        self._thread.stop()
        self._machine.close()

    # --- worlds -------------------------------------------------------------------------------------------------------

    def begin(self, name: str, make: Callable[[], None]) -> None:
        """Put the world back to how a function makes it; the first time, have it do so."""
        kept = self._kept / name
        if not kept.exists():
            make()
            self._stop()
            shutil.copytree(self.path, kept, symlinks=True)
        self._stop()
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.copytree(kept, self.path, symlinks=True)

    def start(self) -> None:
        """Have the project as it is before the release."""
        self.begin("start", self._create)

    def before(self, workflow: str, job: str) -> None:
        """Have a run whose machine was lost before this job did anything, and all that it needs has passed."""
        self.begin(f"{workflow} {job}", lambda: self._lead_to(workflow, job))

    @functools.cached_property
    def from_here(self) -> dict[str, Any]:
        """The end of an undisturbed release from a terminal; PyPI gets its files from the workflow there too."""
        self.begin(_HERE, self._release_from_here)
        return self.end()

    @functools.cached_property
    def by_hand(self) -> dict[str, Any]:
        """The end of an undisturbed release in the web page: no other one needs the job that attaches files."""
        _ = self.from_here  # whose changelog a person writes
        self.start()
        self.serve()
        self.publish_by_hand()
        self.wait()
        return self.end()

    def end(self) -> dict[str, Any]:
        """Return all that matters of the end of the release, as the world is."""
        return Published(self.path, VERSION).end()

    def _release_from_here(self) -> None:
        self.start()
        self.serve()
        ended = self.asked.run(self.root / "printed")
        assert ended.code == 0, ended.err
        self.wait()

    def serve(self, *faults: JobFault) -> None:
        """Serve the world, with what happens to jobs."""
        forge = self.services["forge"]

        def actions(store: ForgeStore) -> Actions:
            setting = Setting(REPOSITORY, self.path / "checkout.git", lambda: forge.url, key=_KEY, faults=faults)
            self._actions = Actions(setting, store)
            return self._actions

        forge.actions = actions
        for name, one in self.services.items():
            one.serve(self.path / name, self.path / "checkout.git" if name == "forge" else None)

    def _stop(self) -> None:
        for one in self.services.values():
            one.stop()

    def _create(self) -> None:
        self._stop()
        shutil.rmtree(self.path, ignore_errors=True)
        project: Project = create_template(
            self.path / "checkout", {name: self.services[name].url for name in _SERVICES}
        )
        for index, more in _INDEXES.items():
            title = f"[tool.releaser.{index}]\n"
            project.replace("pyproject.toml", title, title + more)
            workflow, environment = _PUBLISHERS[index]
            publisher = {"project": "tiny-thing", "repository": REPOSITORY, "pending": True}
            publisher |= {"workflow": workflow, "environment": environment}
            (self.path / index).mkdir()
            (self.path / index / "publishers.json").write_text(json.dumps([publisher]))
        for workflow in WORKFLOWS:
            project.write(f".github/workflows/{workflow}", (FOLDER / workflow).read_text("utf-8"))
        for lock in FOLDER.parent.glob("*-requirements.txt"):
            project.write(f".github/{lock.name}", "# Nothing: the machine has all that it needs.\n")
        project.write(".gitignore", "/dist/\n")
        project.commit("Workflows")
        remote.guard(project.origin, {})
        forge = self.path / "forge"
        forge.mkdir()
        rules = {"release": {**_RULES, "tags": ["v*"]}, "testpypi": {**_RULES, "tags": []}}
        (forge / "settings.json").write_text(json.dumps({"environments": rules}))
        (forge / "seed.json").write_text(json.dumps({"workflow_runs": [{"workflow": "tests.yml"}]}))
        self._machine.install(forge)

    def _lead_to(self, workflow: str, job: str) -> None:
        needs = jobs_of(workflow)[job].needs
        by_hand = job == ATTACHES
        if by_hand or list(needs) == ["build"]:
            self.start()
        else:
            self.before(*((workflow, needs[-1]) if needs else (WORKFLOWS[0], "release")))
        self.serve(JobFault("before", job, 1, workflow=workflow))
        if by_hand:
            self.publish_by_hand()
        else:
            self.go_on()
        self.wait()
        assert [(one["workflow"], self.failed(one)) for one in self.unfinished()] == [(workflow, [job])]
        shutil.rmtree(self.path / "forge" / "faults")  # what has struck once does not strike again

    # --- what people do -----------------------------------------------------------------------------------------------

    def runs(self) -> list[dict[str, Any]]:
        """Return the forge's runs that were carried out."""
        return [one for one in self.services["forge"].store.state["workflow_runs"] if "jobs" in one]

    def failed(self, run: dict[str, Any]) -> list[str]:
        """Return the jobs of a run that failed."""
        return [job["job"] for job in run["jobs"] if job["conclusion"] == "failure"]

    def unfinished(self) -> list[dict[str, Any]]:
        """Return the last run of each workflow that did not end well."""
        last = {one["workflow"]: one for one in self.runs()}
        return [one for one in last.values() if one["conclusion"] not in ("success", "skipped")]

    def go_on(self, then: str = "") -> None:
        """Re-run the failed jobs, or start the workflow again; where nothing has run yet, start it."""
        actions, failed = self._actions, self.unfinished()
        assert actions

        async def rerun() -> None:
            for run in failed:
                actions.rerun_failed(run["id"])

        if not self.runs():
            self.dispatch(WORKFLOWS[0])
        elif then == DISPATCH:
            for run in failed:
                self.dispatch(run["workflow"])
        else:
            self._thread.run(rerun())

    def dispatch(self, workflow: str) -> None:
        """Start a workflow on the branch, or on the tag where it is about one."""
        actions = self._actions
        assert actions

        async def act() -> None:
            actions.dispatch(workflow, TAG if workflow == WORKFLOWS[1] else "main", {"version": VERSION}, PERSON)

        self._thread.run(act())

    def wait(self) -> list[str]:
        """Wait until no run goes on; return how the last of each workflow ended."""
        ends = time.monotonic() + _PATIENCE_S
        while any(one["status"] != "completed" for one in self.runs()) or not self.runs():
            assert time.monotonic() < ends, self.runs()
            time.sleep(0.02)
        return [
            f"{one['workflow']}: {one['conclusion']}" for one in {run["workflow"]: run for run in self.runs()}.values()
        ]

    def publish_by_hand(self, *, tag: str = "in the page", **release: Any) -> dict[str, Any]:
        """Raise the version, push, and publish a release in the web page, as spec/releasing.md tells a person to.

        Args:
            tag: "in the page", where the page makes it; "pushed" as an annotated one before; "" leaves both to others.
            release: What the page sends beside tag, target, title and notes.
        """
        project = Project(self.path / "checkout", "tiny-thing", "main", "origin")
        project.replace("pyproject.toml", 'version = "0.1.0"', f'version = "{VERSION}"')
        project.replace("src/tiny_thing/__init__.py", "0.1.0", VERSION)
        # As the engine writes it, so that both paths release the same files.
        changelog = git(self._kept / _HERE / "checkout.git", "cat-file", "blob", f"{TAG}:CHANGELOG.md")
        project.write("CHANGELOG.md", changelog + "\n")
        project.commit(f"chore: bump version to {VERSION}")
        if tag == "pushed":
            project.git("tag", "--annotate", "--message", f"Release version {VERSION}", TAG)
            project.git("push", "--quiet", "origin", TAG)
        wanted = {"tag_name": TAG, "target_commitish": "main", "name": f"{TAG} - By hand", "body": "By hand\n"}
        return self.in_page("POST", "/releases", {**wanted, **release})

    def in_page(self, method: str, path: str, wanted: dict[str, Any] | None = None) -> dict[str, Any]:
        """Have a person do something with the forge."""
        return self._asked(method, f"/repos/{REPOSITORY}{path}", json=wanted)

    def attach(self, release: dict[str, Any], name: str, content: bytes) -> dict[str, Any]:
        """Have a person attach a file to a release."""
        path = f"/uploads/repos/{REPOSITORY}/releases/{release['id']}/assets"
        return self._asked("POST", path, params={"name": name}, data=content)

    def make_immutable(self) -> None:
        """Have the repository make the releases immutable that are published from now on."""
        settings = self.path / "forge" / "settings.json"
        settings.write_text(json.dumps({**json.loads(settings.read_text()), "immutable_releases": True}))

    def log(self, job: str) -> str:
        """Return the log of the last job of a name."""
        number = [one["id"] for run in self.runs() for one in run["jobs"] if one["name"] == job][-1]
        return (self.path / "forge" / "logs" / f"{number}.txt").read_text("utf-8")

    def _asked(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        forge = self.services["forge"]
        login = {"Authorization": f"Bearer {forge.token}"}
        answer = requests.request(method, f"{forge.url}{path}", headers=login, timeout=_PATIENCE_S, **sent)
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}

    # --- rows ---------------------------------------------------------------------------------------------------------

    def strike(self, row: Row) -> Outcome:
        """Carry a row out: its world, what happens, how a person goes on, and a comparison."""
        found = Outcome(row)
        expected = self.by_hand if row.by_hand else self.from_here
        if row.rung == (WORKFLOWS[0], "build"):
            self.start()
        else:
            self.before(*row.rung)
        self.serve(row.fault)
        self.go_on()
        found.runs = self.wait()
        if not self.unfinished():
            found.wrong = "nothing happened"
            return found
        self.go_on(row.then)
        found.runs += self.wait()
        if self.unfinished():
            found.wrong = f"it did not end well: {self.told()}"
            return found
        end = self.end()
        odd = [name for name in expected if end[name] != expected[name]]
        found.wrong = "; ".join(f"{name}: {end[name]} instead of {expected[name]}" for name in odd)
        return found

    def told(self) -> str:
        """Return the last lines of the jobs that failed."""
        logs = self.path / "forge" / "logs"
        failed = [job for run in self.unfinished() for job in run["jobs"] if job["conclusion"] == "failure"]
        texts = [(job["name"], (logs / f"{job['id']}.txt").read_text("utf-8").splitlines()[-12:]) for job in failed]
        return "\n".join(f"{name}:\n" + "\n".join(lines) for name, lines in texts)
