"""Look without changing anything: `verify`, `doctor`, `setup`, `status --checklist`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from releaser.commands.checkout import declared_version
from releaser.commands.opening import opened_release
from releaser.errors import StepError
from releaser.inspection.checklist import boxes
from releaser.inspection.doctor.examine import examine
from releaser.inspection.findings import Finding, as_json, counted, refusal, table
from releaser.inspection.setup.sections import as_text, sections
from releaser.inspection.verify.look import look
from releaser.release import Release
from releaser.versions.version import Version


def verify(start: Path, version: str | None, *, json: bool) -> None:
    """Run `invoke verify`.

    Raises:
        StepError: Something that is published is wrong.
        WaitTimeoutError: Something could not be asked.
    """
    opened = opened_release(start, version)
    what = f"{opened.config.distribution} {opened.version}"

    def tell(text: str) -> None:
        print(f"{text} ...", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="releaser-verify-") as scratch:
        found = look(opened, Path(scratch).resolve(), tell)
    _show(opened, found, f"{what}: what is published", what, json=json)


def doctor(start: Path, version: str | None, *, json: bool) -> None:
    """Run `invoke doctor`, for the patch version after the one that the project declares if none is given.

    Raises:
        StepError: Something would go wrong.
        WaitTimeoutError: Something could not be asked.
    """
    declared = declared_version(start)
    opened = opened_release(start, version or str(Version.parse(declared).next_versions()["patch"]))
    what = f"{opened.config.distribution} {opened.version}"
    _show(opened, examine(opened), f"{what}: what a release needs", what, json=json)


def setup(start: Path) -> None:
    """Run `invoke setup`.

    Raises:
        StepError: The workflows of the checkout do not fit the configuration.
    """
    opened = opened_release(start, declared_version(start))
    found, redact = sections(opened), opened.redactor()
    print(redact(f"{opened.config.distribution}: what to set up once, by hand\n\n{as_text(found)}"))
    if problems := [what for section in found for what, _ in section.problems]:
        raise StepError(redact(f"What is set up would not work: {'; '.join(problems)}"), "Follow the remedies above.")


def checklist(start: Path, version: str | None, *, tick: Sequence[str] = (), json: bool = False) -> None:
    """Run `invoke status --checklist`, after boxes were ticked if some are named."""
    opened = opened_release(start, version)
    boxes.tick(opened, tick)
    newest, redact = boxes.newest_runs(opened) if json else None, opened.redactor()
    found = boxes.boxes(opened, newest)
    if json:
        print(redact(boxes.as_json(opened, found, newest)))
        return
    print(f"{opened.config.distribution} {opened.version}: checklists\n")
    print(redact(boxes.as_text(found)))


def _show(opened: Release, found: Sequence[Finding], title: str, what: str, *, json: bool) -> None:
    redact = opened.redactor()
    if json:
        print(as_json(found, redact, distribution=opened.config.distribution, version=str(opened.version)))
    else:
        print(f"{title}\n\n{table(found, redact)}\n\n{counted(found)}")
    if error := refusal(found, what):
        raise error.reworded(redact(error.message), redact(error.remedy))
