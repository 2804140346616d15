"""The command line: ``live-vlm-webui``.

To answer ``--version`` and ``--help`` it loads argparse alone; the server and its dependencies are imported when they
are needed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from live_vlm_webui import __version__
from live_vlm_webui.defaults import DEFAULT_HOST, DEFAULT_LOG_LEVEL, DEFAULT_PORT, LOG_LEVELS
from live_vlm_webui.errors import WebUIError

PROGRAM = "live-vlm-webui"
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Args:
        argv: The arguments after the program's name; None takes those of the process.

    Returns:
        0 after Ctrl-C or SIGTERM stopped a running server, 1 if it cannot listen, 2 for settings that cannot be used,
        130 for Ctrl-C before the server was ready.

    Raises:
        SystemExit: ``--version`` and ``--help`` (0), or arguments that cannot be read (2).
    """
    arguments = build_parser().parse_args(argv)
    try:
        return start(arguments)
    except WebUIError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Serve a web page that shows a live camera. Open the printed address and allow the camera.",
        epilog="Ctrl-C or SIGTERM stops the server. This version shows the picture only; no model is asked yet.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--host",
        default=DEFAULT_HOST,
        metavar="ADDRESS",
        help="loopback address to listen on: 127.0.0.1, ::1 or localhost (default: %(default)s);"
        " others are refused because this version has no login",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        metavar="PORT",
        help="TCP port to listen on, 0 for any free one (default: %(default)s)",
    )
    parser.add_argument("--auto-port", action="store_true", help="take the next free port if PORT is taken")
    parser.add_argument(
        "--log-level",
        choices=LOG_LEVELS,
        default=DEFAULT_LOG_LEVEL,
        metavar="LEVEL",
        help=f"{', '.join(LOG_LEVELS)} (default: %(default)s); debug logs every request",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    return parser


def start(arguments: argparse.Namespace) -> int:
    """Check the settings, open the port, then load the server and run it until it is stopped."""
    from live_vlm_webui.listen import open_listener
    from live_vlm_webui.settings import Settings

    settings = Settings(**vars(arguments))
    with open_listener(settings) as listener:
        from live_vlm_webui.server import run

        run(settings, listener)
    return 0
