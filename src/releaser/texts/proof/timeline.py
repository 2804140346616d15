"""The steps of a release over time, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import Any

_MOST_ROWS = 24
_SHORTEST_S = 0.1
_ROW = 34
_TOP = 22


def timeline(runs: Sequence[dict[str, Any]]) -> str:
    """Return an inline SVG: a bar for each of the longest steps, in the order of time; runs follow each other.

    Widths are shares of the picture and text is not scaled, so that it can be read on a phone and on paper.
    """
    offsets, total = _offsets(runs)
    steps = [(offset, run, step) for offset, run in zip(offsets, runs, strict=True) for step in run["steps"]]
    longest = sorted(steps, key=lambda one: -one[2]["seconds"])[:_MOST_ROWS]
    shortest = max(_SHORTEST_S, longest[-1][2]["seconds"] if longest else 0.0)
    shown = [one for one in steps if one[2]["seconds"] >= shortest][:_MOST_ROWS]
    rows = [_row(number, offset, run, step, total) for number, (offset, run, step) in enumerate(shown)]
    height = _TOP + _ROW * len(rows) + 4
    lines = [
        f'<line class="run" x1="{100 * offset / total:.2f}%" x2="{100 * offset / total:.2f}%" y1="16" y2="{height}"/>'
        for offset in offsets[1:]
    ]
    ends = f'<text x="0" y="12">0 s</text><text x="100%" y="12" text-anchor="end">{in_words(total)}</text>'
    picture = (
        f'<svg role="img" aria-label="Steps over time" width="100%" height="{height}">{ends}'
        f"{''.join(lines)}{''.join(rows)}</svg>"
    )
    rest = len(steps) - len(shown)
    return picture + (
        f'<p class="quiet">{rest} further steps took no more than {in_words(shortest)} each.</p>' if rest else ""
    )


def in_words(seconds: float) -> str:
    """Return a duration as people write it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _row(number: int, offset: float, run: dict[str, Any], step: dict[str, Any], total: float) -> str:
    begun = max(0.0, offset + _between(run["begun"], step["begun"]))
    share = max(0.3, min(100 * step["seconds"] / total, 100.0))
    left, y = min(100 * begun / total, 100.0 - share), _TOP + _ROW * number
    kind = step["outcome"] if step["outcome"] in ("done", "skipped", "warned") else "failed"
    return (
        f"<g><title>{escape(step['title'])}</title>"
        f'<text x="0" y="{y + 13}">{escape(step["step"])}, {in_words(step["seconds"])}</text>'
        f'<rect class="track" x="0" y="{y + 18}" width="100%" height="8" rx="2"/>'
        f'<rect class="{kind}" x="{left:.2f}%" y="{y + 18}" width="{share:.2f}%" height="8" rx="2"/></g>'
    )


def _offsets(runs: Sequence[dict[str, Any]]) -> tuple[list[float], float]:
    """Return where each run begins if they follow each other without a pause, and how long they take together."""
    offsets, total = [], 0.0
    for run in runs:
        offsets.append(total)
        total += max(0.001, _between(run["begun"], run["ended"]))
    return offsets, max(total, 0.001)


def _between(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
