"""Tests side by side (pytest-xdist): some run while no other does, and what is expensive is made once for all workers.

A test that compares what it sees with a clock is marked `alone`. Such tests run last, one at a time, while every other
worker waits between two tests. One that takes a minute or more is marked `lengthy` and begins first: begun late, it
would keep one worker busy when the others have nothing left.
"""

from __future__ import annotations

import fcntl
import json
import pickle
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import IO, Any

import pytest

INPUT = "side_by_side"
AFTERWARDS = "afterwards.jsonl"
ALONE = "alone"


class Room:
    """Two locks: tests share the room, or one has it to itself; at the door they queue, so that it is not overtaken."""

    def __init__(self, folder: Path) -> None:
        self._door, self._room = (self._open(folder / name) for name in ("door", "room"))

    @staticmethod
    def _open(path: Path) -> IO[str]:
        return path.open("a", encoding="utf-8")

    def enter(self, *, alone: bool) -> None:
        """Wait for a place, or until the room is empty."""
        fcntl.flock(self._door, fcntl.LOCK_EX)
        fcntl.flock(self._room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(self._door, fcntl.LOCK_UN)

    def leave(self) -> None:
        """Let others in."""
        fcntl.flock(self._room, fcntl.LOCK_UN)


ROOM = pytest.StashKey[Room]()
SHARED = pytest.StashKey[Path]()
CONTINUES = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    if (worker := getattr(config, "workerinput", None)) is not None:
        config.stash[SHARED] = Path(worker[INPUT])
        config.stash[ROOM] = Room(config.stash[SHARED])
        return
    folder = tempfile.TemporaryDirectory(prefix="side-by-side-")
    config.stash[SHARED] = Path(folder.name)
    # The last that is added is called first, after all workers have ended.
    config.add_cleanup(folder.cleanup)
    config.add_cleanup(lambda: _run_afterwards(Path(folder.name) / AFTERWARDS))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist which directory the workers share."""
    node.workerinput[INPUT] = str(node.config.stash[SHARED])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Have the tests that run alone begin when the others are done."""
    if config.getoption("dist") != "worksteal":
        return None
    from alone_last import AloneLast  # not where pytest-xdist is not

    return AloneLast(config, log, config.stash[SHARED] / ALONE)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the scheduler, before it hears of the collection, how many tests at its end run alone."""
    if ROOM in session.config.stash:
        text = str(sum(map(_is_alone, session.items)))
        (session.config.stash[SHARED] / ALONE).write_text(text, "utf-8")


def _run_afterwards(commands: Path) -> None:
    lines = commands.read_text("utf-8").splitlines() if commands.exists() else []
    for line in reversed(lines):
        subprocess.run(json.loads(line), capture_output=True, check=False, timeout=120)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: (_is_alone(item), item.get_closest_marker("lengthy") is None))


@pytest.hookimpl(wrapper=True, tryfirst=True)  # waiting here is no part of the time that a test may take
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    room = item.config.stash.get(ROOM, None)
    if room is None:
        return (yield)
    alone = _is_alone(item)
    if not (alone and item.stash.get(CONTINUES, False)):
        room.enter(alone=alone)
    try:
        return (yield)
    finally:
        # Keep the room until the last such test in a row: others would otherwise enter after each.
        if alone and nextitem is not None and _is_alone(nextitem):
            nextitem.stash[CONTINUES] = True
        else:
            room.leave()


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Callable[..., Any]:
    """`once("wheel", build)`: what `build(an_empty_directory)` returned, the first time that any worker asked.

    The value is pickled, and each worker gets a copy of it. `once(name, make, remove)`: after all tests, the command
    that `remove(value)` returns is run.
    """
    shared, base = pytestconfig.stash[SHARED], tmp_path_factory.getbasetemp()
    root = base.parent if ROOM in pytestconfig.stash else base

    def made(name: str, make: Callable[[Path], Any], remove: Callable[[Any], Sequence[str]] | None = None) -> Any:
        folder, value = root / f"once-{name}", shared / f"{name}.pickle"
        with (shared / f"{name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not value.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed here
                folder.mkdir()
                result = make(folder)
                value.write_bytes(pickle.dumps(result))
                if remove:
                    with (shared / AFTERWARDS).open("a", encoding="utf-8") as commands:
                        commands.write(json.dumps(list(remove(result))) + "\n")
        return pickle.loads(value.read_bytes())

    return made
