"""The repository over HTTP, by git's own `http-backend`: anyone reads, and a token pushes that may write contents."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from releaser.adapters import process
from releaser.rehearsal.forge.tokens import Caller, Tokens

ENDINGS = ("/info/refs", "/git-upload-pack", "/git-receive-pack")
BOT = "bot"
"""How the remote's hook calls a workflow's own token; see `remote`."""
_READ, _WRITE = "git-upload-pack", "git-receive-pack"


class GitHttp:
    """The routes.

    Args:
        repository: ``OWNER/NAME``.
        git_dir: The bare repository.
        tokens: Which tokens are accepted.
    """

    def __init__(self, repository: str, git_dir: Path, tokens: Tokens) -> None:
        self._repository = repository
        self._git_dir = git_dir
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        """Return what git asks for, with and without `.git` at the end of the name."""
        names = (f"/{self._repository}", f"/{self._repository}.git")
        return [
            route
            for name in names
            for route in (
                web.get(f"{name}/info/refs", self.answer),
                web.post(f"{name}/{{service:{_READ}|{_WRITE}}}", self.answer),
            )
        ]

    async def answer(self, request: web.Request) -> web.Response:
        """GET or POST: one step of git's protocol."""
        service = request.match_info.get("service") or request.query.get("service")
        if service not in (_READ, _WRITE):
            return web.Response(status=403, text="Please upgrade your git client.\n")
        caller = self._tokens.caller(request)
        if caller is None or (service == _WRITE and caller.login is None):
            headers = {"WWW-Authenticate": 'Basic realm="GitHub"'}
            return web.Response(status=401, text="Invalid username or token.\n", headers=headers)
        if service == _WRITE and not (caller.job.may("contents", "write") if caller.job else caller.may_write):
            denied = f"Permission to {self._repository}.git denied to {caller.login}.\n"
            return web.Response(status=403, text=denied)
        if service == _READ and caller.job:
            caller.job.may("contents", "read")
        return await asyncio.to_thread(self._backend, request, service, caller, await request.read())

    def _backend(self, request: web.Request, service: str, caller: Caller, body: bytes) -> web.Response:
        ending = "/info/refs" if request.method == "GET" else f"/{service}"
        env = {
            "GIT_PROJECT_ROOT": str(self._git_dir.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            "PATH_INFO": f"/{self._git_dir.name}{ending}",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.query_string,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),  # as it is now: aiohttp has unpacked it
            "REMOTE_USER": BOT if caller.job else caller.login or "",
            "REMOTE_ADDR": request.remote or "",
        }
        answer = process.ask(["git", "http-backend"], cwd=self._git_dir, env=env, stdin=body, check=False)
        head, _, content = answer.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode("latin-1").splitlines() if ": " in line)
        status = int(headers.pop("Status", "200" if answer.status == 0 else "500").split()[0])
        return web.Response(status=status, body=content, headers=headers)
