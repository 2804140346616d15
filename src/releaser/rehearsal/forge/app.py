"""The rehearsal's GitHub: releases, assets, tags, milestones, issues and workflow runs on loopback, for PyGithub.

``python -m releaser.rehearsal.forge --world DIR --repository OWNER/NAME`` serves what is in DIR; the same directory
gives the same state. The API's address is the printed one without any ending (``/repos/...`` as on api.github.com);
the pages for people are at the same address (``/OWNER/NAME/releases/tag/v1.0``). Every request that could change
something leaves one line in ``DIR/mutations.log``: method, path, status.

It differs from GitHub where it cannot matter for a release: there is one repository, public, whose git part is a bare
repository on this disk, and ``latest`` among releases of which none was made so is the highest version.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from filelock import FileLock, Timeout

from releaser.errors import ReleaserError, UsageError
from releaser.rehearsal.actions.reading.triggers import DispatchError
from releaser.rehearsal.actions.service import Actions
from releaser.rehearsal.forge.answers import CALLER, problem
from releaser.rehearsal.forge.attestations import Attestations
from releaser.rehearsal.forge.environments import Environments
from releaser.rehearsal.forge.faults import FAULTS, ForgeFaults, parse_fault
from releaser.rehearsal.forge.hosted.git_http import ENDINGS, GitHttp
from releaser.rehearsal.forge.hosted.machinery import actions_of, add_arguments, connect
from releaser.rehearsal.forge.protection import Protection
from releaser.rehearsal.forge.releases import Releases
from releaser.rehearsal.forge.runs import Runs
from releaser.rehearsal.forge.store import ForgeStore, RefusedError
from releaser.rehearsal.forge.tokens import Caller, Tokens, refusal
from releaser.rehearsal.forge.work import Work
from releaser.rehearsal.injection import FORM, Injection, RequestFault
from releaser.rehearsal.serving import serve

# GitHub takes assets up to 2 GiB; here they pass through memory.
BODY_LIMIT = 512 << 20

# How long to wait for the directory's previous server to finish stopping.
LOCK_SECONDS = 2

API_PREFIXES = ("/repos/", "/uploads/", "/user")


def create_app(
    repository: str, store: ForgeStore, tokens: Tokens, faults: ForgeFaults, actions: Actions | None = None
) -> web.Application:
    """Return the stand-in as an aiohttp application.

    Args:
        repository: ``OWNER/NAME``.
        store: What it holds.
        tokens: Which tokens are accepted.
        faults: What is to go wrong.
        actions: Carries workflows out; without it a dispatch leaves a queued run.
    """
    middlewares = [_log_mutations(store.world / "mutations.log"), _word_errors, _guard(tokens, faults)]
    app = web.Application(middlewares=middlewares, client_max_size=BODY_LIMIT)
    app.add_routes(Releases(repository, store, faults, actions.published if actions else None).routes())
    app.add_routes(Work(repository, store).routes())
    app.add_routes(Runs(repository, store, actions).routes())
    app.add_routes(Attestations(repository, store).routes())
    app.add_routes(Environments(repository, store).routes())
    app.add_routes(Protection(repository, store).routes())
    if store.git_dir:
        app.add_routes(GitHttp(repository, store.git_dir, tokens).routes())
    if actions:
        tokens.accept_jobs(actions.tokens.find)
        connect(app, actions, tokens)
    return app


def _log_mutations(log: Path) -> Middleware:
    @web.middleware
    async def log_mutations(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if request.method in ("POST", "PUT", "PATCH", "DELETE"):
            _append(log, f"{request.method} {request.path} {answer.status}\n")
        return answer

    return log_mutations


@web.middleware
async def _word_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as error:
        return problem(422, error.message, error.errors)
    except DispatchError as error:
        return problem(error.status, error.message)
    except web.HTTPError as error:
        return problem(error.status, error.reason)


def _guard(tokens: Tokens, faults: ForgeFaults) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        await faults.delay()
        is_api = request.path.startswith(API_PREFIXES)
        if (status := faults.status(request.path)) is not None:
            return _rehearsed(status)
        if request.path.endswith(ENDINGS):
            return await handler(request)  # where git has its own way to log in
        caller = tokens.caller(request) if is_api else Caller()
        if caller is None or (is_api and faults.strikes("unauthorized")):
            return problem(401, "Bad credentials")
        if lacking := refusal(caller, request.method, request.path):
            answer = problem(403, "Resource not accessible by integration")
            answer.headers["X-Accepted-GitHub-Permissions"] = lacking
            return answer
        if request.method not in ("GET", "HEAD") and not (caller.may_write or caller.job):
            if caller.login is None:
                return problem(401, "Requires authentication")
            return problem(403, "Resource not accessible by personal access token")
        request[CALLER] = caller
        served = await handler(request)
        if caller.scopes is not None:
            served.headers["X-OAuth-Scopes"] = caller.scopes
        if caller.ends is not None:
            served.headers["GitHub-Authentication-Token-Expiration"] = caller.ends
        return served

    return guard


def _rehearsed(status: int) -> web.Response:
    if status not in (403, 429):  # GitHub answers either for its rate limits
        return problem(status, "Rehearsed fault")
    answer = problem(status, "API rate limit exceeded")
    answer.headers.update({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1)})
    return answer


def _append(log: Path, line: str) -> None:
    with log.open("a") as sink:
        sink.write(line)


def open_world(given: Namespace) -> web.Application:
    """Return the stand-in that a parsed command line describes.

    Raises:
        UsageError: The file of tokens cannot be read.
    """
    tokens = Tokens.from_file(given.token_file) if given.token_file else Tokens()
    faults = ForgeFaults(given.fault, given.world)
    store = ForgeStore(given.world, given.git_dir)
    app = create_app(given.repository, store, tokens, faults, actions_of(given, store))
    app.middlewares[:0] = [Injection(one, given.world).middleware for one in given.at]
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m releaser.rehearsal.forge``; returns the exit status."""
    given = create_parser().parse_args(arguments)
    try:
        given.world.mkdir(parents=True, exist_ok=True)
        with FileLock(given.world / ".lock", timeout=LOCK_SECONDS):
            serve(open_world(given), "forge", given.port, given.stop_with_stdin)
    except Timeout:
        error = UsageError(f"another forge serves {given.world}", "Stop it, or give another --world.")
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except ReleaserError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _repository(text: str) -> str:
    owner, slash, name = text.partition("/")
    if not (owner and slash and name) or "/" in name:
        raise ArgumentTypeError(f"{text!r} is not OWNER/NAME")
    return text


def create_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(prog="python -m releaser.rehearsal.forge", description="Serve a GitHub on loopback.")
    parser.add_argument("--world", type=Path, required=True, metavar="DIR", help="what it holds; made if missing")
    parser.add_argument("--repository", type=_repository, required=True, metavar="OWNER/NAME", help="the only one")
    parser.add_argument("--git-dir", type=Path, metavar="DIR", help="the bare repository that holds its tags")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="a token a line; without it, any will do")
    parser.add_argument(
        "--fault", type=parse_fault, action="append", default=[], metavar="NAME[=VALUE]", help=", ".join(FAULTS)
    )
    parser.add_argument("--at", type=RequestFault.parse, action="append", default=[], metavar=FORM, help="one request")
    add_arguments(parser)
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input ends")
    return parser
