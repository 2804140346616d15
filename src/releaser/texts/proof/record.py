"""What a journal tells of a release: runs, steps, trials and tools."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

_Entry = dict[str, Any]

_TRIALS = ("qualify", "alone", "verify")
"""The phases whose steps try what was built."""
_MORE_TRIALS = ("inspect_dists", "inspect_uploads", "try_testpypi")
_COUNTS = re.compile(r"(\d+) passed(?:, (\d+) skipped)?")
_TOOL = re.compile(r"(\S+) (\d\S*)")


def runs(entries: Sequence[_Entry]) -> list[dict[str, Any]]:
    """Return each run: when it began and ended, how, what was called, and its steps."""
    found: list[dict[str, Any]] = []
    phase = ""
    for entry in entries:
        event = entry.get("event")
        if event == "begin":
            command = " ".join(str(word) for word in entry.get("command", ()))
            found.append({"begun": entry["at"], "ended": entry["at"], "outcome": "no end recorded", "command": command})
            found[-1]["steps"] = []
        if not found:
            continue
        run = found[-1]
        if event == "phase":
            phase = str(entry.get("phase"))
        elif event == "started":
            run["ended"] = entry["at"]
        elif event == "finished":
            run["ended"] = entry["at"]
            run["steps"].append(_step(entry, phase))
        elif event == "end":
            run |= {"ended": entry["at"], "outcome": str(entry.get("outcome"))}
    return found


def _step(entry: _Entry, phase: str) -> dict[str, Any]:
    seconds = float(entry.get("seconds", 0.0))
    begun = datetime.fromisoformat(entry["at"]) - timedelta(seconds=seconds)
    return {
        "step": entry["step"],
        "title": entry.get("title") or entry["step"],
        "phase": phase,
        "outcome": str(entry.get("outcome")),
        "says": str(entry.get("says", "")),
        "begun": begun.isoformat(timespec="milliseconds"),
        "ended": entry["at"],
        "seconds": seconds,
    }


def tests(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was tried, with counts where tests were counted: of each trial the run that took its time.

    A rerun finds a receipt, which takes no time: it says nothing of how long the trial took.
    """
    tried: dict[str, dict[str, Any]] = {}
    for step in (step for run in found for step in run["steps"]):
        if step["phase"] not in _TRIALS and step["step"] not in _MORE_TRIALS:
            continue
        before = tried.get(step["step"])
        if before and before["outcome"] == "done" == step["outcome"] and before["seconds"] > step["seconds"]:
            continue
        counts = _COUNTS.match(step["says"]) if step["step"].startswith("pass_") else None
        passed, skipped = (int(counts[1]), int(counts[2] or 0)) if counts else (None, None)
        tried[step["step"]] = {**step, "passed": passed, "skipped": skipped}
    return list(tried.values())


def left_out(found: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the steps that the last run skipped, and why."""
    steps = found[-1]["steps"] if found else []
    return [
        {"step": step["step"], "reason": step["says"]} for step in steps if step["outcome"] in ("skipped", "warned")
    ]


def tools(found: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the tools and their versions, as the newest run found them."""
    steps = [step for run in found for step in run["steps"] if step["step"] == "find_tools"]
    words = steps[-1]["says"].partition(";")[0].split(", ") if steps else []
    return [{"name": match[1], "version": match[2]} for word in words if (match := _TOOL.fullmatch(word))]
