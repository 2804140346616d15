"""``/api/login``: whether a browser is signed in; signing in and out, and letting another browser in."""

from __future__ import annotations

import asyncio

from aiohttp import web

from live_vlm_webui.errors import ConflictError, InputError
from live_vlm_webui.http.body import check_names, read_json, text_of
from live_vlm_webui.security.invitation import PATH_PATTERN, link, page_for_others, qr_picture
from live_vlm_webui.security.login import CODE_SECONDS, LOGIN, PATH, SESSION_SECONDS, cookie_names

LONGEST_SECRET = 4096
LONGEST_PATH = 512
BODY_BYTES = 16 * 1024


def is_https(request: web.Request) -> bool:
    """Return whether the browser uses HTTPS, possibly terminated by a proxy."""
    return request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"


async def show(request: web.Request) -> web.Response:
    """Send whether the client must sign in, and whether it is signed in."""
    login = request.app[LOGIN]
    return _answer(login.is_required(request), signed_in=login.is_signed_in(request))


async def sign_in(request: web.Request) -> web.Response:
    """Check a token or one-time code, and set a cookie."""
    login = request.app[LOGIN]
    body = await read_json(request, BODY_BYTES)
    check_names(body, "token", "code")
    if len(body) != 1:
        raise InputError("The body must contain either a token or a code", 'Send {"token": "..."} or {"code": "..."}.')
    (name,) = body
    value = text_of(body, name, LONGEST_SECRET)
    if not login.is_required(request):
        return _answer(required=False, signed_in=True)
    cookie = login.sign_in(request, **{name: value})
    response = _answer(required=True, signed_in=True)
    secure = is_https(request)
    set_cookie(response, cookie_names(request)[0 if secure else 1], cookie, int(SESSION_SECONDS), secure)
    return response


async def sign_out(request: web.Request) -> web.Response:
    """Sign this browser out."""
    login = request.app[LOGIN]
    login.sign_out(request)
    response = _answer(required := login.is_required(request), signed_in=not required)
    for name in cookie_names(request):
        if name in request.cookies:
            set_cookie(response, name, "", 0, is_https(request))
    return response


async def invite(request: web.Request) -> web.Response:
    """Create a one-time code for another browser, and send it as a link and as a QR code."""
    login = request.app[LOGIN]
    body = await read_json(request, BODY_BYTES)
    check_names(body, "path")
    path = text_of(body, "path", LONGEST_PATH)
    if not PATH_PATTERN.fullmatch(path):
        raise InputError("'path' is not the path of a page", "Send the path of the page in the browser, such as '/'.")
    if not login.is_required(request):
        raise ConflictError("This server requires no signing in", "Open its address without a code.")
    page = page_for_others(request, login.settings, path, is_https(request))
    url = link(page, login.make_code())
    picture = await asyncio.to_thread(qr_picture, url)
    told = {"url": url, "seconds": CODE_SECONDS, "qr": picture}
    return web.json_response(told, headers={"Cache-Control": "no-store"})


def set_cookie(response: web.Response, name: str, value: str, max_age: int, secure: bool) -> None:
    """Set a cookie that scripts and other sites cannot read; with ``max_age`` 0, delete it."""
    response.set_cookie(name, value, max_age=max_age, path="/", secure=secure, httponly=True, samesite="Strict")


def _answer(required: bool, signed_in: bool) -> web.Response:
    return web.json_response({"required": required, "signed_in": signed_in}, headers={"Cache-Control": "no-store"})


ROUTES = (web.get(PATH, show), web.post(PATH, sign_in), web.delete(PATH, sign_out), web.post(f"{PATH}/code", invite))
