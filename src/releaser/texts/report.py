"""The report that a release ends with: what is where, and how it is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from releaser.adapters.forge.records import ReleaseInfo
from releaser.adapters.registry.oci import images as images_of
from releaser.core.results import Result
from releaser.core.step import Done, Outcome, Skipped, Warned, first_line
from releaser.images import of_release
from releaser.release import Release
from releaser.texts.services import Services, served


def compose(
    release: Release, results: Sequence[Result], left_out: Mapping[str, str], services: Services | None = None
) -> str:
    """Return the report as Markdown, in which hashes are asked of the services once more.

    Its first lines say what is missing: steps left out on request, steps that ended as warnings, silent services.

    Args:
        release: The release.
        results: The steps' outcomes.
        left_out: Why steps were left out on request, by step.
        services: What was silent before; by default nothing.
    """
    config, dists, services = release.config, release.built(), services or Services()
    outcome = {result.step: result.outcome for result in results}
    found = services.ask("the forge", lambda: release.forge.find_release(release.tag), None)
    places = {
        "here": dists.assets,
        "TestPyPI": {} if "upload_testpypi" in left_out else served(release, "testpypi", services),
        "PyPI": served(release, "pypi", services),
        "release asset": {asset.name: asset.sha256 or "" for asset in found.assets} if found else {},
    }
    tag, commit = release.git.tag(release.tag), str(release.commit())
    about_release = _about(release, found, services)
    image_lines = _image_lines(release, outcome.get("push_images"), services)
    lines = [
        f"# {config.distribution} {release.version}",
        "",
        *_left_out_lines(left_out),
        *_warning_lines(results),
        *(f"- **Not asked once more for this report: {one}: {why}**" for one, why in services.silent.items()),
        f"- release commit: {commit}",
        f"- tag: {release.tag}, {'annotated' if tag and tag.annotated else 'lightweight'}, at {tag and tag.commit}",
        f"- release: {about_release}",
        f"- PyPI: {release.pypi.page(config.distribution, release.version)}",
        f"- files: {dists.directory}",
        "",
        "## sha256",
        "",
        *_hash_table(places),
        "",
        *image_lines,
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


def _warning_lines(results: Sequence[Result]) -> list[str]:
    """Return a line for each step that ended as a warning, with what to do."""
    warned = ((result.step, result.outcome) for result in results if isinstance(result.outcome, Warned))
    return [
        f"- **Not done: {step}: {_in_one_line(one.reason).rstrip('.')}.** {_in_one_line(one.remedy)}"
        for step, one in warned
    ]


def _in_one_line(text: str) -> str:
    return " | ".join(line.strip() for line in text.splitlines() if line.strip())


def _about(release: Release, found: ReleaseInfo | None, services: Services) -> str:
    if found is None:
        return "unknown" if services.silent else "the forge has none"
    kind = "pre-release"
    if not found.prerelease:
        latest = services.ask("the forge", release.forge.latest_release, None)
        kind = "latest" if latest == release.tag else "not latest"
    return f"{found.name!r}, {'a draft' if found.draft else 'published'}, {kind}: {found.url}"


def _hash_table(places: dict[str, dict[str, str]]) -> list[str]:
    lines = [f"| file | sha256 here | {' | '.join(list(places)[1:])} |", "|---|---|" + "---|" * (len(places) - 1)]
    for name, digest in sorted(places["here"].items()):
        cells = []
        for place in list(places)[1:]:
            there = places[place].get(name)
            cells.append("-" if there is None else "same" if there == digest else f"**{there}**")
        lines.append(f"| {name} | {digest} | {' | '.join(cells)} |")
    return lines


def _image_lines(release: Release, pushed: Outcome | None, services: Services) -> list[str]:
    """Return every image's digest, platforms and tags, as the registry shows them; nothing where there is none.

    A registry that nothing was pushed to is not asked: there may be none, or no way to it.
    """
    asked = isinstance(pushed, Done)
    held = services.ask("the registry", lambda: of_release.held(release, pushed=asked), None)
    if held is None:
        return []
    source, roots = held
    registry = release.registry
    tags = of_release.tags(release) if asked else ()
    lines = [f"## Images: {registry.repository}", ""] if asked else ["## Images", ""]
    if isinstance(pushed, Skipped):
        lines += [f"Not pushed: {pushed.reason}. The digests are those of what was built here.", ""]
    lines += ["| image | digest | platforms | tags |", "|---|---|---|---|"]
    for name, root in roots.items():
        platforms = ", ".join(image.platform for image in images_of(source, root))
        own = [tag.name for tag in tags if tag.target == name]
        found = {one: services.ask("the registry", partial(registry.digest, one), None) for one in own}
        shown = [one if found[one] == root.digest else f"**{one} points elsewhere**" for one in own]
        if "the registry" in services.silent:
            shown = own
        lines.append(f"| {name} | {root.digest} | {platforms} | {', '.join(shown) or '-'} |")
    return [*lines, ""]


def _skipped(results: Sequence[Result]) -> dict[str, list[str]]:
    """Return the skipped steps by reason, so that what one reason covers takes one line."""
    found: dict[str, list[str]] = {}
    for result in results:
        if isinstance(result.outcome, Skipped) and not isinstance(result.outcome, Warned):
            found.setdefault(result.outcome.reason, []).append(result.step)
    return found


def _row(result: Result) -> str:
    took = f" ({result.seconds:.1f} s)" if result.seconds >= 0.1 else ""
    return f"- {result.step}: {first_line(result.outcome)}{took}"
