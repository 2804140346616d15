"""The path below which a reverse proxy serves this server.

A proxy that removes it from requests needs no setting: the page uses relative addresses only.
"""

from __future__ import annotations

from aiohttp import web

ROOT_PATH: web.AppKey[str] = web.AppKey("root_path", str)
"""``Settings.root_path``; an application without it is served at the root."""


def path_of(request: web.Request) -> str:
    """Return the path of ``request`` below the root path."""
    root = request.app.get(ROOT_PATH, "")
    return request.path.removeprefix(root) or "/" if f"{request.path}/".startswith(f"{root}/") else request.path


def below(root: str, routes: tuple[web.RouteDef, ...]) -> tuple[web.RouteDef, ...]:
    """Return ``routes`` below ``root``, where ``root`` itself leads to ``root/``; none if ``root`` is empty."""
    if not root:
        return ()

    async def add_slash(request: web.Request) -> web.Response:
        raise web.HTTPPermanentRedirect(request.rel_url.with_path(f"{root}/").with_query(request.rel_url.query))

    return (
        web.get(root, add_slash),
        *(web.route(one.method, f"{root}{one.path}", one.handler, **one.kwargs) for one in routes),
    )
