"""Attend to a running program: feed it, read what it writes, end it and everything that it started."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from typing import IO

import psutil

from releaser.core.activity import Activity
from releaser.errors import InterruptedRunError

_GRACE_S = 5.0
_POLL_S = 0.05
_DRAIN_S = 5.0
"""How long to go on reading when a program has ended and a daemon that it left behind holds its output open."""


def attend(
    process: subprocess.Popen[bytes],
    activity: Activity,
    stdin: bytes | None,
    outputs: Iterable[tuple[IO[bytes] | None, Callable[[bytes], None]]],
    within: float | None = None,
) -> int:
    """Feed a program, hand its output on line by line, and return its exit status; end it if the run is stopped.

    Each pipe has a thread, which owns and closes it: neither side can wait for the other for ever.

    Raises:
        TimeoutError: It took longer than `within`; it was ended.
    """
    deadline = time.monotonic() + within if within else None
    errors: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  is raised in the thread that called
            errors.append(error)

    works = [lambda pipe=pipe, take=take: _read(pipe, take) for pipe, take in outputs if pipe is not None]
    if stdin is not None and process.stdin is not None:
        works.append(lambda pipe=process.stdin, content=stdin: _feed(pipe, content))
    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]

    def look() -> None:
        if activity.cancelled.is_set():
            raise InterruptedRunError("a program was stopped")
        if errors:
            raise errors[0]
        if deadline and time.monotonic() > deadline:
            raise TimeoutError

    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive() and process.poll() is None:
                thread.join(_POLL_S)
                look()
        while True:
            try:
                status = process.wait(_POLL_S)
                break
            except subprocess.TimeoutExpired:
                look()
    except BaseException:
        end(process)
        raise
    for thread in threads:
        thread.join(_DRAIN_S)
    if errors:
        raise errors[0]
    return status


def _read(pipe: IO[bytes], take: Callable[[bytes], None]) -> None:
    with pipe:
        for line in pipe:
            take(line)


def _feed(pipe: IO[bytes], content: bytes) -> None:
    # A program need not read all that it is given.
    with contextlib.suppress(BrokenPipeError), pipe:
        pipe.write(content)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program and everything it started, gently first."""
    if process.poll() is not None:
        return
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        _quietly(member.terminate)
    _, alive = psutil.wait_procs(family, timeout=_GRACE_S)
    for member in alive:
        _quietly(member.kill)
    process.wait()


def _quietly(action: Callable[[], object]) -> None:
    # What has ended meanwhile needs no end; what belongs to another user (sudo) cannot be ended.
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        action()
