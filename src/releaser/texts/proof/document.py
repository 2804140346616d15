"""The proof of a release as a JSON document: claims, the record that they were taken from, and hashes over both.

The claims' hash is the last event of the record, so that one hash stands for everything: the record's last. It proves
nothing until it is compared with one from elsewhere, such as the release's notes. `scripts/prove.py` checks all of it
without this package; `docs/report.schema.json` describes the document.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from releaser.adapters.registry.oci import images as images_of
from releaser.core.chain import digest
from releaser.core.files import write_atomically
from releaser.core.holder import now
from releaser.dists.built import Dists
from releaser.errors import ConflictError
from releaser.images import of_release
from releaser.images.tags import Tag
from releaser.release import Release
from releaser.store import broken_journal
from releaser.texts.proof import page, record
from releaser.texts.services import Services, served

Workflows = Callable[[Release], list[dict[str, object]]]

SCHEMA = 1


def serialized(value: object) -> bytes:
    """Return the only form of a document that counts, so that a change to any byte of it shows."""
    return (json.dumps(value, indent=1, ensure_ascii=True) + "\n").encode("ascii")


def names(dists: Dists) -> tuple[str, str]:
    """Return the names of the document and of its page, as they are attached to a release."""
    stem = dists.sdist.name.removesuffix(".tar.gz")
    return f"{stem}.report.json", f"{stem}.report.html"


def write(
    release: Release, directory: Path, workflows: Workflows, services: Services | None = None
) -> tuple[Path, Path]:
    """Write the proof into a directory, and to the journal that it was made; return the paths of document and page.

    The caller holds the lock.

    Args:
        release: The release.
        directory: Where to write.
        workflows: Returns the newest run of each of the release's workflows, as data; asks the forge.
        services: Asks the services.

    Raises:
        ConflictError: The journal or the built files are not what was written.
        UsageError: Nothing is built.
    """
    chain = release.store.chain
    if chain.problem:
        raise ConflictError(*broken_journal(chain))
    dists = release.built()
    claims = _claims(release, dists, chain.entries, lambda: workflows(release), services or Services())
    release.journal.write("reported", claims=hashlib.sha256(serialized(claims)).hexdigest())
    lines = [line.decode() for line in release.store.journal.read_bytes().splitlines()]
    json_name, page_name = names(dists)
    shown = page.compose(claims, digest(lines[-1].encode()), json_name)
    sealed: dict[str, Any] = {
        "schema": SCHEMA,
        "claims": claims,
        "journal": {"lines": lines, "last": digest(lines[-1].encode())},
        "page": {"name": page_name, "sha256": hashlib.sha256(shown).hexdigest()},
    }
    sealed["digest"] = hashlib.sha256(serialized(sealed)).hexdigest()
    directory.mkdir(parents=True, exist_ok=True)
    document, pictured = directory / json_name, directory / page_name
    write_atomically(pictured, shown)
    write_atomically(document, serialized(sealed))
    return document, pictured


def last_hash(path: Path) -> str:
    """Return the hash of the journal's last line in a document."""
    return str(json.loads(path.read_bytes())["journal"]["last"])


def _claims(
    release: Release,
    dists: Dists,
    entries: Sequence[dict[str, Any]],
    workflows: Callable[[], list[dict[str, object]]],
    services: Services,
) -> dict[str, Any]:
    """Return what the document says, without secrets."""
    config, runs = release.config, record.runs(entries)
    newest = {step["step"]: step["outcome"] for run in runs for step in run["steps"]}
    found = services.ask("the forge", lambda: release.forge.find_release(release.tag), None)
    places = {"PyPI": served(release, "pypi", services)}
    if newest.get("upload_testpypi") == "done":
        places = {"TestPyPI": served(release, "testpypi", services), **places}
    places["release"] = {asset.name: asset.sha256 or "" for asset in found.assets} if found else {}
    silent = {"TestPyPI": "testpypi", "PyPI": "pypi", "release": "the forge"}
    tag = release.git.tag(release.tag)
    no_runs: list[dict[str, object]] = []
    claims = {
        "distribution": config.distribution,
        "version": str(release.version),
        "commit": release.commit(),
        "tag": {"name": release.tag, "annotated": tag.annotated, "commit": tag.commit} if tag else None,
        "made_at": now(),
        "release": {"title": found.name, "url": found.url, "draft": found.draft, "prerelease": found.prerelease}
        if found
        else None,
        "notes": release.notes(),
        "pages": {"PyPI": release.pypi.page(config.distribution, release.version)},
        "files": [
            {
                "name": name,
                "size": (dists.directory / name).stat().st_size,
                "sha256": sha256,
                "elsewhere": [
                    {"place": place, **_compared(sha256, there.get(name), asked=silent[place] not in services.silent)}
                    for place, there in places.items()
                    if place == "release" or name in dists.upload_sha256
                ],
            }
            for name, sha256 in sorted(dists.assets.items())
        ],
        "images": _images(release, newest.get("push_images") == "done", services),
        "workflows": services.ask("the workflows", workflows, no_runs),
        "not_asked": [{"service": one, "reason": why} for one, why in services.silent.items()],
        "tests": record.tests(runs),
        "left_out": record.left_out(runs),
        "runs": runs,
        "tools": [*record.tools(runs), {"name": "Python", "version": platform.python_version()}],
        "platform": f"{platform.system()}-{platform.release()}-{platform.machine()}",
    }
    hidden: dict[str, Any] = json.loads(release.redactor()(json.dumps(claims)))
    return hidden


def _compared(sha256: str, there: str | None, *, asked: bool) -> dict[str, str | None]:
    if there is None or there == "":
        return {"state": "absent" if asked and there is None else "unknown", "sha256": None}
    return {"state": "same" if there == sha256 else "other", "sha256": there}


def _images(release: Release, pushed: bool, services: Services) -> list[dict[str, Any]]:
    """Return every image with its tags; a registry that nothing was pushed to is not asked."""
    held = services.ask("the registry", lambda: of_release.held(release, pushed=pushed), None)
    if held is None:
        return []
    source, roots = held
    nothing: tuple[Tag, ...] = ()
    tags = services.ask("the registry", lambda: of_release.tags(release), nothing) if pushed else nothing
    return [
        {
            "name": name,
            "digest": root.digest,
            "platforms": [image.platform for image in images_of(source, root)],
            "repository": release.registry.repository if pushed else None,
            "tags": [
                {
                    "name": tag.name,
                    "digest": services.ask("the registry", partial(release.registry.digest, tag.name), None),
                }
                for tag in tags
                if tag.target == name
            ],
        }
        for name, root in roots.items()
    ]
