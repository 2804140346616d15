"""Parse event streams (``text/event-stream``) by the rules of the HTML standard.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLongError(Exception):
    """An event exceeds the size limit."""


class EventStream:
    """Assembles events from the pieces of a stream.

    Lines end with LF, CR or CRLF; an event's ``data`` lines are joined by LF; comments and other fields are ignored.
    Each byte is processed a fixed number of times, however the stream is split.

    Args:
        longest: The largest event, in bytes.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._at_start = True

    def feed(self, piece: bytes) -> list[bytes]:
        """Process a piece, and return the data of the events that it completes.

        Raises:
            EventTooLongError: An event exceeds the size limit.
        """
        if not piece:
            return []
        if self._after_cr and piece.startswith(b"\n"):
            piece = piece[1:]
        self._after_cr = piece.endswith(b"\r")
        events: list[bytes] = []
        for line in piece.splitlines(keepends=True):
            self._size += len(line)
            if self._size > self._longest:
                raise EventTooLongError
            if not line.endswith((b"\n", b"\r")):
                self._line.append(line)
                break
            whole = b"".join((*self._line, line)).rstrip(b"\r\n")
            self._line.clear()
            if self._at_start:
                whole = whole.removeprefix(BYTE_ORDER_MARK)
                self._at_start = False
            if whole:
                self._take(whole)
            else:
                events.extend(self._dispatch())
        return events

    def close(self) -> list[bytes]:
        """Finish the stream; return the data of a last event that lacks only its empty line.

        The standard drops such an event, but some servers omit the line.
        """
        if self._line:
            self._take(b"".join(self._line))
            self._line.clear()
        return self._dispatch()

    def _take(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value[1:] if value.startswith(b" ") else value)

    def _dispatch(self) -> list[bytes]:
        events = [b"\n".join(self._data)] if self._data else []
        self._data.clear()
        self._size = 0
        return events
