"""Export the history as JSONL, CSV, or a zip of both with the pictures.

Exports are created in pieces and need no more memory than their largest answer.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import AsyncGenerator, Iterable, Iterator
from concurrent.futures import Executor

from live_vlm_webui.media.picture import Picture
from live_vlm_webui.sessions.history import Answer

COLUMNS = ("id", "at", "model", "server", "api_base", "prompt", "system_prompt", "text", "frame", "frames")
FIGURES = (
    "capture_age",
    "queue",
    "encode",
    "overhead",
    "first_token",
    "total",
    "tokens",
    "tokens_per_second",
    "frames_skipped",
)
FORMULA_STARTS = "=+-@＝＋－＠"
"""Characters that make a spreadsheet evaluate a cell. Source: OWASP, "CSV Injection"."""
PIECE_BYTES = 256 * 1024
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def frame_names(answer: Answer) -> tuple[str, ...]:
    """Return file names for the pictures of an answer, oldest first."""
    if len(answer.pictures) == 1:
        return (f"frames/{answer.id:06d}.jpg",)
    return tuple(f"frames/{answer.id:06d}-{number}.jpg" for number in range(1, len(answer.pictures) + 1))


def jsonl(answers: Iterable[Answer]) -> Iterator[bytes]:
    """Yield one line of JSON per answer."""
    for answer in answers:
        line = {**answer.to_json(frame_names(answer)[-1]), "frames": frame_names(answer)}
        yield f"{json.dumps(line, ensure_ascii=False)}\n".encode()


def csv_rows(answers: Iterable[Answer]) -> Iterator[bytes]:
    """Yield a header and one record per answer (RFC 4180); texts that a spreadsheet would evaluate are escaped."""
    yield _record((*COLUMNS, *FIGURES))
    for answer in answers:
        texts = (
            answer.model.name,
            answer.model.server,
            answer.model.api_base,
            answer.prompt,
            answer.system_prompt,
            answer.text,
            frame_names(answer)[-1],
        )
        numbers = answer.numbers.to_json()
        figures = ("" if numbers[name] is None else numbers[name] for name in FIGURES)
        yield _record((answer.id, answer.at, *map(inert, texts), len(answer.pictures), *figures))


def inert(cell: str) -> str:
    """Return ``cell``, marked as text if a spreadsheet would evaluate it as a formula."""
    return f"'{cell}" if cell[:1] in {"\t", "\r", "\n"} or cell.lstrip()[:1] in set(FORMULA_STARTS) else cell


async def zipped(answers: Iterable[Answer], executor: Executor) -> AsyncGenerator[bytes, None]:
    """Yield a zip of ``answers.jsonl``, ``answers.csv`` and the pictures, created in the threads of ``executor``."""
    loop = asyncio.get_running_loop()
    pieces = zip_pieces(tuple(answers))
    while piece := await loop.run_in_executor(executor, next, pieces, b""):
        yield piece


def zip_pieces(answers: tuple[Answer, ...]) -> Iterator[bytes]:
    """Yield the zip like ``zipped``, in the calling thread. No piece is empty."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, lines in (("answers.jsonl", jsonl(answers)), ("answers.csv", csv_rows(answers))):
            with archive.open(_entry(name, zipfile.ZIP_DEFLATED), "w") as file:
                for line in lines:
                    file.write(line)
                    yield from sink.take(PIECE_BYTES)
        for name, picture in _pictures(answers):
            archive.writestr(_entry(name, zipfile.ZIP_STORED), picture.jpeg)
            yield from sink.take(PIECE_BYTES)
    yield from sink.take(1)


def _pictures(answers: Iterable[Answer]) -> Iterator[tuple[str, Picture]]:
    for answer in answers:
        yield from zip(frame_names(answer), answer.pictures, strict=True)


def _entry(name: str, method: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, ZIP_EPOCH)
    entry.compress_type = method
    entry.external_attr = 0o644 << 16
    return entry


def _record(cells: Iterable[object]) -> bytes:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_MINIMAL).writerow(list(cells))
    return line.getvalue().encode()


class _Sink(io.RawIOBase):
    """An unseekable file that buffers what a zip writes until it is taken."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        size = len(self._held)
        self._held += memoryview(data)  # type: ignore[arg-type]  # any buffer
        return len(self._held) - size

    def take(self, least: int) -> Iterator[bytes]:
        if len(self._held) >= least:
            piece = bytes(self._held)
            self._held.clear()
            yield piece
