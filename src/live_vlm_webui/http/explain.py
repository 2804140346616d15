"""Turn errors into responses: what happened, and what to do."""

from __future__ import annotations

import logging
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from live_vlm_webui.errors import CameraError, ModelError, RequestError, WebUIError
from live_vlm_webui.logs import shown_path
from live_vlm_webui.network.roots import path_of

logger = logging.getLogger(__name__)

KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")
PROGRAMS = ("/api/", "/offer", "/ws")
"""Paths below which errors are always JSON."""

BUG = WebUIError("The server failed because of a bug", "Try again, and report what the server's log says about it.")


@web.middleware
async def explain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Send errors as JSON (see ``error_json``) to programs and clients that accept JSON, else as plain text."""
    try:
        return await handler(request)
    except WebUIError as error:
        return _response(request, status_of(error), error)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return _response(request, error.status, _as_error(request, error), error)
    except ConnectionError:  # the client is gone
        raise
    except Exception:
        logger.exception("%s %s failed", request.method, shown_path(request))
        return _response(request, HTTPStatus.INTERNAL_SERVER_ERROR, BUG)


def error_json(error: WebUIError) -> dict[str, str]:
    """Return an error for programs: ``message``, ``remedy`` and, for some errors, ``code``."""
    code = {"code": error.code} if isinstance(error, CameraError | ModelError) else {}
    return {**code, "message": error.message, "remedy": error.remedy}


def status_of(error: WebUIError) -> int:
    """Return the HTTP status of an error: 4xx for invalid requests, 502 or 504 if another server failed."""
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
    if path_of(request).startswith(PROGRAMS) or "application/json" in request.headers.get("Accept", ""):
        response = web.json_response({"status": int(status), "error": error_json(error)}, status=status)
    else:
        text = f"{error}\n".encode("utf-8", "backslashreplace")  # a path may contain lone surrogates
        response = web.Response(body=text, content_type="text/plain", charset="utf-8", status=status)
    response.headers["Cache-Control"] = "no-store"
    if not request.content.is_eof():  # the next request would wait for the rest of an unread body
        response.force_close()
    if isinstance(error, RequestError):
        response.headers.update(error.headers)
    for name in KEPT_HEADERS:
        if cause is not None and name in cause.headers:
            response.headers[name] = cause.headers[name]
    return response


def _as_error(request: web.Request, error: web.HTTPException) -> WebUIError:
    if isinstance(error, web.HTTPNotFound):
        return WebUIError(
            f"There is nothing at {request.path}",
            "Open the page at /; /healthz reports the server's health, /api/openapi.json describes the API.",
        )
    if isinstance(error, web.HTTPMethodNotAllowed):
        methods = ", ".join(sorted(error.allowed_methods))
        return WebUIError(f"{request.path} does not accept {request.method}", f"Use {methods}.")
    return WebUIError(error.text or error.reason, "Correct the request; /api/openapi.json describes the API.")
