"""The rehearsal's indexes and forge, served by a thread of the tests, each at one address for a whole session."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
import shutil
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import requests
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from releaser.rehearsal.actions.service import Actions
from releaser.rehearsal.forge.app import create_app as create_forge
from releaser.rehearsal.forge.faults import ForgeFaults
from releaser.rehearsal.forge.store import ForgeStore
from releaser.rehearsal.forge.tokens import Grant, Tokens
from releaser.rehearsal.index.app import Settings
from releaser.rehearsal.index.app import create_app as create_index
from releaser.rehearsal.index.store import IndexStore
from releaser.rehearsal.registry.front import fronting

from .projects import digests

PATIENCE = 60  # seconds; everything here takes milliseconds on an idle machine
REPOSITORY = "someone/tiny-thing"
# Values that occur nowhere by accident: one that is found in an output or in a file has leaked.
TOKENS = {
    "TESTPYPI_TOKEN": "pypi-testpypi-Zq7vK2wXs9Lm4Rt",
    "PYPI_TOKEN": "sesame-Hd83kLqPz0Yb6Nc1",
    "GITHUB_TOKEN": "ghp_5fJm2Vx8Ta0Wq7Lr3Ck9",
}
READ_ONLY = "github_pat_guest_1Bc4Dx7Gh0Jk"
"""A token that the forge knows, and that may not write."""


class Layer(Protocol):
    """What is put before a service's answers."""

    @property
    def middleware(self) -> Middleware:
        """Return what the service calls first."""


class ServerThread:
    """An event loop in a thread; whatever is served runs there."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="stand-ins")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine there, and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def stop(self) -> None:
        """End the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()


class StandIn:
    """One service: the same address all the time, and a folder of its own for each test.

    Attributes:
        url: Its address.
        asked: Method and path of each request since it was served last.
        target: The address of the registry that one named so stands before.
        grants: What each token may do at the forge.
        lag: How late an index shows what it took, from when it is served next.
        key: What the identities of workflows' jobs are signed with, which an index then trusts.
        actions: Makes what carries workflows out at the forge, from its state.
    """

    def __init__(self, thread: ServerThread, name: str, token: str, target: str = "") -> None:
        self.name = name
        self.target = target
        self.token = token
        self.asked: list[str] = []
        self.lag = timedelta(0)
        self.key: str | None = None
        self.actions: Callable[[ForgeStore], Actions] | None = None
        self._thread = thread
        self._runner: web.AppRunner | None = None
        # It listens as long as the session lasts, so that no other program gets the port between two tests.
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._heard = threading.Condition()
        self._then: list[tuple[str, Callable[[], None]]] = []
        self._answering = asyncio.Event()
        self.folder = Path()
        self.grants: dict[str, Grant] = {token: "write", READ_ONLY: "guest"}
        self._git_dir: Path | None = None

    def serve(
        self,
        folder: Path,
        git_dir: Path | None = None,
        seed: Mapping[str, Any] | None = None,
        injections: Sequence[Layer] = (),
    ) -> None:
        """Serve what is in a folder, from now on; ``seed`` is what a new forge holds at first."""
        self.stop()
        folder.mkdir(parents=True, exist_ok=True)
        if seed is not None:
            (folder / "seed.json").write_text(json.dumps(seed))
        self.folder, self._git_dir = folder, git_dir
        self.asked, self._then = [], []
        if self.name == "forge":
            self.store = ForgeStore(folder, git_dir)
            actions = self.actions(self.store) if self.actions else None
            app = create_forge(REPOSITORY, self.store, Tokens(self.grants), ForgeFaults([], folder), actions)
        elif self.target:
            app = fronting(self.target, [])
        else:
            app = create_index(IndexStore(folder), Settings(self.name, self.token, self.key, lag=self.lag))
        app.middlewares[:0] = [self._listen, *(one.middleware for one in injections)]
        self._thread.run(self._start(app))

    def hold(self, seed: Mapping[str, Any]) -> None:
        """Serve a new forge that holds this at first."""
        self.stop()
        shutil.rmtree(self.folder)
        self.serve(self.folder, self._git_dir, seed)

    def late(self, seconds: float) -> None:
        """Show what it takes so many seconds late."""
        self.lag = timedelta(seconds=seconds)
        self.serve(self.folder, self._git_dir)

    def play(self, title: str, log: str = "", **changes: Any) -> None:
        """Change the forge's newest run whose title has this, as a runner would; ``log`` is its first job's."""
        named = (run for run in self.store.state["workflow_runs"] if title in run.get("display_title", ""))
        run = max(named, key=lambda one: one["id"])
        run.update(copy.deepcopy(changes))
        if log:
            (self.folder / "logs").mkdir(exist_ok=True)
            (self.folder / "logs" / f"{run['jobs'][0]['id']}.txt").write_text(log)
        self.store.commit()

    def stop(self) -> None:
        """Serve nothing; the address stays."""
        if self._runner:
            self._thread.run(self._runner.cleanup())
            self._runner = None

    def close(self) -> None:
        """Give the address back."""
        self.stop()
        self._socket.close()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Leave every request without an answer for the length of the block."""
        self._thread.loop.call_soon_threadsafe(self._answering.clear)
        try:
            yield
        finally:
            self._thread.loop.call_soon_threadsafe(self._answering.set)

    def after(self, part: str, do: Callable[[], None]) -> None:
        """Do something once a request that has ``part`` in its method and path is answered, before that arrives.

        What is said first is done after the first such request, what is said next after the second.
        """
        self._then.append((part, do))

    def count(self, part: str) -> int:
        """Return how many requests had ``part`` in their method and path."""
        return sum(part in one for one in self.asked)

    def wait_until_asked(self, part: str = "", times: int = 1) -> None:
        """Wait for so many requests that have ``part`` in their method and path."""
        with self._heard:
            if not self._heard.wait_for(lambda: self.count(part) >= times, PATIENCE):
                raise AssertionError(f"{self.name} was not asked for {part!r} {times} times, but for {self.asked}")

    # --- what it holds ------------------------------------------------------------------------------------------------

    def held(self) -> dict[str, str]:
        """Return what it holds and was asked to change, file by file."""
        return digests(self.folder, skip=("holding", "faults"))

    def uploads(self) -> list[str]:
        """Return the names of the files that an index accepted, and of those that it was sent again."""
        return [line.split()[0] for line in _lines(self.folder / "uploads.log")]

    def mutations(self) -> list[str]:
        """Return what the forge was asked to change."""
        return _lines(self.folder / "mutations.log")

    def releases(self) -> list[dict[str, Any]]:
        """Return the forge's releases, drafts too."""
        return list(json.loads((self.folder / "forge.json").read_text())["releases"])

    # --- what others do to it -----------------------------------------------------------------------------------------

    def accept(self, path: Path, distribution: str, version: str) -> None:
        """Put a file on the index, as twine does."""
        content, kind = path.read_bytes(), "bdist_wheel" if path.suffix == ".whl" else "sdist"
        form = {":action": "file_upload", "name": distribution, "version": version, "filetype": kind}
        form["sha256_digest"] = hashlib.sha256(content).hexdigest()
        self._post("/legacy/", form, {"content": (path.name, content)})

    def manage(self, distribution: str, version: str, **fields: str) -> None:
        """Send a form of the index's manage page, as its owner does in a browser."""
        self._post(f"/manage/project/{distribution}/release/{version}/", fields)

    def _post(self, path: str, form: Mapping[str, str], files: Mapping[str, Any] | None = None) -> None:
        answer = requests.post(
            f"{self.url}{path}", data=form, files=files, auth=("__token__", self.token), timeout=PATIENCE
        )
        answer.raise_for_status()

    async def _start(self, app: web.Application) -> None:
        self._answering.set()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket.dup()).start()

    @web.middleware
    async def _listen(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        with self._heard:
            self.asked.append(f"{request.method} {request.path}")
            self._heard.notify_all()
        await self._answering.wait()
        response = await handler(request)
        due = next((one for one in self._then if one[0] in f"{request.method} {request.path}"), None)
        if due:
            self._then.remove(due)
            await asyncio.to_thread(due[1])
        return response


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []
