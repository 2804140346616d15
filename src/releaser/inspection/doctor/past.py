"""Explain releases that did not end well, from their journals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from releaser.core.chain import read_chain
from releaser.inspection.findings import Findings

_BAD = ("failed", "conflict")


def look_at_past(project: Path) -> list[Findings]:
    """Look at the journal of each version of a project.

    Args:
        project: The directory with a directory for each version.
    """
    notes = Findings("releases before")
    for journal in sorted(project.glob("*/journal.jsonl")):
        _explain(notes, journal)
    if not notes.found:
        notes.none("journals", f"there are none in {project}")
    return [notes]


def _explain(notes: Findings, journal: Path) -> None:
    version = journal.parent.name
    try:
        chain = read_chain(journal)
    except OSError as error:
        notes.warning(version, f"{journal} cannot be read: {error.strerror}", "Make it readable.")
        return
    again = f"Run `invoke status --version {version}`, then `invoke release --version {version}`."
    if chain.problem:
        notes.wrong(
            version, f"the journal {chain.problem}", f"Look at {journal} before you trust what it says. {again}"
        )
        return
    run = _last_run(chain.entries)
    if not run:
        return
    begun, end = run[0], run[-1] if run[-1].get("event") == "end" else None
    when = str(begun.get("at", ""))[:19].replace("T", " ")
    if end is None:
        step = next((one["step"] for one in reversed(run) if one.get("event") == "started"), "before its first step")
        notes.warning(
            version, f"the run of {when} UTC has no end: it was killed or is running; last step: {step}", again
        )
        return
    if end.get("outcome") == "done":
        notes.right(version, f"the run of {when} UTC is done")
        return
    failed = [one for one in run if one.get("event") == "finished" and one.get("outcome") in _BAD]
    said = [f"{one.get('step')}: {one.get('says')}" for one in failed] or [str(end.get("message") or "nothing more")]
    text = f"the run of {when} UTC ended with {end.get('outcome')}: {'; '.join(dict.fromkeys(said))}"
    notes.wrong(version, text, f"Fix what it names. {again}")


def _last_run(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the events of the newest run that was to release; looks at and receipts between runs are none."""
    begins = [number for number, one in enumerate(entries) if one.get("event") == "begin"]
    run = list(entries[begins[-1] :]) if begins else []
    end = next((number for number, one in enumerate(run) if one.get("event") == "end"), None)
    return run if end is None else run[: end + 1]
