"""Look without changing anything: `verify`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from releaser.commands.opening import opened_release
from releaser.inspection.findings import as_json, counted, refusal, table
from releaser.inspection.verify.look import look


def verify(start: Path, version: str | None, *, json: bool) -> None:
    """Run `invoke verify`.

    Raises:
        StepError: Something that is published is wrong.
        WaitTimeoutError: Something could not be asked.
    """
    opened = opened_release(start, version)
    redact, what = opened.redactor(), f"{opened.config.distribution} {opened.version}"

    def tell(text: str) -> None:
        print(f"{text} ...", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="releaser-verify-") as scratch:
        found = look(opened, Path(scratch).resolve(), tell)
    if json:
        print(as_json(found, redact, distribution=opened.config.distribution, version=str(opened.version)))
    else:
        print(f"{what}: what is published\n")
        print(table(found, redact))
        print(f"\n{counted(found)}")
    if error := refusal(found, what):
        raise error.reworded(redact(error.message), redact(error.remedy))
