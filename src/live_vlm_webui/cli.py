"""The command line: ``live-vlm-webui``.

``--version`` and ``--help`` import only argparse; the server and its dependencies are imported when they are needed.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from itertools import takewhile

from live_vlm_webui import __version__
from live_vlm_webui.config.defaults import (
    DEFAULT_HOST,
    DEFAULT_LOG_LEVEL,
    DEFAULT_MONITOR_INTERVAL,
    DEFAULT_PORT,
    LOG_LEVELS,
)
from live_vlm_webui.output import complain, escape_unencodable, show, was_printed

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing takes as long as everything else here
    from typing import NoReturn

PROGRAM = "live-vlm-webui"
INTERRUPTED = 130
DESCRIPTION = """\
Serve a web page that streams a live camera to a vision language model and shows its answers. Open the printed address
and allow camera access. Without a model server, the built-in describer answers.
"""
EPILOG = """\
Flags override the environment variables in brackets, which override the defaults. LIVE_VLM_DATA sets the directory for
the certificate and the token. Give SECRET as @FILE, a file that contains it; other users of this machine can see a
literal value in the process list. Stop the server with Ctrl-C, SIGTERM or live-vlm-webui-stop.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Args:
        argv: The arguments after the program's name; None reads ``sys.argv``.

    Returns:
        0 after Ctrl-C or SIGTERM stopped a running server, 1 if it cannot listen or print, 2 for invalid settings, 130
        for Ctrl-C before the server was ready.

    Raises:
        SystemExit: ``--version`` and ``--help`` (0), or invalid arguments (2).
    """
    escape_unencodable()
    try:
        arguments = read_arguments(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit:
        if not was_printed(PROGRAM):
            return 1
        raise
    from live_vlm_webui.errors import WebUIError

    try:
        if arguments.command == "doctor":
            return examine(arguments)
        return start(arguments)
    except WebUIError as error:
        complain(f"{PROGRAM}: {error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def read_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments.

    Unknown flags are reported here: argparse would take the word after one for a command and report that instead.

    Raises:
        SystemExit: ``--version`` and ``--help`` (0), or invalid arguments (2).
    """
    parser = build_parser()
    known = {"--help", *re.findall("--[a-z-]+", parser.format_usage())}
    for word in takewhile(lambda word: word not in {"doctor", "--"}, argv):
        flag = word.partition("=")[0]
        if flag.startswith("--") and flag not in known:
            near = nearest(flag, known)
            parser.error(f"unknown option {flag}{f'; did you mean {near}?' if near else ''}")
    arguments = parser.parse_args(argv)
    given = [word.partition("=")[0] for word in takewhile(lambda word: word != "doctor", argv) if word.startswith("-")]
    if arguments.command == "doctor" and given:
        parser.error(f"doctor does not accept {given[0]}; it reads only the environment and the running servers")
    return arguments


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that ``word`` was probably meant to be; empty if none is near."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1)), "")


class Parser(argparse.ArgumentParser):
    """Reports an unknown command by its name; argparse would report an invalid argument ``[doctor]``."""

    def error(self, message: str) -> NoReturn:
        """Print ``message`` and exit with 2, as ``argparse`` does."""
        if stray := re.match(r"argument \[doctor\]: invalid choice: (?P<quote>['\"])(?P<word>.*?)(?P=quote)", message):
            hint = (
                "did you mean doctor?"
                if nearest(stray["word"], ["doctor"])
                else "the only command is doctor, and serving needs none"
            )
            message = f"unknown command {stray['word']}; {hint}"
        super().error(message)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser. Values stay strings: ``config.environment`` parses them like environment variables."""
    parser = Parser(prog=PROGRAM, description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    _add_address(parser.add_argument_group("listening address"))
    _add_access(parser.add_argument_group("access control"))
    _add_models(parser.add_argument_group("models"))
    _add_running(parser.add_argument_group("monitoring and logging"))
    commands = parser.add_subparsers(dest="command", metavar="[doctor]", title="commands")
    doctor = commands.add_parser(
        "doctor",
        help="print diagnostics for a bug report, without secrets",
        description="Print diagnostics of this machine and this installation for a bug report, without secrets.",
        allow_abbrev=False,
    )
    doctor.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_address(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--host",
        metavar="ADDRESS",
        help=f"address to listen on; 0.0.0.0 or :: for all addresses requires signing in (default: {DEFAULT_HOST})",
    )
    group.add_argument(
        "--port", metavar="PORT", help=f"TCP port to listen on; 0 for any free port (default: {DEFAULT_PORT})"
    )
    group.add_argument("--auto-port", action="store_true", help="use the next free port if PORT is in use")
    group.add_argument(
        "--ssl-cert",
        metavar="FILE",
        help="your own certificate, PEM (default: a self-signed one, created at first start)",
    )
    group.add_argument("--ssl-key", metavar="FILE", help="private key of --ssl-cert, PEM, if it is in another file")
    group.add_argument("--no-ssl", action="store_true", help="serve HTTP instead of HTTPS")


def _add_access(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--token",
        metavar="SECRET",
        help="token for signing in [LIVE_VLM_TOKEN] (default: none on loopback, otherwise generated and kept)",
    )
    group.add_argument(
        "--allow-host",
        action="append",
        dest="allow_hosts",
        metavar="NAME[:PORT]",
        help="host name of a reverse proxy, as browsers see it; requires signing in; can be repeated",
    )
    group.add_argument(
        "--root-path",
        metavar="PATH",
        help="path below which a reverse proxy serves the page, such as /vlm [LIVE_VLM_ROOT_PATH] (default: none)",
    )
    group.add_argument(
        "--media-dir",
        action="append",
        dest="media_dirs",
        metavar="DIRECTORY",
        help="directory from which video files may be opened; can be repeated (default: none)",
    )


def _add_models(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--api-base",
        metavar="URL",
        help="OpenAI-compatible API to use, such as http://127.0.0.1:11434/v1 [LIVE_VLM_API_BASE]"
        " (default: search this machine)",
    )
    group.add_argument("--api-key", metavar="SECRET", help="API key, sent only to --api-base [LIVE_VLM_API_KEY]")
    group.add_argument(
        "--known-servers-only",
        action="store_true",
        help="connect only to --api-base and to the usual ports of this machine, not to servers named in the page",
    )
    group.add_argument(
        "--model", metavar="NAME", help="model to ask [LIVE_VLM_DEFAULT_MODEL] (default: one that accepts images)"
    )
    group.add_argument("--prompt", metavar="TEXT", help="initial prompt (default: describe the scene)")
    group.add_argument(
        "--system-prompt",
        metavar="TEXT",
        help="what the model is told before the prompt, initially; not the built-in describer (default: nothing)",
    )
    group.add_argument(
        "--temperature",
        metavar="NUMBER",
        help="how random answers are, 0 to 2, initially (default: the model server's)",
    )
    group.add_argument(
        "--process-every",
        metavar="N",
        help="ask about every Nth frame [LIVE_VLM_PROCESS_EVERY] (default: as soon as the model is free)",
    )


def _add_running(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--monitor-interval",
        metavar="SECONDS",
        help="time between two samples of the system monitor [LIVE_VLM_MONITOR_INTERVAL]"
        f" (default: {DEFAULT_MONITOR_INTERVAL:g})",
    )
    group.add_argument(
        "--log-level",
        metavar="LEVEL",
        help=f"{', '.join(LOG_LEVELS)} (default: {DEFAULT_LOG_LEVEL}); debug logs every request",
    )


def start(arguments: argparse.Namespace) -> int:
    """Check the settings, open the port, then import the server and run it until it is stopped."""
    from live_vlm_webui.config.environment import named, read_settings
    from live_vlm_webui.errors import WrongValueError
    from live_vlm_webui.server.listen import open_listener

    settings, warnings = read_settings(vars(arguments), os.environ)
    for warning in warnings:
        complain(f"{PROGRAM}: warning: {warning}\n")
    with open_listener(settings) as listener:
        from live_vlm_webui.server.serve import run

        try:
            run(settings, listener)
        except WrongValueError as error:  # what only a part of the server can tell
            raise named(error, vars(arguments)) from None
    return 0


def examine(arguments: argparse.Namespace) -> int:
    """Print the doctor's report."""
    from live_vlm_webui.doctor.report import report

    show(report(as_json=arguments.json))
    return 0
