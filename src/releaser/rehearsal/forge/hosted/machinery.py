"""Connects the runner of workflows to the forge's stand-in: its life, its identities, and its command line."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from aiohttp import web

from releaser.errors import UsageError
from releaser.rehearsal.actions.service import Actions
from releaser.rehearsal.actions.setting import JobFault, Setting, parse_fault
from releaser.rehearsal.forge.answers import problem
from releaser.rehearsal.forge.store import ForgeStore
from releaser.rehearsal.forge.tokens import Tokens
from releaser.rehearsal.registry.guard import PERMISSION

IDENTITIES = "/_actions/idtoken"


def connect(app: web.Application, actions: Actions, tokens: Tokens) -> None:
    """Run workflows as long as an application is served; let jobs ask for identities, and the registry for rights."""

    async def running(_app: web.Application) -> AsyncIterator[None]:
        await actions.begin()
        yield
        await actions.end()

    async def identity(request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").partition(" ")[2].strip()
        signed = actions.tokens.sign(token, request.query.get("audience"))
        return web.json_response({"value": signed}) if signed else problem(401, "Unauthorized")

    async def packages(request: web.Request) -> web.Response:
        caller, access = tokens.caller(request), request.query["access"]
        if caller is None:
            return problem(401, "Bad credentials")
        granted = caller.job.may("packages", access) if caller.job else caller.may_write
        # What is public can be read by everybody, but a permission to read is used where there is one.
        return web.Response(status=204) if granted or access == "read" else problem(403, "Forbidden")

    app.cleanup_ctx.append(running)
    app.router.add_get(IDENTITIES, identity)
    app.router.add_get(PERMISSION, packages)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what the runner is told on the command line."""
    parser.add_argument("--services", type=Path, metavar="FILE", help="run workflows, for these stand-ins")
    parser.add_argument("--oidc-secret-file", type=Path, metavar="FILE", help="holds the key that signs identities")
    parser.add_argument("--branch", default="main", help="the default branch")
    parser.add_argument("--carry", action="append", default=[], metavar="WORKFLOW", help="run no others than these")
    parser.add_argument(
        "--leave-out", action="append", nargs=2, default=[], metavar=("WORKFLOW", "REASON"), help="list it as skipped"
    )
    parser.add_argument(
        "--engine-for", action="append", default=[], metavar="WORKFLOW", help="its jobs have the container engine"
    )
    parser.add_argument(
        "--python-of-images", action="append", nargs=2, default=[], metavar=("ASKED", "VERSION"), help="run the second"
    )
    parser.add_argument("--fault-in-job", type=_fault, action="append", default=[], metavar="kill-before=JOB:STEP")


def actions_of(given: Namespace, store: ForgeStore) -> Actions | None:
    """Return the runner that a parsed command line describes; None where it describes none.

    Raises:
        UsageError: The file with the key cannot be read, or there is no repository.
    """
    if given.services is None:
        return None
    if given.git_dir is None:
        raise UsageError("--services needs the repository whose workflows are run", "Give --git-dir as well.")
    key = None
    if given.oidc_secret_file:
        try:
            key = given.oidc_secret_file.read_text("utf-8").strip()
        except OSError as error:
            path = given.oidc_secret_file
            raise UsageError(f"{path} cannot be read: {error.strerror}", "Give a file that holds the key.") from error
    setting = Setting(
        given.repository,
        given.git_dir,
        address=partial(_address, given.services),
        branch=given.branch,
        services=given.services,
        key=key,
        carried=frozenset(given.carry) or None,
        left_out=dict(given.leave_out),
        with_engine=frozenset(given.engine_for),
        pythons=dict(given.python_of_images),
        faults=tuple(given.fault_in_job),
    )
    return Actions(setting, store)


def _fault(text: str) -> JobFault:
    try:
        return parse_fault(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _address(services: Path) -> str | None:
    """Return the stand-in's own address, which the rehearsal writes there once every stand-in listens."""
    return str(json.loads(services.read_bytes())["forge"]["api_url"]) if services.exists() else None
