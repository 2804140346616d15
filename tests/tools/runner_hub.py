"""A GitHub on loopback that carries workflows out, with a repository of a test's own workflows."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from releaser.rehearsal import remote
from releaser.rehearsal.actions.service import Actions
from releaser.rehearsal.actions.setting import Record, Setting
from releaser.rehearsal.forge.app import create_app
from releaser.rehearsal.forge.faults import ForgeFaults
from releaser.rehearsal.forge.store import ForgeStore
from releaser.rehearsal.forge.tokens import Caller, Tokens

REPOSITORY = "octo-org/demo"
PERSON = Caller("ada", may_write=True)
KEY = "a key of at least thirty-two characters"
_WHO = (
    "-c",
    "user.name=Ada",
    "-c",
    "user.email=ada@localhost",
    "-c",
    "commit.gpgSign=false",
    "-c",
    "tag.gpgSign=false",
)


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *_WHO, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Hub:
    """The server, its repository, and what it recorded."""

    def __init__(self, root: Path, **setting: Any) -> None:
        self.world, self.origin, self.tree = root / "forge", root / "origin.git", root / "tree"
        self.tree.mkdir()
        git(self.tree, "init", "--quiet", "--initial-branch=main")
        self._setting = setting
        self.server: TestServer | None = None
        self._address: str | None = None

    def commit(self, files: Mapping[str, str], message: str = "Change") -> str:
        for name, text in files.items():
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(self.tree, "add", "--all")
        git(self.tree, "commit", "--quiet", "--message", message)
        return git(self.tree, "rev-parse", "HEAD")

    async def start(self) -> None:
        if not self.origin.exists():
            remote.create(self.origin, self.tree, "main")
            remote.guard(self.origin, {})
            git(self.tree, "remote", "add", "origin", str(self.origin))
        self.store = ForgeStore(self.world, self.origin)
        chosen = {"at_once": 8, **self._setting}  # whatever this machine has
        setting = Setting(REPOSITORY, self.origin, address=lambda: self._address, key=KEY, **chosen)
        self.actions = Actions(setting, self.store)
        tokens = Tokens({"ghp_ada": "write"})
        app = create_app(REPOSITORY, self.store, tokens, ForgeFaults([], self.world), self.actions)
        self.server = TestServer(app)
        await self.server.start_server()
        self._address = self.url

    async def stop(self) -> None:
        if self.server:
            await self.server.close()
            self.server = self._address = None

    @property
    def url(self) -> str:
        assert self.server
        return str(self.server.make_url("")).rstrip("/")

    def settings(self, **settings: Any) -> None:
        self.world.mkdir(exist_ok=True)
        (self.world / "settings.json").write_text(json.dumps(settings))

    def runs(self, workflow: str | None = None) -> list[Record]:
        runs = self.store.state["workflow_runs"]
        return [run for run in runs if workflow in (None, run["workflow"])]

    def run(self, number: int) -> Record:
        return next(run for run in self.runs() if run["id"] == number)

    async def until(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    async def ended(self, number: int) -> Record:
        await self.until(lambda: self.run(number)["status"] == "completed")
        return self.run(number)

    async def dispatched(self, workflow: str, ref: str = "main", **inputs: Any) -> Record:
        return await self.ended(self.actions.dispatch(workflow, ref, inputs, PERSON))

    def log(self, run: Record, job: str) -> str:
        number = next(one["id"] for one in run["jobs"] if one["name"] == job)
        return (self.world / "logs" / f"{number}.txt").read_text()

    async def ask(self, method: str, path: str, token: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            ClientSession() as session,
            session.request(method, f"{self.url}{path}", headers=headers, json=body) as answer,
        ):
            text = await answer.text()
            return answer.status, json.loads(text) if text.startswith(("{", "[")) else text


def conclusions(run: Record) -> dict[str, str]:
    return {job["name"]: job["conclusion"] for job in run["jobs"]}
