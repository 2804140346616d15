"""The reader of event streams (``text/event-stream``), by the rules of the HTML standard.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventTooLongError(Exception):
    """An event that is longer than is read."""


class EventStream:
    """Puts the pieces of a stream together to events.

    Lines end with LF, CR or CRLF; an event's ``data`` lines are joined by LF; comments and other fields are left out.
    However the stream was cut into pieces, each byte is looked at a fixed number of times.

    Args:
        longest: Of one event, in bytes.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0
        self._after_cr = False
        self._at_start = True

    def feed(self, piece: bytes) -> list[bytes]:
        """Take the next piece, and return the data of the events that it completes.

        Raises:
            EventTooLongError: An event is longer than is read.
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
        """At the stream's end: the data of an event that lacks only the empty line after it.

        The standard drops it; servers that leave out the line mean it to be read.
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
