"""``live-vlm-webui-stop``: stop a server that this user started, and no other process."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from live_vlm_webui import __version__
from live_vlm_webui.output import complain, escape_unencodable, show, was_printed

if TYPE_CHECKING:
    from live_vlm_webui.server.pid_file import Running

PROGRAM = "live-vlm-webui-stop"
STOPPED = 0
FAILED = 1
MISUSED = 2
NOT_RUNNING = 3
WAIT_SECONDS = 10.0
"""A server stops within 3 seconds; a machine that swaps may need longer."""
POLL_SECONDS = 0.05


def main(argv: Sequence[str] | None = None) -> int:
    """Stop the server and return the exit status.

    Args:
        argv: The arguments after the program's name; None reads ``sys.argv``.

    Returns:
        0 if a server was stopped, 1 if it could not be, 2 for invalid arguments, 3 if none is running.

    Raises:
        SystemExit: ``--version`` and ``--help`` (0), or invalid arguments (2).
    """
    escape_unencodable()
    try:
        arguments = build_parser().parse_args(argv)
    except SystemExit:
        if not was_printed(PROGRAM):
            return FAILED
        raise
    from live_vlm_webui.config.environment import data_dir_of
    from live_vlm_webui.errors import WebUIError

    try:
        return stop(data_dir_of(os.environ), arguments.port)
    except WebUIError as error:
        complain(f"{PROGRAM}: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def build_parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Stop a live-vlm-webui server that you started, and wait until it has ended.",
        epilog=f"Exit status: {STOPPED} stopped, {FAILED} not stopped, {MISUSED} wrong usage or several servers,"
        f" {NOT_RUNNING} none running. LIVE_VLM_DATA must be the same as when the server was started.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port", type=int, metavar="PORT", help="stop the server on this port (default: the only one that is running)"
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    return parser


def stop(directory: Path, port: int | None) -> int:
    """Stop the server on ``port``, or the only one; ``directory`` is its data directory.

    Raises:
        SettingsError: Several are running and no port was given.
    """
    from live_vlm_webui.errors import SettingsError
    from live_vlm_webui.server.pid_file import find

    running, unreadable = [], False
    for path, found in find(directory):
        if isinstance(found, OSError):
            _say(f"{path} cannot be read ({found.strerror}); the user who started that server must stop it.")
            unreadable = True
        elif found is not None and not found.is_here:
            _say(f"{found.url} was started in another container or on another machine ({found.place}); stop it there.")
        elif found is None or not found.is_running:
            _remove(path)
        elif port in {None, found.port}:
            running.append(found)
    if not running and unreadable:
        return FAILED
    if not running:
        on = "" if port is None else f" on port {port}"
        _say(f"No live-vlm-webui with the data directory {directory} is running{on}.")
        return NOT_RUNNING
    if len(running) > 1 and len({one.port for one in running}) > 1:
        ports = ", ".join(str(one.port) for one in running)
        raise SettingsError(f"Several servers are running, on ports {ports}", "Choose one with --port.")
    return max(_stop(one) for one in running)


def _stop(running: Running) -> int:
    try:
        os.kill(running.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass  # it has just ended by itself
    except PermissionError:
        _say(f"{running.url} belongs to another user (process {running.pid}) and was not stopped.")
        return FAILED
    end = time.monotonic() + WAIT_SECONDS
    while running.is_running:
        if time.monotonic() > end:
            _say(f"{running.url} did not stop within {WAIT_SECONDS:g} s. Force it to: kill -KILL {running.pid}")
            return FAILED
        time.sleep(POLL_SECONDS)
    _say(f"Stopped {running.url} (process {running.pid}).")
    return STOPPED


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        _say(f"{path} cannot be removed ({error.strerror}); its server is no longer running.")
    else:
        _say(f"Removed {path}: its server is no longer running.")


def _say(text: str) -> None:
    """Print a line; where it cannot be printed, servers are stopped all the same, and the exit status tells."""
    from live_vlm_webui.errors import OutputError

    with suppress(OutputError):
        show(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
