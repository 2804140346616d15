"""The order of a page's requests about the source, which can overtake each other on their way.

A page numbers them. An offer that is still on its way when the user stops the camera would otherwise bring it back.
"""

from __future__ import annotations

import re
from collections import OrderedDict

from live_vlm_webui.errors import ConflictError, InputError

MOST_PAGES = 64
"""Pages remembered in a session; the one that was silent for longest is forgotten first."""
TURN = re.compile(r"([\w-]{1,40})\.(\d{1,9})", re.ASCII)


class Turns:
    """The last turn of each page of a session."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, int] = OrderedDict()

    def take(self, turn: str | None) -> None:
        """Begin a request.

        Args:
            turn: ``PAGE.NUMBER``; None for clients that do not number their requests.

        Raises:
            InputError: It has another form.
            ConflictError: A later request of the page has arrived before.
        """
        if turn is None:
            return
        page, number = _read(turn)
        self.check(turn)
        self._last[page] = number
        self._last.move_to_end(page)
        while len(self._last) > MOST_PAGES:
            self._last.popitem(last=False)

    def check(self, turn: str | None) -> None:
        """Raise if a later request of the page has arrived since this one was begun.

        Raises:
            ConflictError: It has.
        """
        if turn is None:
            return
        page, number = _read(turn)
        if number < self._last.get(page, 0):
            raise ConflictError(
                "This request came late: the page has stopped or replaced this source since", "Start the source again."
            )


def _read(turn: str) -> tuple[str, int]:
    found = TURN.fullmatch(turn)
    if found is None:
        raise InputError(f"turn is {turn[:60]!r} instead of a page and a number", "Send a turn such as `page.1`.")
    return found[1], int(found[2])
