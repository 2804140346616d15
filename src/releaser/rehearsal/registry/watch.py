"""A real registry as a stand-in: the program serves, this watches over it.

The program prints no ready line and knows nothing of a parent: its log says where it listens, which is told on; it ends
when this does, and this ends with its standard input, as the other stand-ins do.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from releaser.adapters import process
from releaser.rehearsal.injection import FORM, RequestFault
from releaser.rehearsal.registry.front import create_app
from releaser.rehearsal.serving import serve

_LISTENING = re.compile(r"listening on ([0-9.]+|\[::1?\]):(\d+)")
_SERIOUS = re.compile(r"level=(warn|fatal|panic)")
_STOP_S = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the registry, say where it listens, wait for its end or for the order to end it."""
    parser = argparse.ArgumentParser(prog="python -m releaser.rehearsal.registry", description=main.__doc__)
    parser.add_argument("--world", type=Path, required=True, help="the directory that it keeps its images in")
    parser.add_argument("--command", type=json.loads, required=True, help="the registry's program, as a JSON list")
    parser.add_argument("--at", type=RequestFault.parse, action="append", default=[], metavar=FORM, help="one request")
    parser.add_argument("--services", type=Path, metavar="FILE", help="ask its forge what each login may do")
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    options = parser.parse_args(arguments)
    settings = options.world / "config.json"
    settings.write_text(json.dumps(_config(options.world)), "utf-8")
    command = [*options.command, "serve", str(settings)]
    registry = process.start(command, stderr=subprocess.STDOUT)

    def stop(_number: int, _frame: FrameType | None) -> None:
        registry.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    if options.stop_with_stdin:
        threading.Thread(target=_stop_at_end_of_stdin, args=(registry,), daemon=True).start()
    try:
        url = _listening(registry)
        if url and (options.at or options.services):
            threading.Thread(target=_log, args=(registry,), daemon=True).start()
            front = create_app(url, options.at, options.world, options.services)
            serve(front, "registry", stop_with_stdin=options.stop_with_stdin)
            return 0
        if url:
            sys.stdout.write(json.dumps({"service": "registry", "url": url}) + "\n")
            sys.stdout.flush()
        _log(registry)
        return registry.wait()
    finally:
        _end(registry)


def _config(world: Path) -> dict[str, object]:
    return {
        "version": "0.1",
        "log": {"accesslog": {"disabled": True}},
        # Registries allow the owner of the images to delete them.
        "storage": {"filesystem": {"rootdirectory": str(world)}, "delete": {"enabled": True}},
        "http": {"addr": "127.0.0.1:0", "secret": "rehearsal"},
    }


def _listening(registry: subprocess.Popen[bytes]) -> str:
    """Return the registry's address once it listens; empty if it ended instead."""
    for raw in registry.stdout or ():
        line = raw.decode("utf-8", "replace")
        _pass_on(line)
        if found := _LISTENING.search(line):
            return f"http://127.0.0.1:{found[2]}"
    return ""


def _log(registry: subprocess.Popen[bytes]) -> None:
    """Send what is serious in the registry's log to stderr, until it ends."""
    for raw in registry.stdout or ():
        _pass_on(raw.decode("utf-8", "replace"))


def _pass_on(line: str) -> None:
    if _SERIOUS.search(line) or "level=" not in line:
        sys.stderr.write(line)
        sys.stderr.flush()


def _stop_at_end_of_stdin(registry: subprocess.Popen[bytes]) -> None:
    # os.read, not sys.stdin: a daemon thread inside the buffered reader's lock aborts the interpreter at exit.
    while os.read(0, 4096):
        pass
    _end(registry)


def _end(registry: subprocess.Popen[bytes]) -> None:
    registry.terminate()
    try:
        registry.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        registry.kill()
