"""The command line: ``live-vlm-webui``.

To answer ``--version`` and ``--help`` it loads argparse alone; the server and its dependencies are imported when they
are needed.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from itertools import takewhile

from live_vlm_webui import __version__
from live_vlm_webui.config.defaults import (
    DEFAULT_HOST,
    DEFAULT_LOG_LEVEL,
    DEFAULT_MONITOR_INTERVAL,
    DEFAULT_PORT,
    LOG_LEVELS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes as long to load as all the rest
    from typing import NoReturn

PROGRAM = "live-vlm-webui"
INTERRUPTED = 130
DESCRIPTION = """\
Serve a web page that shows a live camera to a vision language model, and its answers. Open the printed address and
allow the camera. Without a server of models the built-in describer answers.
"""
EPILOG = """\
A flag beats the environment variable in brackets, which beats the default. LIVE_VLM_DATA names the directory for
certificate and token. SECRET is @FILE, the file that holds it; a literal can be read by others in the process list.
Ctrl-C or SIGTERM stops the server, and so does live-vlm-webui-stop.
"""


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
    try:
        arguments = read_arguments(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        return INTERRUPTED
    from live_vlm_webui.errors import WebUIError

    try:
        if arguments.command == "doctor":
            return examine(arguments)
        return start(arguments)
    except WebUIError as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def read_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Read the arguments.

    Flags that there are none of are told here: argparse would take what follows one for a command, and speak of that.

    Raises:
        SystemExit: ``--version`` and ``--help`` (0), or arguments that cannot be read (2).
    """
    parser = build_parser()
    known = {"--help", *re.findall("--[a-z-]+", parser.format_usage())}
    for word in takewhile(lambda word: word not in {"doctor", "--"}, argv):
        flag = word.partition("=")[0]
        if flag.startswith("--") and flag not in known:
            from difflib import get_close_matches

            near = get_close_matches(flag, known, n=1)
            parser.error(f"there is no {flag}{f'; did you mean {near[0]}?' if near else ''}")
    arguments = parser.parse_args(argv)
    given = [word.partition("=")[0] for word in takewhile(lambda word: word != "doctor", argv) if word.startswith("-")]
    if arguments.command == "doctor" and given:
        parser.error(f"doctor takes no {given[0]}: it looks at what the environment says, and at what runs")
    return arguments


class Parser(argparse.ArgumentParser):
    """Tells of a stray word in words: argparse speaks of an argument named [doctor]."""

    def error(self, message: str) -> NoReturn:
        """As ``argparse`` has it: print ``message`` and exit with 2."""
        if stray := re.match(r"argument \[doctor\]: invalid choice: (?P<quote>['\"])(?P<word>.*?)(?P=quote)", message):
            from difflib import get_close_matches

            near = get_close_matches(stray["word"], ["doctor"])
            hint = "; did you mean doctor?" if near else ", only doctor; to serve, give none"
            message = f"there is no command {stray['word']}{hint}"
        super().error(message)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line. Values stay texts: ``environment`` reads them as it does those of the environment."""
    parser = Parser(prog=PROGRAM, description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    _add_address(parser.add_argument_group("where to listen"))
    _add_access(parser.add_argument_group("who may come in"))
    _add_models(parser.add_argument_group("what to ask"))
    _add_running(parser.add_argument_group("how to run"))
    commands = parser.add_subparsers(dest="command", metavar="[doctor]", title="instead of serving")
    doctor = commands.add_parser(
        "doctor",
        help="print what an issue should say of this machine, without secrets",
        description="Print what an issue should say of this machine, without secrets.",
        allow_abbrev=False,
    )
    doctor.add_argument("--json", action="store_true", help="as JSON, for programs")
    return parser


def _add_address(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--host",
        metavar="ADDRESS",
        help=f"address to listen on; 0.0.0.0 or :: for all, then everybody must sign in (default: {DEFAULT_HOST})",
    )
    group.add_argument(
        "--port", metavar="PORT", help=f"TCP port to listen on, 0 for any free one (default: {DEFAULT_PORT})"
    )
    group.add_argument("--auto-port", action="store_true", help="take the next free port if PORT is taken")
    group.add_argument(
        "--ssl-cert", metavar="FILE", help="certificate of your own, PEM (default: one is made at first start)"
    )
    group.add_argument("--ssl-key", metavar="FILE", help="its key, PEM, if it is not in the same file")
    group.add_argument("--no-ssl", action="store_true", help="serve HTTP instead of HTTPS")


def _add_access(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--token",
        metavar="SECRET",
        help="what everybody must sign in with [LIVE_VLM_TOKEN] (default: on loopback none, else one is made and kept)",
    )
    group.add_argument(
        "--allow-host",
        action="append",
        dest="allow_hosts",
        metavar="NAME[:PORT]",
        help="a reverse proxy's name, as browsers see it; may be repeated; everybody must sign in",
    )
    group.add_argument(
        "--media-dir",
        action="append",
        dest="media_dirs",
        metavar="DIRECTORY",
        help="where video files may be opened; may be repeated (default: nowhere)",
    )


def _add_models(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--api-base",
        metavar="URL",
        help="the models' OpenAI-compatible API, such as http://127.0.0.1:11434/v1 [LIVE_VLM_API_BASE]"
        " (default: look for one)",
    )
    group.add_argument("--api-key", metavar="SECRET", help="its key, sent to that address alone [LIVE_VLM_API_KEY]")
    group.add_argument(
        "--known-servers-only",
        action="store_true",
        help="ask that address and this machine's usual ports alone, whatever others the page names",
    )
    group.add_argument(
        "--model", metavar="NAME", help="model to ask [LIVE_VLM_DEFAULT_MODEL] (default: one that takes pictures)"
    )
    group.add_argument("--prompt", metavar="TEXT", help="what to ask first (default: what is to be seen)")
    group.add_argument(
        "--process-every",
        metavar="N",
        help="ask about every Nth frame [LIVE_VLM_PROCESS_EVERY] (default: as soon as the model is free)",
    )


def _add_running(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--monitor-interval",
        metavar="SECONDS",
        help="between two samples of the machine's figures [LIVE_VLM_MONITOR_INTERVAL]"
        f" (default: {DEFAULT_MONITOR_INTERVAL:g})",
    )
    group.add_argument(
        "--log-level",
        metavar="LEVEL",
        help=f"{', '.join(LOG_LEVELS)} (default: {DEFAULT_LOG_LEVEL}); debug logs every request",
    )


def start(arguments: argparse.Namespace) -> int:
    """Check the settings, open the port, then load the server and run it until it is stopped."""
    from live_vlm_webui.config.environment import read_settings
    from live_vlm_webui.server.listen import open_listener

    settings, warnings = read_settings(vars(arguments), os.environ)
    for warning in warnings:
        sys.stderr.write(f"{PROGRAM}: warning: {warning}\n")
    with open_listener(settings) as listener:
        from live_vlm_webui.server.serve import run

        run(settings, listener)
    return 0


def examine(arguments: argparse.Namespace) -> int:
    """Print what the doctor finds."""
    from live_vlm_webui.doctor.report import report

    sys.stdout.write(report(as_json=arguments.json))
    return 0
