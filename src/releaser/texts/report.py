"""The report that a release ends with: what is where, and how it is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from releaser.adapters.registry.oci import images as images_of
from releaser.core.runner import Result
from releaser.core.step import Done, Outcome, Skipped, first_line
from releaser.errors import ServiceError
from releaser.images import of_release
from releaser.release import Release


def compose(release: Release, results: Sequence[Result], left_out: Mapping[str, str]) -> str:
    """Return the report as Markdown, in which hashes are asked of the services once more.

    Args:
        release: The release.
        results: The steps' outcomes.
        left_out: Why steps were left out on request, by step: what a reader must know first.

    Raises:
        ServiceError: A service did not answer.
    """
    config, dists = release.config, release.built()
    outcome = {result.step: result.outcome for result in results}
    found = release.forge.find_release(release.tag)
    if found is None:
        raise ServiceError(f"The forge no longer has a release {release.tag}", "Rerun the command.")
    places = {
        "here": dists.assets,
        "TestPyPI": {
            name: file.sha256 for name, file in release.testpypi.files(config.distribution, release.version).items()
        },
        "PyPI": {name: file.sha256 for name, file in release.pypi.files(config.distribution, release.version).items()},
        "release asset": {asset.name: asset.sha256 or "" for asset in found.assets},
    }
    tag, commit = release.git.tag(release.tag), str(release.commit())
    kind = (
        "pre-release"
        if found.prerelease
        else "latest"
        if release.forge.latest_release() == release.tag
        else "not latest"
    )
    lines = [
        f"# {config.distribution} {release.version}",
        "",
        *_left_out_lines(left_out),
        f"- release commit: {commit}",
        f"- tag: {release.tag}, {'annotated' if tag and tag.annotated else 'lightweight'}, at {tag and tag.commit}",
        f"- release: {found.name!r}, {'a draft' if found.draft else 'published'}, {kind}: {found.url}",
        f"- PyPI: {release.pypi.page(config.distribution, release.version)}",
        f"- files: {dists.directory}",
        "",
        "## sha256",
        "",
        *_hash_table(places),
        "",
        *_image_lines(release, outcome.get("push_images")),
        "## Evidence",
        "",
        *(_row(result) for result in results if isinstance(result.outcome, Done)),
    ]
    if skipped := _skipped(results):
        lines += ["", "## Skipped", "", *(f"- {', '.join(steps)}: {reason}" for reason, steps in skipped.items())]
    if config.after.reminders:
        lines += ["", "## For people to do", "", *(f"- [ ] {reminder}" for reminder in config.after.reminders)]
    return release.redactor()("\n".join(lines) + "\n")


def _left_out_lines(left_out: Mapping[str, str]) -> list[str]:
    """Return a line for each reason, with the steps that it kept from running."""
    steps_by_reason: dict[str, list[str]] = {}
    for step, reason in left_out.items():
        steps_by_reason.setdefault(reason, []).append(step)
    return [f"- **{reason[:1].upper()}{reason[1:]}: {', '.join(steps)}**" for reason, steps in steps_by_reason.items()]


def _hash_table(places: dict[str, dict[str, str]]) -> list[str]:
    lines = [f"| file | sha256 here | {' | '.join(list(places)[1:])} |", "|---|---|" + "---|" * (len(places) - 1)]
    for name, digest in sorted(places["here"].items()):
        cells = []
        for place in list(places)[1:]:
            there = places[place].get(name)
            cells.append("-" if there is None else "same" if there == digest else f"**{there}**")
        lines.append(f"| {name} | {digest} | {' | '.join(cells)} |")
    return lines


def _image_lines(release: Release, pushed: Outcome | None) -> list[str]:
    """Return every image's digest, platforms and tags, as the registry shows them; nothing where none was built.

    A registry that nothing was pushed to is not asked: there may be none, or no way to it.
    """
    layout = of_release.built(release) if release.config.images.targets else None
    if layout is None:
        return []
    registry, asked = release.registry, isinstance(pushed, Done)
    tags = of_release.tags(release) if asked else ()
    lines = [f"## Images: {registry.repository}", ""] if asked else ["## Images", ""]
    if isinstance(pushed, Skipped):
        lines += [f"Not pushed: {pushed.reason}. The digests are those of what was built here.", ""]
    lines += ["| image | digest | platforms | tags |", "|---|---|---|---|"]
    for name, root in layout.roots().items():
        platforms = ", ".join(image.platform for image in images_of(layout, root))
        own = [tag.name for tag in tags if tag.target == name]
        shown = [one if registry.digest(one) == root.digest else f"**{one} points elsewhere**" for one in own]
        lines.append(f"| {name} | {root.digest} | {platforms} | {', '.join(shown) or '-'} |")
    return [*lines, ""]


def _skipped(results: Sequence[Result]) -> dict[str, list[str]]:
    """Return the skipped steps by reason, so that what one reason covers takes one line."""
    found: dict[str, list[str]] = {}
    for result in results:
        if isinstance(result.outcome, Skipped):
            found.setdefault(result.outcome.reason, []).append(result.step)
    return found


def _row(result: Result) -> str:
    took = f" ({result.seconds:.1f} s)" if result.seconds >= 0.1 else ""
    return f"- {result.step}: {first_line(result.outcome)}{took}"
