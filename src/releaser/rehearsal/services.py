"""Starting the stand-ins as processes of their own, and stopping them, by pid."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from releaser.adapters import process
from releaser.errors import ReleaserError

_STOP_S = 5.0


@dataclass
class Service:
    """One running stand-in."""

    name: str
    url: str
    process: subprocess.Popen[bytes]


def start(module: str, arguments: Sequence[str | Path], log: Path, *, keep: bool) -> subprocess.Popen[bytes]:
    """Start a stand-in; unless it is to be kept it ends with this process, however that ends."""
    words = [sys.executable, "-m", module, *map(str, arguments), *([] if keep else ["--stop-with-stdin"])]
    with log.open("ab") as errors:
        stdin = subprocess.DEVNULL if keep else subprocess.PIPE
        return process.start(words, stdin=stdin, stderr=errors, own_session=True)


def ready(name: str, started: subprocess.Popen[bytes], log: Path) -> Service:
    """Wait for a stand-in's one line, which holds its address.

    Raises:
        ReleaserError: It ended instead; the message holds its last words.
    """
    line = b""
    if started.stdout is not None:
        line = started.stdout.readline()
        started.stdout.close()
    if not line:
        started.wait()
        if started.stdin is not None:
            started.stdin.close()
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        words = [line for line in lines if line and not line.startswith(("usage:", " "))][-2:]
        raise ReleaserError(f"The stand-in for {name} did not start: {' '.join(words)}", "See also docs/rehearsal.md.")
    return Service(name, str(json.loads(line)["url"]), started)


def stop(services: Sequence[Service]) -> None:
    """End stand-ins that this process started."""
    for service in services:
        service.process.terminate()
    for service in services:
        try:
            service.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            service.process.kill()
            service.process.wait()
        if service.process.stdin:
            service.process.stdin.close()


def stop_kept(record: Path) -> None:
    """End the stand-ins that an earlier run noted in `record`, if they still run: it kept them, or was killed."""
    if not record.exists():
        return
    family = []
    for pid in json.loads(record.read_text("utf-8")):
        try:
            one = psutil.Process(pid)
            if any("releaser.rehearsal." in word for word in one.cmdline()):
                one.terminate()
                family.append(one)
        except psutil.Error:  # It has ended, or its number now belongs to another program.
            continue
    _, alive = psutil.wait_procs(family, timeout=_STOP_S)
    for one in alive:
        one.kill()
    record.unlink()
