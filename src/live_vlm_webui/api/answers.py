"""``/api/sessions/ID/answers``: the history, its pictures, exports of both, and what was sent and came back."""

from __future__ import annotations

from aiohttp import web

from live_vlm_webui.api.keys import ENCODERS, session_of
from live_vlm_webui.errors import InputError, NotFoundError
from live_vlm_webui.http.streams import send_pieces
from live_vlm_webui.sessions import export

FORMATS = ("json", "jsonl", "csv", "zip")
MOST_DIGITS = 12
DISPOSITION = 'attachment; filename="answers.{}"'


async def history(request: web.Request) -> web.StreamResponse:
    """Send the last answers, oldest first, in the requested ``format``."""
    session = session_of(request)
    form = request.query.get("format", "json")
    answers = tuple(session.history)
    if form == "json":
        listed = [answer.to_json(session.frame_path(answer.id)) for answer in answers]
        return web.json_response({"answers": listed}, headers={"Cache-Control": "no-store"})
    if form == "jsonl":
        return _file(b"".join(export.jsonl(answers)), "application/jsonl", form)
    if form == "csv":
        return _file(b"".join(export.csv_rows(answers)), "text/csv", form)
    if form == "zip":
        headers = {"Content-Type": "application/zip", "Content-Disposition": DISPOSITION.format("zip")}
        return await send_pieces(request, export.zipped(answers, request.app[ENCODERS]), headers)
    raise InputError(f"{form[:20]!r} is not an export format", f"Use one of {', '.join(FORMATS)}.")


async def frame(request: web.Request) -> web.Response:
    """Send the newest picture that an answer is about."""
    picture = session_of(request).picture(_id_in(request))
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return web.Response(body=picture.jpeg, content_type="image/jpeg", headers=headers)


async def exchange(request: web.Request) -> web.Response:
    """Send what was sent for an answer, and what came back; never a key."""
    told = session_of(request).exchange(_id_in(request))
    return web.json_response(told, headers={"Cache-Control": "no-store"})


def _id_in(request: web.Request) -> int:
    number = request.match_info["answer"]
    if not (number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS):
        raise NotFoundError(
            f"{number[:20]!r} is not the id of an answer", "Use the path in the `frame` field of an answer."
        )
    return int(number)


def _file(body: bytes, content_type: str, form: str) -> web.Response:
    headers = {"Content-Disposition": DISPOSITION.format(form), "Cache-Control": "no-store"}
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)


ROUTES = (
    web.get("/api/sessions/{session}/answers", history),
    web.get("/api/sessions/{session}/answers/{answer}/frame.jpg", frame),
    web.get("/api/sessions/{session}/answers/{answer}/exchange", exchange),
)
