"""What cannot be carried out is said in words: what happened, and what to do."""

from __future__ import annotations

import logging
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from live_vlm_webui.errors import CameraError, ModelError, RequestError, WebUIError
from live_vlm_webui.logs import shown_path

logger = logging.getLogger(__name__)

KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
PROGRAMS = ("/api/", "/offer", "/ws")
"""Paths under which errors are JSON, whatever the request accepts."""

BUG = WebUIError(
    "The server made a mistake; this is a bug.", "Try again, and report what the server's log says about it."
)


@web.middleware
async def explain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors as ``error_json`` has them to programs and to who accepts JSON, else as plain text."""
    try:
        return await handler(request)
    except WebUIError as error:
        return _response(request, status_of(error), error)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return _response(request, error.status, _in_words(request, error), error)
    except ConnectionError:  # whoever asked is gone
        raise
    except Exception:
        logger.exception("%s %s failed", request.method, shown_path(request))
        return _response(request, HTTPStatus.INTERNAL_SERVER_ERROR, BUG)


def error_json(error: WebUIError) -> dict[str, str]:
    """An error for programs: ``message``, ``remedy`` and, where there is one, ``code``."""
    code = {"code": error.code} if isinstance(error, CameraError | ModelError) else {}
    return {**code, "message": error.message, "remedy": error.remedy}


def status_of(error: WebUIError) -> int:
    """The HTTP status of an error: 4xx where the request was wrong, 502 or 504 where another server failed."""
    if isinstance(error, RequestError):
        return error.status
    if isinstance(error, CameraError | ModelError):
        if error.code == "timeout":
            return HTTPStatus.GATEWAY_TIMEOUT
        return HTTPStatus.BAD_GATEWAY
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _response(
    request: web.Request, status: int, error: WebUIError, cause: web.HTTPException | None = None
) -> web.Response:
    if request.path.startswith(PROGRAMS) or "application/json" in request.headers.get("Accept", ""):
        response = web.json_response({"status": int(status), "error": error_json(error)}, status=status)
    else:
        text = f"{error}\n".encode("utf-8", "backslashreplace")  # a path may hold what UTF-8 cannot
        response = web.Response(body=text, content_type="text/plain", charset="utf-8", status=status)
    response.headers["Cache-Control"] = "no-store"
    if not request.content.is_eof():  # the next request would have to wait for the rest of a body that nobody reads
        response.force_close()
    if isinstance(error, RequestError):
        response.headers.update(error.headers)
    for name in KEPT_HEADERS:
        if cause is not None and name in cause.headers:
            response.headers[name] = cause.headers[name]
    return response


def _in_words(request: web.Request, error: web.HTTPException) -> WebUIError:
    if isinstance(error, web.HTTPNotFound):
        return WebUIError(
            f"There is nothing at {request.path}.",
            "The page is at /, the server's health at /healthz, what programs can use in /api/openapi.json.",
        )
    if isinstance(error, web.HTTPMethodNotAllowed):
        methods = ", ".join(sorted(error.allowed_methods))
        return WebUIError(f"{request.path} does not take {request.method}.", f"It takes {methods}.")
    return WebUIError(error.text or error.reason, "Change the request; /api/openapi.json says what can be sent.")
