"""Leave the proof of a release: a document with the whole record, and a page that shows it."""

from __future__ import annotations

from pathlib import Path

from releaser.commands.opening import opened_release
from releaser.errors import ReleaserError
from releaser.release import Release
from releaser.steps.ci import taking_part
from releaser.texts.proof import document
from releaser.texts.services import Services


def report(start: Path, version: str | None, out: Path | None) -> None:
    """Run `invoke report`: ask the services, write document and page, and say where they are.

    Raises:
        ReleaserError: Nothing is kept of the release, or what is kept is not what was written.
    """
    opened, services = opened_release(start, version), Services()
    opened.store.require_journal()
    with opened.store.locked():
        written = document.write(opened, out or opened.store.path, taking_part.told, services)
    _say(opened, written, services)


def leave_proof(opened: Release, services: Services) -> None:
    """Write document and page of a release that has ended; if they cannot be written, say why."""
    try:
        with opened.store.locked():
            written = document.write(opened, opened.store.path, taking_part.told, services)
    except (ReleaserError, OSError) as error:  # what they report has been done all the same
        print(f"No page and no JSON of this report were written: {opened.redactor()(str(error))}")
        return
    _say(opened, written, Services())


def _say(opened: Release, written: tuple[Path, Path], services: Services) -> None:
    redact = opened.redactor()
    for service, reason in services.silent.items():
        print(redact(f"Not asked: {service}: {reason}"))
    proof, page = written
    print(f"The report as a page: {page}")
    print(f"The same as JSON, with the journal: {proof}")
    print(f"Its last hash: {document.last_hash(proof)}")
