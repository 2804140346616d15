"""What the index serves of a version, and how its page looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from releaser.adapters.index import readme, rules
from releaser.adapters.index.files import IndexFile
from releaser.adapters.index.provenance import Attestation
from releaser.adapters.index.responses import ReleasePage
from releaser.inspection.findings import Findings
from releaser.inspection.verify.links import Link
from releaser.release import Release


def look_at_files(release: Release, files: Mapping[str, IndexFile]) -> list[Findings]:
    """Look at the list of files: which kinds, hashes, yanked or not."""
    notes = Findings("index")
    if not files:
        notes.wrong(
            "files",
            f"{release.pypi.name} has no {release.config.distribution} {release.version}",
            f"Check the version, or publish it with `invoke release --version {release.version}`.",
        )
        return [notes]
    for name, file in files.items():
        if file.sha256:
            notes.right(name, f"sha256 {file.sha256}")
        else:
            notes.unproven(name, "the index lists no sha256")
    for ending, kind in ((".tar.gz", "sdist"), (".whl", "wheel")):
        if not any(name.endswith(ending) for name in files):
            notes.warning(kind, f"there is no {kind}", "Check what was uploaded.")
    reasons = [file.yanked or "no reason given" for file in files.values() if file.yanked is not None]
    if reasons:
        notes.warning(
            "yanked",
            f"{len(reasons)} of {len(files)} files: {', '.join(dict.fromkeys(reasons))}",
            f"Un-yank it (`invoke yank --version {release.version} --undo`), or release a patch version.",
        )
    else:
        notes.right("yanked", "no")
    return [notes]


def look_at_page(release: Release, page: ReleasePage | None, metadata: Mapping[str, str]) -> list[Findings]:
    """Compare the page with the metadata in the wheel; render its description.

    Args:
        release: The release.
        page: The page's data; None where there is none.
        metadata: The wheel's; empty where there is no wheel.
    """
    notes, where = Findings("page"), release.pypi.page(release.config.distribution, release.version)
    if page is None:
        notes.wrong("page", f"there is none at {where}", "Wait a few minutes: it lags behind the files.")
        return [notes]
    shown = {"Version": page.version, "Summary": page.summary, "Requires-Python": page.requires_python}
    wanted = {"Version": release.version.pep440, **{key: metadata[key] for key in shown if key in metadata}}
    differing = [
        f"{key} is {shown[key]!r}; the wheel has {text!r}" for key, text in wanted.items() if shown[key] != text
    ]
    if differing:
        notes.wrong("metadata", "; ".join(differing), f"Look at {where}.")
    else:
        notes.right("metadata", ", ".join(f"{key} {text}" for key, text in wanted.items()))
    look_at_description(notes, page)
    return [notes]


def look_at_description(notes: Findings, page: ReleasePage) -> None:
    """Render the description as PyPI does."""
    text = page.description or ""
    if not text.strip():
        notes.wrong("readme", "the page has no description", "Name one in pyproject.toml, and release a patch version.")
        return
    kind, variant = rules.description_type({"description_content_type": page.description_content_type or ""})
    rendered = readme.render(text, kind, variant)
    if rendered.html is None:
        notes.wrong("readme", f"it does not render: {rendered.problem}", "Fix it, and release a patch version.")
    elif rendered.relative:
        dead = "; ".join(map(str, rendered.relative[:5]))
        count = len(rendered.relative)
        notes.warning("readme", f"it renders, but {count} addresses lead nowhere: {dead}", "Write absolute addresses.")
    else:
        notes.right("readme", f"{kind} renders, {len(text):,} characters; no relative addresses")


def look_at_links(links: Sequence[Link]) -> list[Findings]:
    """Say which of the page's links answer."""
    notes = Findings("page")
    dead = [link for link in links if not link.answers]
    for link in dead:
        notes.warning(f"link {link.name}"[:40], f"{link.address}: {link.says}", "Correct the address.")
    if links:
        notes.right("links", f"{len(links) - len(dead)} of {len(links)} answer")
    else:
        notes.none("links", "the page has none")
    return [notes]


def look_at_attestations(
    release: Release, found: Mapping[str, list[Attestation] | None], digests: Mapping[str, str]
) -> list[Findings]:
    """Compare attestations with the files that they are for, and their publisher with the configured workflow.

    Their signatures are not verified: sigstore's certificates are needed for that, and what pypi-attestations brings.
    """
    notes, config = Findings("attestations"), release.config
    for name, attestations in found.items():
        if not attestations:
            notes.none(name, "none: they come with uploads by trusted publishing only")
            continue
        by = ", ".join(dict.fromkeys(one.by for one in attestations))
        strangers = [
            one.by for one in attestations if one.publisher.get("repository") not in (None, release.repository)
        ]
        workflows = {one.publisher.get("workflow") for one in attestations} - {None, config.pypi.workflow}
        others = [one for one in attestations if one.subjects and one.subjects.get(name) != digests.get(name)]
        if others:
            notes.wrong(name, f"an attestation by {by} is for other bytes", "Find out who published it.")
        elif strangers:
            notes.wrong(name, f"published by {', '.join(strangers)}; expected {release.repository}", "Find out why.")
        elif config.pypi.via == "ci" and workflows:
            notes.warning(
                name, f"published by {by}; the configured workflow is {config.pypi.workflow}", "Find out why."
            )
        elif not all(one.subjects for one in attestations):
            notes.unproven(name, f"published by {by}; for which bytes could not be read")
        else:
            notes.right(name, f"{len(attestations)} for these bytes; the index says that {by} published them")
    if file := next((name for name, attestations in found.items() if attestations), None):
        notes.unproven(
            "signatures",
            "not verified here, so publisher and bytes are what the index tells",
            "Run `pypi-attestations verify pypi --repository "
            f"{config.forge.web_url.rstrip('/')}/{release.repository} pypi:{file}` for each file.",
        )
    return [notes]
