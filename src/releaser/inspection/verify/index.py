"""What the index serves of a version, and how its page looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from releaser.adapters.index import readme, rules
from releaser.adapters.index.files import IndexFile
from releaser.adapters.index.provenance import Attestation
from releaser.adapters.index.responses import ReleasePage
from releaser.adapters.index.signatures import Signature
from releaser.adapters.publishers import Publisher
from releaser.dists.attested import judge
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
    release: Release,
    found: Mapping[str, list[Attestation] | None],
    digests: Mapping[str, str],
    signatures: Mapping[str, Sequence[Signature]] = MappingProxyType({}),
) -> list[Findings]:
    """Compare attestations with the files that they are for, and their publisher with the configured workflow.

    Args:
        release: The release.
        found: The attestations of each file.
        digests: The sha256 of each file, as the index lists it.
        signatures: What is known of the signature of each.
    """
    notes, config = Findings("attestations"), release.config
    registered = release.pypi.publisher or Publisher(release.repository, "")
    for name, attestations in found.items():
        verdict = judge(name, digests.get(name, ""), attestations, registered, expected=config.pypi.attestations)
        match verdict.kind:
            case "wrong":
                notes.wrong(name, verdict.says, verdict.remedy)
            case "warning" | "missing":
                notes.warning(name, verdict.says, verdict.remedy)
            case "unproven":
                notes.unproven(name, verdict.says)
            case "none":
                notes.none(name, verdict.says)
            case "right":
                notes.right(name, verdict.says)
    if file := next((name for name, attestations in found.items() if attestations), None):
        known = [one for each in signatures.values() for one in each]
        _look_at_signatures(notes, release, file, known, sum(len(each or ()) for each in found.values()))
    return [notes]


def _look_at_signatures(
    notes: Findings, release: Release, file: str, known: Sequence[Signature], attestations: int
) -> None:
    command = (
        "pypi-attestations verify pypi --repository "
        f"{release.config.forge.web_url.rstrip('/')}/{release.repository} pypi:{file}"
    )
    doubts = {kind: [one.says for one in known if one.kind == kind] for kind in ("wrong", "unproven")}
    if doubts["wrong"]:
        notes.wrong("signatures", "; ".join(dict.fromkeys(doubts["wrong"])), f"Trust none of it; see `{command}`.")
    elif doubts["unproven"] or len(known) < attestations:
        undone = f"{len(known)} of {attestations} verified" if known else "not verified here"
        why = "; ".join(dict.fromkeys(doubts["unproven"])) or undone
        says = f"{why}; so publisher and bytes are what the index tells"
        notes.unproven("signatures", says, f"Run `{command}` for each file.")
    else:
        notes.right("signatures", f"{len(known)} verified against sigstore's trusted root")
